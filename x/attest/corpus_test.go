package attest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

var update = flag.Bool("update", false, "write testdata/vectors again; a change of a frozen vector needs a second reader")

const (
	vectorDir  = "testdata/vectors"
	vectorMark = "xinlian vector 1"
	vectorExt  = ".xlv"
)

// vector is one file of testdata/vectors: what a verifier must say of the payload. README.md there gives the form. A verifier in another language
// passes when it gives every exit code and every code.
type vector struct {
	Name    string
	Exit    int
	Code    string // * = any: which one depends on where the paths happen to lie
	Family  string // of the README's table; - = accepted
	Trust   string // file beside it, as are Headers, Witness and Stamps
	Headers []string
	Witness string
	Stamps  []string
	Subject string
	Claim   string
	MaxAge  string
	At      string
	Payload []byte

	files map[string][]byte // what the corpus makes beside it
}

func (v *vector) encode() []byte {
	var b bytes.Buffer
	row := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	fmt.Fprintln(&b, vectorMark)
	row("expect", fmt.Sprint(v.Exit, " ", v.Code))
	row("family", v.Family)
	row("trust", v.Trust)
	for _, h := range v.Headers {
		row("header", h)
	}
	row("witness", v.Witness)
	for _, s := range v.Stamps {
		row("stamp", s)
	}
	row("subject", v.Subject)
	row("claim", v.Claim)
	row("max-age", v.MaxAge)
	row("at", v.At)
	b.WriteByte('\n')
	b.Write(v.Payload)
	return b.Bytes()
}

func decodeVector(name string, raw []byte) (v vector, err error) {
	head, payload, ok := bytes.Cut(raw, []byte("\n\n"))
	rows := strings.Split(string(head), "\n")
	if !ok || rows[0] != vectorMark {
		return v, fmt.Errorf("%s is no vector", name)
	}
	v.Name, v.Payload = name, payload
	for _, r := range rows[1:] {
		key, value, _ := strings.Cut(r, ": ")
		switch key {
		case "expect":
			exit, code, _ := strings.Cut(value, " ")
			v.Code = code
			if v.Exit, err = strconv.Atoi(exit); err != nil {
				return v, fmt.Errorf("%s: %w", name, err)
			}
		case "family":
			v.Family = value
		case "trust":
			v.Trust = value
		case "header":
			v.Headers = append(v.Headers, value)
		case "witness":
			v.Witness = value
		case "stamp":
			v.Stamps = append(v.Stamps, value)
		case "subject":
			v.Subject = value
		case "claim":
			v.Claim = value
		case "max-age":
			v.MaxAge = value
		case "at":
			v.At = value
		default:
			return v, fmt.Errorf("%s: unknown row %q", name, r)
		}
	}
	return v, nil
}

// judge runs the verifier on a vector whose other files are read by file.
func (v *vector) judge(file func(name string) []byte) (*attest.Verdict, error) {
	trust, err := attest.ParseTrust(file(v.Trust))
	if err != nil {
		return nil, err
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	p := attest.Policy{Subject: v.Subject, Claim: mustClaim(v.Claim)}
	if p.Now, err = time.Parse(time.RFC3339, v.At); err != nil {
		panic(err)
	}
	if p.MaxAge, err = time.ParseDuration(v.MaxAge); err != nil {
		panic(err)
	}
	for _, name := range v.Headers {
		h, err := verifier.Header(file(name))
		if err != nil {
			return nil, err
		}
		p.Headers = append(p.Headers, h)
	}
	if v.Witness != "" {
		p.Witness = file(v.Witness)
	}
	for _, name := range v.Stamps {
		p.Stamps = append(p.Stamps, file(name))
	}
	return verifier.Verify(v.Payload, p)
}

// frozen reads the corpus as it lies in the tree.
func frozen(t testing.TB) []vector {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(vectorDir, "*"+vectorExt))
	if err != nil || len(names) == 0 {
		t.Fatal("no vectors", err)
	}
	var all []vector
	for _, n := range names {
		v, err := decodeVector(strings.TrimSuffix(filepath.Base(n), vectorExt), readFile(t, n))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func vectorFile(t testing.TB) func(name string) []byte {
	return func(name string) []byte { return readFile(t, filepath.Join(vectorDir, name)) }
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVectors(t *testing.T) {
	made := vectors()
	slices.SortFunc(made, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
	files := map[string][]byte{"README.md": corpusReadme(t, made)}
	put := func(name string, raw []byte) {
		if was, ok := files[name]; ok && !bytes.Equal(was, raw) {
			t.Fatalf("two files are called %s", name)
		}
		files[name] = raw
	}
	for i := range made {
		if i > 0 && made[i].Name == made[i-1].Name {
			t.Fatalf("two vectors are called %s", made[i].Name)
		}
		put(made[i].Name+vectorExt, made[i].encode())
		for name, raw := range made[i].files {
			put(name, raw)
		}
	}
	if *update {
		if err := os.RemoveAll(vectorDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(vectorDir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, raw := range files {
			if err := os.WriteFile(filepath.Join(vectorDir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	there, err := os.ReadDir(vectorDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(there) != len(files) {
		t.Errorf("%d files are frozen, the corpus makes %d; run with -update", len(there), len(files))
	}
	for name, raw := range files {
		if !bytes.Equal(readFile(t, filepath.Join(vectorDir, name)), raw) {
			t.Errorf("%s: the corpus makes other bytes than are frozen", name)
		}
	}

	accepted, refused := 0, 0
	for _, x := range frozen(t) {
		v, err := x.judge(vectorFile(t))
		code := attest.CodeOf(err)
		if err == nil {
			code = v.Code
		}
		if got := attest.ExitCode(v, err); got != x.Exit || code != x.Code && x.Code != "*" {
			t.Errorf("%s: exit code %d %s (%v), want %d %s", x.Name, got, code, err, x.Exit, x.Code)
		}
		if err != nil && v != nil {
			t.Errorf("%s: a verdict beside an error", x.Name)
		}
		if x.Exit == 0 || x.Exit == 6 {
			accepted++
		} else {
			refused++
		}
	}
	t.Logf("%d vectors are verified, %d are refused", accepted, refused)
	if refused < 150 || accepted < 30 {
		t.Error("at least 150 that are refused and 30 that are not are needed")
	}
}
