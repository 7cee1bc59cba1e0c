package attest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

const (
	lineDir = "testdata/line"
	// lineDigest is the SHA-256 of the list of what was frozen: whoever changes that has to say so here.
	lineDigest = "f5271f812399950215fa6bee7ec2b7f53c39afc37f8a52b2f8d6a4ef21ea4bb3"
)

// lineChanged are the four bundles of the list in whose place the corpus has others, each refused by the same code. The bytes that were frozen lie beside the list and
// are judged as well.
var lineChanged = map[string]string{
	"parse-json-view":      "it is the view of a bundle, which got fields for other dishonesty and incentives; a view is none of the frozen forms",
	"path-very-deep":       "400 branches show what 3,000 did, in a seventh of the bytes",
	"standing-count-wraps": "beside a list of penalties another check refused it first; a root stands in their place, so that only the sum in 32 bits is at fault",
	"standing-lists-order": "an entry of a list names its document since, and without it was refused before its order was looked at",
}

// TestLine: every bundle that was frozen with the format's first version is in the corpus byte for byte, with the policy of then, and gets the verdict of then. What -update
// makes of the corpus is held against a list that nothing writes.
func TestLine(t *testing.T) {
	list := readFile(t, filepath.Join(lineDir, "bundles.txt"))
	if got := digestOf(list); got != lineDigest {
		t.Fatalf("the list of what was frozen has SHA-256 %s, want %s: it never changes", got, lineDigest)
	}
	corpus := map[string]vector{}
	for _, v := range frozen(t) {
		corpus[v.Name] = v
	}
	for row := range strings.Lines(string(list)) {
		f := strings.Fields(row)
		switch {
		case f[0] == "#":
		case len(f) == 2:
			if got := digestOf(vectorFile(t)(f[1])); got != f[0] {
				t.Errorf("trust file %s has SHA-256 %s, and %s when it was frozen", f[1], got, f[0])
			}
		default:
			exit, err := strconv.Atoi(f[2])
			if err != nil {
				t.Fatal(err)
			}
			was := vector{Name: f[1], Exit: exit, Code: f[3], Trust: f[4], Subject: f[5], Claim: f[6], MaxAge: f[7], At: f[8]}
			if was.Name == "path-other-subject" {
				was.Code = "*" // the list expects E_APP_HASH; the verifier of then said E_PATH already, as that of today, and the corpus asks for any code since
			}
			is, ok := corpus[was.Name]
			if !ok {
				t.Errorf("%s is gone from the corpus", was.Name)
				continue
			}
			was.Payload, was.Family = is.Payload, is.Family
			if string(was.encode()) != string(is.encode()) {
				t.Errorf("%s: the corpus says\n%s\nand said when it was frozen\n%s", was.Name, headOf(is), headOf(was))
			}
			if _, changed := lineChanged[was.Name]; changed {
				was.Payload = readFile(t, filepath.Join(lineDir, was.Name+".xla"))
			}
			if got := digestOf(was.Payload); got != f[0] {
				t.Errorf("%s has SHA-256 %s, and %s when it was frozen", was.Name, got, f[0])
			}
			v, err := was.judge(vectorFile(t))
			code := attest.CodeOf(err)
			if err == nil {
				code = v.Code
			}
			if got := attest.ExitCode(v, err); got != was.Exit || code != was.Code && was.Code != "*" {
				t.Errorf("%s: exit code %d %s (%v), and %d %s when it was frozen", was.Name, got, code, err, was.Exit, was.Code)
			}
		}
	}
}

func digestOf(raw []byte) string {
	d := sha256.Sum256(raw)
	return hex.EncodeToString(d[:])
}

// headOf are the rows of a vector.
func headOf(v vector) string {
	v.Payload = nil
	return string(v.encode())
}
