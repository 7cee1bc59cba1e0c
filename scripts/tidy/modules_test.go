package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The files that every module has, so that a reader who knows one module finds
// the way in all.
var moduleFiles = map[string]string{
	"doc.go":         "the contract: records, who may act, transition table, invariants",
	"state.go":       "tables, exported readers, unexported writers",
	"transitions.go": "one exported function per row of the transition table",
	"errors.go":      "refusals with permanent numbers and codes",
	"genesis.go":     "Import and Export",
	"invariants.go":  "Check(x.Reader) error",
}

// moduleExceptions: files that a module does without, and why.
var moduleExceptions = map[string]map[string]string{
	"standing": {
		"errors.go":  "no message is sent to it, so it refuses nothing",
		"genesis.go": "it is made from the other modules' records; an imported copy could only disagree with them",
	},
}

// TestModuleFiles: each module has the same six files.
func TestModuleFiles(t *testing.T) {
	have := map[string]bool{}
	for _, f := range files(t) {
		have[f.name] = true
	}
	g := packages(t)
	for _, m := range moduleOrder {
		dir := "x/" + m
		if p := g[module+"/"+dir]; p == nil || len(p.GoFiles) == 0 {
			continue
		}
		for name, holds := range moduleFiles {
			reason, excused := moduleExceptions[m][name]
			switch {
			case !have[path.Join(dir, name)] && !excused:
				t.Errorf("%s has no %s (%s); write it, or list the exception with its reason in moduleExceptions", dir, name, holds)
			case have[path.Join(dir, name)] && excused:
				t.Errorf("%s has %s: remove its exception (%s)", dir, name, reason)
			}
		}
	}
}

var (
	msgMessage = regexp.MustCompile(`(?s)message Msg \{\s*oneof \w+ \{(.*?)\n  \}`)
	msgCase    = regexp.MustCompile(`(?m)^\s*([A-Z]\w*)\s+(\w+)\s*=\s*\d+`)
)

// TestDispatch: everything that the chain accepts has a case in one switch.
func TestDispatch(t *testing.T) {
	schema, ok := find(t, "proto/xinlian/v1/tx.proto")
	if !ok {
		t.Skip("no tx.proto yet")
	}
	body := msgMessage.FindSubmatch(schema.data)
	if body == nil {
		t.Fatal("tx.proto has no message Msg with a oneof; tell this test where it went")
	}
	dispatch, ok := find(t, "app/dispatch.go")
	if !ok {
		t.Skip("no app/dispatch.go yet")
	}
	cases := dispatched(parse(t, token.NewFileSet(), dispatch))
	for _, m := range msgCase.FindAllSubmatch(body[1], -1) {
		typ, field := string(m[1]), string(m[2])
		if wrapper := "Msg_" + camel(field); !cases[wrapper] && !cases[typ] {
			t.Errorf("message %s is not dispatched; add \"case *pb.%s\" to the switch in app/dispatch.go", typ, wrapper)
		}
	}
}

// dispatched collects the types of pb that occur in case clauses.
func dispatched(f *ast.File) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		clause, ok := n.(*ast.CaseClause)
		if !ok {
			return true
		}
		for _, e := range clause.List {
			if star, ok := e.(*ast.StarExpr); ok {
				e = star.X
			}
			if s, ok := e.(*ast.SelectorExpr); ok {
				found[s.Sel.Name] = true
			}
		}
		return true
	})
	return found
}

