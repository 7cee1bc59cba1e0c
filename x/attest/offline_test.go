package attest_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const offlineMark = "XINLIAN_TEST_OFFLINE"

// TestOffline runs the corpus in a network namespace that has no network, which the test makes itself. A verifier that spoke to anybody would fail or wait.
func TestOffline(t *testing.T) {
	if os.Getenv(offlineMark) != "" {
		c, err := net.Dial("udp", "192.0.2.1:9") // an address for documentation; no packet leaves, a route is enough
		if err == nil {
			c.Close()
			t.Fatal("there is a network here")
		}
		TestVectors(t)
		return
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("no unshare(1) here: the corpus was not run without a network")
	}
	namespace := []string{"-n"}
	if os.Getuid() != 0 {
		namespace = []string{"-r", "-n"}
	}
	if out, err := exec.Command(unshare, append(namespace, "true")...).CombinedOutput(); err != nil {
		t.Skipf("no network namespace can be made here (%v: %s): the corpus was not run without a network", err, strings.TrimSpace(string(out)))
	}
	cmd := exec.Command(unshare, append(namespace, os.Args[0], "-test.run", "^TestOffline$", "-test.v")...)
	cmd.Env = append(os.Environ(), offlineMark+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "vectors are verified") {
		t.Fatalf("%v\n%s", err, out)
	}
}
