// Package langtest finds in the source what is said to people, so that a test can hold the Chinese catalogue to it.
//
// Trust: none is needed.
package langtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
)

// Sentence is something that a program can say, as a format: what is put together while it runs stands in it as %v.
type Sentence struct {
	English string
	Where   string
}

// said lists the functions whose arguments reach people, by name: which arguments, and what comes before them.
var said = map[string][]struct {
	arg    int
	before string
}{
	"With": {{0, ""}},
	// number, code, rule, text, remedy
	"Reject": {{3, ""}, {4, ""}},
	// code, detail
	"problem": {{1, ""}},
	// of package intake: code, format; and of its mapper: code, field, what
	"refuse":      {{1, ""}, {2, "%v "}},
	"note":        {{1, "%v "}},
	"refuseValue": {{2, "%v "}},
	// code, remedy, format
	"fileError": {{1, ""}, {2, ""}},
	"Errorf":    {{0, ""}},
	"New":       {{0, ""}},
	"usagef":    {{0, ""}},
	"usage":     {{0, ""}},
	"unusable":  {{0, ""}},
	// of package attest: step, code, format; with the class of the refusal before them
	"invalid": {{2, ""}},
	"refusal": {{3, ""}},
	"bad":     {{0, ""}},
	// of a file that opens classes
	"restrictedFault": {{0, "restricted section: "}},
	// of its doctor: unusable, format
	"finding": {{1, ""}},
	// command, writer, format
	"sayf": {{2, ""}},
}

// fields of literals that reach people.
var fields = []string{"Reason", "Remedy", "Detail"}

// Sentences reads the folders (and with a trailing /... those below) under root. only, if not nil, chooses among the functions.
func Sentences(tb testing.TB, root string, only []string, folders ...string) (out []Sentence) {
	tb.Helper()
	fset := token.NewFileSet()
	read := func(path string) {
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			tb.Fatal(err)
		}
		add := func(e ast.Expr, before string) {
			s, text := format(e)
			// Not sentences: the frame of a refusal's line, and single words such as the keys of a logger.
			if !text || letters(s) == "" || letters(s) == "rule" || !strings.ContainsAny(s, " %:") {
				return
			}
			out = append(out, Sentence{before + s, strings.TrimPrefix(fset.Position(e.Pos()).String(), root+"/")})
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := nameOf(n.Fun)
				if only != nil && !slices.Contains(only, name) {
					return true
				}
				for _, s := range said[name] {
					if s.arg < len(n.Args) {
						add(n.Args[s.arg], s.before)
					}
				}
			case *ast.FuncDecl: // what a claim or a standing is judged by is given back as text, and what is wrong with a cell
				before, wrong := wrongCell(n)
				if n.Body != nil && only == nil && (n.Name.Name == "judge" || strings.HasSuffix(n.Name.Name, "Fault") || wrong) {
					ast.Inspect(n.Body, func(in ast.Node) bool {
						if r, ok := in.(*ast.ReturnStmt); ok {
							for _, e := range r.Results {
								if call, ok := e.(*ast.CallExpr); ok && nameOf(call.Fun) == "Sprintf" {
									e = call.Args[0]
								}
								add(e, before)
							}
						}
						return true
					})
				}
			case *ast.AssignStmt: // a remedy of the case at hand
				for i, l := range n.Lhs {
					if sel, ok := l.(*ast.SelectorExpr); ok && len(n.Rhs) == len(n.Lhs) && slices.Contains(fields, sel.Sel.Name) {
						add(n.Rhs[i], "")
					}
				}
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && slices.Contains(fields, id.Name) {
					add(n.Value, "")
				}
			case *ast.ValueSpec: // var remedies = map[string]struct{ rule, remedy string }{…}
				if len(n.Names) == 1 && n.Names[0].Name == "remedies" && len(n.Values) == 1 {
					for _, e := range n.Values[0].(*ast.CompositeLit).Elts {
						if row, ok := e.(*ast.KeyValueExpr).Value.(*ast.CompositeLit); ok {
							add(row.Elts[len(row.Elts)-1], "")
						}
					}
				}
			}
			return true
		})
	}
	for _, folder := range folders {
		dir, below := strings.CutSuffix(folder, "/...")
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || !below && path != filepath.Join(root, dir)):
				return fs.SkipDir
			case !d.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".pb.go"):
				read(path)
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// wrongCell says of a function of package intake whether one of its results is what is wrong with a cell, by the name of the result; and what is said before it.
func wrongCell(f *ast.FuncDecl) (before string, is bool) {
	if f.Type.Results == nil {
		return "", false
	}
	for _, r := range f.Type.Results.List {
		for _, name := range r.Names {
			switch name.Name {
			case "problem":
				return "%v ", true
			case "broken":
				return "column %d ", true
			}
		}
	}
	return "", false
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok && e.Sel.Name == "New" && id.Name != "errors" {
			return ""
		}
		return e.Sel.Name
	}
	return ""
}

// format reads an expression of strings; text says whether any of it is a literal.
func format(e ast.Expr) (s string, text bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			l, lt := format(e.X)
			r, rt := format(e.Y)
			return l + r, lt || rt
		}
	case *ast.ParenExpr:
		return format(e.X)
	}
	return "%v", false
}

// letters is what of a format is fixed.
func letters(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+1 < len(s) {
			i++
			continue
		}
		if c := s[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// finished puts values into a format.
func finished(format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		for i++; i < len(format)-1 && strings.IndexByte("+-# 0123456789.[]", format[i]) >= 0; i++ {
		}
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'd':
			b.WriteByte('7')
		case 'q':
			b.WriteString(`"§"`)
		default:
			b.WriteString("§")
		}
	}
	return b.String()
}

// Hold fails with what of the sentences the catalogue does not know.
func Hold(tb testing.TB, c *lang.Catalog, sentences ...Sentence) {
	tb.Helper()
	missing := map[string]string{}
	for _, s := range sentences {
		if _, ok := pairOf(c, s); !ok && missing[s.English] == "" {
			missing[s.English] = s.Where
		}
	}
	var list []string
	for s := range missing {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(missing[a], missing[b]) })
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "# %s\n", missing[s])
		for _, line := range strings.Split(s, "\n") {
			fmt.Fprintf(&b, "= %s\n", line)
		}
		b.WriteString("~ \n")
	}
	if len(list) > 0 {
		if file := os.Getenv("XINLIAN_MISSING"); file != "" {
			if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
				tb.Fatal(err)
			}
		}
		tb.Errorf("%d texts have no Chinese; write it after each ~ and add the pairs to the catalogue (XINLIAN_MISSING=FILE writes them there):\n%s", len(list), b.String())
	}
}

// Used fails with what own, a part of the catalogue, knows and nobody says.
func Used(tb testing.TB, own, c *lang.Catalog, sentences ...Sentence) {
	tb.Helper()
	used := map[string]bool{}
	for _, s := range sentences {
		if english, ok := pairOf(c, s); ok {
			used[english] = true
		}
	}
	for _, e := range own.English() {
		if !used[e] {
			tb.Errorf("the catalogue has %q, which nothing says", e)
		}
	}
}

// pairOf finds the pair by which a sentence is said. One that leaves more open than the sentence does would hide that its own is missing.
func pairOf(c *lang.Catalog, s Sentence) (english string, ok bool) {
	english, ok = c.Entry(finished(s.English))
	return english, ok && letters(english) == letters(s.English)
}