func camel(snake string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(snake, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// A refusal as it is declared: x.Reject(number, code, rule, text, remedy).
type refusal struct {
	where  string
	dir    string
	number int
	code   string
}

// TestRefusals: numbers and codes are permanent and unique, declared where they
// are looked for, and in the hundred of their module.
func TestRefusals(t *testing.T) {
	var all []refusal
	var findings []string
	fset := token.NewFileSet()
	for _, f := range files(t) {
		if path.Ext(f.name) != ".go" || f.test() || f.generated() || !strings.HasPrefix(f.name, "x/") && !strings.HasPrefix(f.name, "app/") {
			continue
		}
		found, problems := refusalsOf(fset, f.name, parse(t, fset, f))
		all = append(all, found...)
		findings = append(findings, problems...)
	}
	report(t, append(findings, checkRefusals(all)...))
}

func refusalsOf(fset *token.FileSet, name string, syntax *ast.File) (found []refusal, problems []string) {
	ast.Inspect(syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		switch fun := call.Fun.(type) {
		case *ast.SelectorExpr:
			if x, ok := fun.X.(*ast.Ident); !ok || x.Name != "x" || fun.Sel.Name != "Reject" {
				return true
			}
		case *ast.Ident:
			if fun.Name != "Reject" || path.Dir(name) != "x" {
				return true
			}
		default:
			return true
		}
		where := fset.Position(call.Pos())
		number, ok1 := call.Args[0].(*ast.BasicLit)
		code, ok2 := call.Args[1].(*ast.BasicLit)
		if !ok1 || !ok2 || number.Kind != token.INT || code.Kind != token.STRING {
			problems = append(problems, fmt.Sprintf("%s: write the number and the code of a refusal as literals, so that a search finds them", where))
			return true
		}
		n64, err := strconv.Atoi(strings.ReplaceAll(number.Value, "_", ""))
		text, err2 := strconv.Unquote(code.Value)
		if err != nil || err2 != nil {
			problems = append(problems, fmt.Sprintf("%s: number or code of a refusal cannot be read", where))
			return true
		}
		found = append(found, refusal{where.String(), path.Dir(name), n64, text})
		return true
	})
	return found, problems
}

var refusalCode = regexp.MustCompile(`^E_[A-Z0-9]+(_[A-Z0-9]+)*$`)

func checkRefusals(all []refusal) []string {
	var findings []string
	add := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	numbers := map[int]refusal{}
	codes := map[string]refusal{}
	hundreds := map[int]string{}
	for _, r := range all {
		if old, ok := numbers[r.number]; ok {
			add("%s: refusal %d is declared before at %s; numbers are permanent, take the next free one", r.where, r.number, old.where)
		}
		if old, ok := codes[r.code]; ok {
			add("%s: refusal %s is declared before at %s; export that one or choose another code", r.where, r.code, old.where)
		}
		if !refusalCode.MatchString(r.code) {
			add("%s: %q is no code of a refusal; write E_ and capitals", r.where, r.code)
		}
		hundred := r.number / 100
		if dir, ok := hundreds[hundred]; ok && dir != r.dir {
			add("%s: numbers %d–%d belong to %s; a number is module × 100 + n", r.where, hundred*100, hundred*100+99, dir)
		}
		numbers[r.number], codes[r.code] = r, r
		if hundreds[hundred] == "" {
			hundreds[hundred] = r.dir
		}
		if name, ok := strings.CutPrefix(r.dir, "x/"); ok && slices.Contains(moduleOrder, name) && !strings.Contains(r.where, "/errors.go:") {
			add("%s: refusals of a module are declared in its errors.go", r.where)
		}
	}
	return findings
}

// TestRefusalsUsed: a refusal that nothing gives is a promise that nobody keeps.
func TestRefusalsUsed(t *testing.T) {
	fset := token.NewFileSet()
	declared := map[string]map[string]string{} // package name → variable → where
	used := map[string]bool{}                  // "package.variable"
	for _, f := range files(t) {
		if path.Ext(f.name) != ".go" || f.test() || f.generated() || strings.HasPrefix(f.name, "scripts/") {
			continue
		}
		syntax := parse(t, fset, f)
		own := syntax.Name.Name
		declaring := map[*ast.Ident]bool{}
		for _, decl := range syntax.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR || !strings.HasPrefix(f.name, "x/") {
				continue
			}
			for _, spec := range gen.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i >= len(v.Values) || !declaresRefusal(v.Values[i]) || name.Name == "_" {
						continue
					}
					if declared[own] == nil {
						declared[own] = map[string]string{}
					}
					declared[own][name.Name] = fset.Position(name.Pos()).String()
					declaring[name] = true
				}
			}
		}
		ast.Inspect(syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					used[x.Name+"."+n.Sel.Name] = true
				}
			case *ast.Ident:
				if !declaring[n] {
					used[own+"."+n.Name] = true
				}
			}
			return true
		})
	}
	for name, vars := range declared {
		for v, where := range vars {
			if !used[name+"."+v] {
				t.Errorf("%s: nothing gives %s.%s; use it, or retire its number with \"_ = x.Reject(…)\"", where, name, v)
			}
		}
	}
}

func declaresRefusal(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		x, ok := fun.X.(*ast.Ident)
		return ok && x.Name == "x" && fun.Sel.Name == "Reject"
	case *ast.Ident:
		return fun.Name == "Reject"
	}
	return false
}

// TestModuleRulesBite: refusals that collide are found.
func TestModuleRulesBite(t *testing.T) {
	got := checkRefusals([]refusal{
		{"x/a/errors.go:1", "x/a", 301, "E_ONE"},
		{"x/a/errors.go:2", "x/a", 301, "E_TWO"},   // number taken
		{"x/b/errors.go:1", "x/b", 401, "E_ONE"},   // code taken
		{"x/b/errors.go:2", "x/b", 302, "E_THREE"}, // another module's hundred
		{"x/b/errors.go:3", "x/b", 402, "four"},    // no code
		{"x/repair/state.go:3", "x/repair", 901, "E_FIVE"},
	})
	if len(got) != 5 {
		t.Errorf("got %d findings, want 5:\n%s", len(got), strings.Join(got, "\n"))
	}
	if body := msgMessage.FindStringSubmatch("message Msg {\n  oneof sum {\n    Propose propose = 1;\n    GrantMandate grant_mandate = 3;\n  }\n}"); body == nil ||
		len(msgCase.FindAllString(body[1], -1)) != 2 || camel("grant_mandate") != "GrantMandate" {
		t.Error("the cases of Msg are not found")
	}
}
