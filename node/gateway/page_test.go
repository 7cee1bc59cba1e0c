package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/gateway"
)

// The page allows its own script and style and nothing else: no request leaves it, whatever a file that is dropped on it says.
func TestVerifyPage(t *testing.T) {
	w := newWorld(t)
	a := w.get("", "/verify")
	if a.status != 200 || string(a.body) != string(gateway.VerifyPage) || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", a.status, a.header)
	}
	policy := a.header.Get("Content-Security-Policy")
	html := string(gateway.VerifyPage)
	for _, tag := range []string{"script", "style"} {
		parts := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(html, -1)
		if len(parts) != 1 || strings.Count(html, "<"+tag) != 1 {
			t.Fatalf("%d elements %s", len(parts), tag)
		}
		sum := sha256.Sum256([]byte(parts[0][1]))
		if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) {
			t.Errorf("the policy has not %s: %s", want, policy)
		}
	}
	for _, want := range []string{"default-src 'none';", "base-uri 'none';", "form-action 'none';", "require-trusted-types-for 'script';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy has not %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("the policy allows more than it needs: %s", policy)
	}
	// Nothing is loaded from anywhere; the one link is the trust file, and it is followed by people alone.
	for _, m := range regexp.MustCompile(`\s(src|href|action)="([^"]*)"`).FindAllStringSubmatch(html[:strings.Index(html, "<script>")], -1) {
		if m[2] != "data:," && m[2] != "/v1/trust" {
			t.Errorf("%s=%q", m[1], m[2])
		}
	}
	w.want(w.get("", "/verify?subject=1"), 400, "E_QUERY")
}
