package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"
)

const maxLines = 1500

// sourceExt: what people write and read as text of their own.
var sourceExt = map[string]bool{".go": true, ".proto": true, ".md": true, ".sh": true, ".js": true, ".css": true, ".html": true, ".toml": true, ".yml": true}

// TestFileLength: a file that nobody reads to the end is two files.
func TestFileLength(t *testing.T) {
	for _, f := range files(t) {
		if f.generated() || !sourceExt[path.Ext(f.name)] || strings.Contains(f.name, "/testdata/") {
			continue
		}
		if n := bytes.Count(f.data, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d; cut it where its nouns differ", f.name, n, maxLines)
		}
	}
}

// TestNoSleep: a test that waits for time is slow on a fast machine and fails
// on a slow one.
func TestNoSleep(t *testing.T) {
	fset := token.NewFileSet()
	for _, f := range files(t) {
		if !f.test() || strings.Contains(f.name, "/testdata/") || !bytes.Contains(f.data, []byte("Sleep")) {
			continue
		}
		ast.Inspect(parse(t, fset, f), func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s: time.Sleep in a test; wait for the event itself (a channel, a height), with a deadline", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

// The words are put together here so that this file does not break its own rule.
var (
	openNote   = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	openNoteOK = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\(#\d+\)`)
)

// TestOpenNotes: what is left open has a number under which it is discussed.
func TestOpenNotes(t *testing.T) {
	for _, f := range files(t) {
		if f.generated() || f.binary() {
			continue
		}
		for i, line := range strings.Split(string(f.data), "\n") {
			if len(openNote.FindAllString(line, -1)) > len(openNoteOK.FindAllString(line, -1)) {
				t.Errorf("%s:%d: an open note without an issue number; write %s(#12) or do it now: %s", f.name, i+1, openNote.FindString(line), strings.TrimSpace(line))
			}
		}
	}
}

// Places on somebody's machine, and services that a build may go through but
// that the repository does not depend on. Put together as above.
var foreign = []struct {
	what *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(^|[^\w.])/(wo` + `rk|ro` + `ot|ho` + `me/\w+|Us` + `ers/\w+)/`), "a path of one machine; use a relative path, a temporary folder or an argument"},
	{regexp.MustCompile(`(^|[\s"'(` + "`" + `])sha` + `red/\w+\.md`), "a document outside the repository; say it here in own words"},
	{
		regexp.MustCompile(`(proxy|sum)\.gol` + `ang\.org|registry\.npm` + `js\.org|deb\.deb` + `ian\.org|pypi\.o` + `rg|goproxy\.(cn|io)`),
		"a registry host; the toolchain's own configuration chooses where modules come from",
	},
}

// TestNothingForeign: the repository stands on its own.
func TestNothingForeign(t *testing.T) {
	for _, f := range files(t) {
		if f.binary() || f.generated() || path.Base(f.name) == "go.sum" {
			continue
		}
		for i, line := range strings.Split(string(f.data), "\n") {
			for _, rule := range foreign {
				if m := rule.what.FindString(line); m != "" {
					t.Errorf("%s:%d: %q is %s", f.name, i+1, strings.TrimSpace(m), rule.why)
				}
			}
		}
	}
}

// TestPackageComments: every package says what it is and what trusting it means.
func TestPackageComments(t *testing.T) {
	docs := map[string][]string{}
	fset := token.NewFileSet()
	for _, f := range files(t) {
		if path.Ext(f.name) != ".go" || f.test() || f.generated() || strings.Contains(f.name, "/testdata/") {
			continue
		}
		docs[f.dir()] = append(docs[f.dir()], parse(t, fset, f).Doc.Text())
	}
	for dir, texts := range docs {
		all := strings.TrimSpace(strings.Join(texts, "\n"))
		switch {
		case all == "":
			t.Errorf("%s has no package comment; say in doc.go what it is, what it promises, and end with \"Trust: …\"", dir)
		case !strings.Contains(all, "Trust:"):
			t.Errorf("%s: the package comment does not end with \"Trust: …\"; say what whoever can change this can at most do", dir)
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)\s#]+)(#[^)\s]*)?\)`)

// TestLinksInDocuments: a document that points to a file points to one that is
// there.
func TestLinksInDocuments(t *testing.T) {
	there := map[string]bool{".": true}
	for _, f := range files(t) {
		for name := f.name; name != "."; name = path.Dir(name) {
			there[name] = true
		}
	}
	for _, f := range files(t) {
		if path.Ext(f.name) != ".md" {
			continue
		}
		for _, m := range markdownLink.FindAllStringSubmatch(string(f.data), -1) {
			if target := m[1]; !strings.Contains(target, ":") && !there[path.Join(f.dir(), target)] {
				t.Errorf("%s links to %s, which is not there", f.name, target)
			}
		}
	}
}

// TestTwoCommands: what README shows is what CI runs.
func TestTwoCommands(t *testing.T) {
	for _, name := range []string{"README.md", ".ci/run"} {
		f, ok := find(t, name)
		if !ok {
			t.Logf("no %s yet", name)
			continue
		}
		for _, command := range []string{"go run ./cmd/xinlian demo", "go test ./..."} {
			if !bytes.Contains(f.data, []byte(command)) {
				t.Errorf("%s does not contain %q word for word", name, command)
			}
		}
	}
}

// replaces that are allowed: file → the line, word for word.
var replaces = map[string]string{
	// It measures the code beside it together with peers that the product must not depend on; nobody installs it by a version.
	"scripts/bench/go.mod": "replace github.com/xinlian-ledger/xinlian => ../..",
}

var replaceLine = regexp.MustCompile(`(?m)^\s*replace\b.*$`)

// TestModuleFile: a replaced module is not what its version says.
func TestModuleFile(t *testing.T) {
	for _, f := range files(t) {
		if path.Base(f.name) != "go.mod" {
			continue
		}
		for _, line := range replaceLine.FindAllString(string(f.data), -1) {
			if line != replaces[f.name] {
				t.Errorf("%s replaces a module; `go install` of the commands would then build something else", f.name)
			}
		}
	}
}

// What a schema may not say, because two encoders may then differ or because
// the wire format is no service.
var schemaBans = []struct {
	what *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`\bmap\s*<`), "a map has no order on the wire; use a repeated message sorted by its key"},
	{regexp.MustCompile(`^\s*(repeated\s+|optional\s+)?(float|double)\s`), "no fractions on the wire; use integers (fen, days, basis points)"},
	{regexp.MustCompile(`\bgoogle\.protobuf\.(Any|Struct|Value)\b`), "its encoding is open; name the message"},
	{regexp.MustCompile(`^\s*service\s`), "the wire format declares no services; routes belong to node/gateway"},
}

// TestSchemas: rules for .proto files.
func TestSchemas(t *testing.T) {
	for _, f := range files(t) {
		if path.Ext(f.name) == ".proto" {
			report(t, checkSchema(f))
		}
	}
}

func checkSchema(f file) []string {
	var findings []string
	for i, line := range strings.Split(string(f.data), "\n") {
		code, _, _ := strings.Cut(line, "//")
		for _, ban := range schemaBans {
			if m := ban.what.FindString(code); m != "" {
				findings = append(findings, fmt.Sprintf("%s:%d: %q: %s", f.name, i+1, strings.TrimSpace(m), ban.why))
			}
		}
	}
	return findings
}

// TestFileRulesBite: each pattern finds what it is there for, and passes what
// only looks like it.
func TestFileRulesBite(t *testing.T) {
	if got := checkSchema(file{"a.proto", []byte("map<string, int32> m = 1;\n  repeated double d = 2;\nservice S {}\nint32 day = 1; // a map<k,v> or float\n")}); len(got) != 3 {
		t.Errorf("schema bans: got %q", got)
	}
	for line, want := range map[string]bool{
		"see /wo" + "rk/notes":              true,
		"from /ro" + "ot/go/pkg":            true,
		"https://proxy.gol" + "ang.org/x":   true,
		"as sha" + "red/design.md says":     true,
		"network/wo" + "rk/flow":            false, // after a letter it is no root
		"https://example.com/wo" + "rk/1":   false,
		"the tree is sha" + "red/owned":     false,
		"GET /v1/subjects/{uscc}/standing/": false,
	} {
		got := false
		for _, rule := range foreign {
			got = got || rule.what.MatchString(line)
		}
		if got != want {
			t.Errorf("%q: reported %v, want %v", line, got, want)
		}
	}
	for line, want := range map[string]bool{"// TO" + "DO: later": true, "// TO" + "DO(#12): later": false, "the toDoList": false} {
		got := len(openNote.FindAllString(line, -1)) > len(openNoteOK.FindAllString(line, -1))
		if got != want {
			t.Errorf("%q: reported %v, want %v", line, got, want)
		}
	}
}
