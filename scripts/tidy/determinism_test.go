package tidy

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Folders whose code every node must run to the same result, bit for bit.
var deterministic = []string{"proto/xinlian/v1", "x/...", "app", "app/state/..."}

// Of a package's two ways to be different on two machines, these are the ones
// that a reader can see: order, chance, clock, rounding, surroundings.
const (
	ruleClock  = "clock"
	ruleGo     = "goroutine"
	ruleSelect = "select"
	ruleFloat  = "float"
	ruleMap    = "map range"
	ruleEnv    = "environment"
	ruleBytes  = "[]byte variable"
	ruleChance = "chance"
	ruleOutput = "output"
)

var instead = map[string]string{
	ruleClock:  "take the time from x.Ctx (legal or block time) or as an argument",
	ruleGo:     "compute in line; only what computes and never orders may run beside (list it in exemptions with the reason)",
	ruleSelect: "which case runs is chance; receive in a fixed order",
	ruleFloat:  "rounding differs between machines; use integers (fen, days, basis points)",
	ruleMap:    "the order is chance; sort the keys (slices.Sorted(maps.Keys(m))) or, where it cannot matter, say why in a // DETERMINISM: comment on the line above",
	ruleEnv:    "rules may not see where they run; make it a parameter on chain or node configuration",
	ruleBytes:  "anyone can change its elements; make it a string constant",
	ruleChance: "chance has no place in consensus; derive it from what is on chain",
	ruleOutput: "return it, or emit an event; node logs",
}

// exemptions: code in deterministic folders that may do what the others may
// not, because its result does not depend on it. An exemption that nothing
// needs any more fails.
var exemptions = []struct{ file, rule, reason string }{
	{"app/signatures.go", ruleGo, "the gate's pool checks signatures ahead of the serial gate, which asks again; it remembers and orders nothing"},
	{"app/app.go", ruleEnv, "the number of workers of that pool changes how long a block takes, never what is in it"},
	{"app/replay.go", ruleEnv, "as in app.go: the number of workers of the pool of signatures"},
	{"app/snapshot.go", ruleGo, "a snapshot is made beside the blocks from a height that does not change; nothing of it comes back"},
	{"app/check.go", ruleGo, "the checks of fsck read a committed height side by side; the first of them that fails is named, whichever ended first"},
	{"app/check.go", ruleEnv, "how many of these checks run at a time"},
	{"app/prints.go", ruleChance, "fsck and an auditor compare sums of keyed hashes: their keys must be ones that nobody could choose rows for; only whether they agree is told"},
	{"app/commit.go", ruleSelect, "a caller waits for an outcome after the commit; no rule reads who waits"},
	{"app/ahead.go", ruleGo, "rows of a committed height are read ahead of the rules side by side; rows that are not read ahead are read then"},
	{"app/commit.go", ruleGo, "a block whose rows are decided is written while the next is executed on top of them; the next is staged when it is written"},
	{"app/refresh.go", ruleGo, "standings of touched subjects are made side by side over rows that nobody writes; one writes them, in order"},
	{"app/state/compact.go", ruleFloat, "Badger's ratio for its value log, on a stopped node; what a file takes is no part of the state"},
	{"app/state/forest.go", ruleEnv, "with one thread nothing is split; what is computed is the same"},
	{"app/state/binding.go", ruleGo, "leaves are computed from rows side by side, each into its place; the list is sorted"},
	{"app/state/binding.go", ruleEnv, "as in forest.go: how many compute leaves at a time"},
	{"app/state/forest.go", ruleGo, "the tree's split: parts that share no new node are made side by side; nothing is ordered"},
	{"app/state/scan.go", ruleGo, "leaves are computed from rows side by side and sorted before anybody sees them; the root of all of them is compared"},
	{"app/state/treefile.go", ruleGo, "an image of a version that does not change is written beside the blocks; what is read from it must have the marker's root"},
}

var clockFuncs = map[string]bool{
	"Now": true, "Since": true, "Until": true, "After": true, "AfterFunc": true, "Tick": true, "NewTicker": true, "NewTimer": true,
	"Sleep": true, "LoadLocation": true, "Local": true,
}

var envFuncs = map[string]bool{
	"Getenv": true, "LookupEnv": true, "Environ": true, "ExpandEnv": true, "Hostname": true, "Getpid": true, "Getwd": true, "UserHomeDir": true,
}

// A finding of the scan.
type finding struct {
	file string
	line int
	rule string
	what string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s; %s", f.file, f.line, f.rule, f.what, instead[f.rule])
}

// TestDeterminism scans all code that takes part in consensus.
func TestDeterminism(t *testing.T) {
	g := packages(t)
	l, err := newLoader(g)
	if err != nil {
		t.Fatal(err)
	}
	used := map[int]bool{}
	for _, p := range g.ours() {
		if !matchesAny(deterministic, p.local()) || harness(p.local()) {
			continue
		}
		checked, err := l.load(p)
		if err != nil {
			t.Errorf("%s: %v", p.local(), err)
			continue
		}
		for _, f := range checked.scan(l.fset) {
			i := slices.IndexFunc(exemptions, func(e struct{ file, rule, reason string }) bool { return e.file == f.file && e.rule == f.rule })
			if i >= 0 {
				used[i] = true
				continue
			}
			t.Error(f)
		}
	}
	for i, e := range exemptions {
		if !used[i] {
			t.Errorf("exemption %s (%s) is not needed any more; remove it", e.file, e.rule)
		}
		if len(e.reason) < 20 {
			t.Errorf("exemption %s (%s) needs a reason", e.file, e.rule)
		}
	}
}

// A loader checks the types of this module's packages from source. The
// standard library comes from the compiler's export data. Of others' packages
// only the declarations are read, one step deep: more would mean building the
// consensus engine for this test alone, and an expression whose type is then
// still unknown is treated as suspect where it matters.
type loader struct {
	fset   *token.FileSet
	graph  graph
	std    types.Importer
	loaded map[string]*checked
}

type checked struct {
	files []*ast.File
	info  *types.Info
	types *types.Package
}

func newLoader(g graph) (*loader, error) {
	wanted := map[string]bool{}
	for _, p := range g.ours() {
		for _, imported := range p.Imports {
			if g.standard(imported) && imported != "C" && imported != "unsafe" {
				wanted[imported] = true
			}
		}
	}
	args := []string{"-export", "-json=ImportPath,Export"}
	for importPath := range wanted {
		args = append(args, importPath)
	}
	export := map[string]string{}
	if len(wanted) > 0 {
		pkgs, err := list(args...)
		if err != nil {
			return nil, err
		}
		for _, p := range pkgs {
			export[p.ImportPath] = p.Export
		}
	}
	fset := token.NewFileSet()
	return &loader{
		fset:   fset,
		graph:  g,
		loaded: map[string]*checked{},
		std: importer.ForCompiler(fset, "gc", func(importPath string) (io.ReadCloser, error) {
			if export[importPath] == "" {
				return nil, errors.New("no export data for " + importPath)
			}
			return os.Open(export[importPath])
		}),
	}, nil
}

// Import makes loader a types.Importer.
func (l *loader) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	p := l.graph[importPath]
	switch {
	case p != nil && p.local() != "":
		c, err := l.load(p)
		if err != nil {
			return nil, err
		}
		return c.types, nil
	case l.graph.standard(importPath):
		return l.std.Import(importPath)
	}
	return l.outside(importPath), nil
}

// outside declares a package of others: its own types and functions, without
// their bodies, over empty packages in the place of what it imports in turn.
func (l *loader) outside(importPath string) *types.Package {
	if c, ok := l.loaded[importPath]; ok {
		return c.types
	}
	p := l.graph[importPath]
	var syntax []*ast.File
	if p != nil {
		for _, name := range p.GoFiles {
			// A file that cannot be read or parsed declares nothing; the compiler will say so.
			if f, err := parser.ParseFile(l.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution); err == nil {
				syntax = append(syntax, f)
			}
		}
	}
	c := &checked{}
	conf := types.Config{Importer: hollow{l}, IgnoreFuncBodies: true, FakeImportC: true, Error: func(error) {}}
	c.types, _ = conf.Check(importPath, l.fset, syntax, nil)
	c.types.MarkComplete()
	l.loaded[importPath] = c
	return c.types
}

// hollow imports the standard library as it is and all else empty.
type hollow struct{ l *loader }

func (h hollow) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if h.l.graph.standard(importPath) {
		return h.l.std.Import(importPath)
	}
	name := path.Base(importPath)
	if regexp.MustCompile(`^v\d+$`).MatchString(name) {
		name = path.Base(path.Dir(importPath))
	}
	if p := h.l.graph[importPath]; p != nil && p.Name != "" {
		name = p.Name
	}
	empty := types.NewPackage(importPath, name)
	empty.MarkComplete()
	return empty, nil
}

func (l *loader) load(p *pkg) (*checked, error) {
	if c, ok := l.loaded[p.ImportPath]; ok {
		if c == nil {
			return nil, fmt.Errorf("import cycle at %s", p.ImportPath)
		}
		return c, nil
	}
	l.loaded[p.ImportPath] = nil
	var syntax []*ast.File
	for _, name := range p.GoFiles {
		full := path.Join(p.local(), name)
		data, err := os.ReadFile(path.Join(root, full))
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(l.fset, full, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		syntax = append(syntax, f)
	}
	c := check(p.ImportPath, l.fset, syntax, l)
	l.loaded[p.ImportPath] = c
	return c, nil
}

// check never fails: what does not resolve has an invalid type. Whether the
// code compiles is the compiler's business.
func check(importPath string, fset *token.FileSet, syntax []*ast.File, imp types.Importer) *checked {
	c := &checked{files: syntax, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
		Defs:  map[*ast.Ident]types.Object{},
	}}
	conf := types.Config{Importer: imp, Error: func(error) {}}
	c.types, _ = conf.Check(importPath, fset, syntax, c.info)
	return c
}

func (c *checked) scan(fset *token.FileSet) []finding {
	var all []finding
	for _, f := range c.files {
		name := fset.Position(f.Package).Filename
		if strings.HasSuffix(name, ".pb.go") {
			continue
		}
		seen := map[finding]bool{}
		argued := determinismComments(fset, f)
		add := func(pos token.Pos, rule, format string, args ...any) {
			found := finding{name, fset.Position(pos).Line, rule, fmt.Sprintf(format, args...)}
			key := finding{name, found.line, rule, ""} // one per line and rule
			if !seen[key] {
				seen[key] = true
				all = append(all, found)
			}
		}
		c.scanFile(f, argued, fset, add)
	}
	return all
}

func (c *checked) scanFile(f *ast.File, argued map[int]bool, fset *token.FileSet, add func(token.Pos, string, string, ...any)) {
	for _, spec := range f.Imports {
		switch strings.Trim(spec.Path.Value, `"`) {
		case "math/rand", "math/rand/v2", "crypto/rand", "hash/maphash":
			add(spec.Pos(), ruleChance, "imports %s", spec.Path.Value)
		}
	}
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if obj := c.info.Defs[name]; obj != nil && isByteSlice(obj.Type()) {
					add(name.Pos(), ruleBytes, "package variable %s", name.Name)
				}
			}
		}
	}
	// Calls that put the keys of a map into order at once.
	sorted := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n.Pos(), ruleGo, "go statement")
		case *ast.SelectStmt:
			add(n.Pos(), ruleSelect, "select statement")
		case *ast.BasicLit:
			if n.Kind == token.FLOAT || n.Kind == token.IMAG {
				add(n.Pos(), ruleFloat, "literal %s", n.Value)
			}
		case *ast.RangeStmt:
			line := fset.Position(n.Pos()).Line
			switch t := c.info.Types[n.X].Type; {
			case argued[line]:
			case t == nil || t == types.Typ[types.Invalid]:
				add(n.Pos(), ruleMap, "ranges over something whose type this test cannot see (a package of others); give it a declared type first")
			case isMap(t):
				add(n.Pos(), ruleMap, "ranges over a map")
			}
		case *ast.CallExpr:
			if pkg, name := c.selected(n.Fun); pkg == "slices" && strings.HasPrefix(name, "Sorted") && len(n.Args) > 0 {
				sorted[n.Args[0]] = true
			}
			pkg, name := c.selected(n.Fun)
			if pkg == "maps" && (name == "Keys" || name == "Values" || name == "All") && !sorted[n] && !argued[fset.Position(n.Pos()).Line] {
				add(n.Pos(), ruleMap, "maps.%s gives no order", name)
			}
			if pkg == "reflect" && (name == "MapKeys" || name == "MapRange") || pkg == "sync" && name == "Range" {
				add(n.Pos(), ruleMap, "%s.%s gives no order", pkg, name)
			}
		case *ast.SelectorExpr:
			pkg, name := c.selected(n)
			switch {
			case pkg == "time" && clockFuncs[name]:
				add(n.Pos(), ruleClock, "time.%s", name)
			case pkg == "os" && envFuncs[name]:
				add(n.Pos(), ruleEnv, "os.%s", name)
			case pkg == "fmt" && strings.HasPrefix(name, "Print"):
				add(n.Pos(), ruleOutput, "fmt.%s", name)
			case pkg == "sync" && name == "Go":
				add(n.Pos(), ruleGo, "WaitGroup.Go")
			case pkg == "runtime" && (name == "NumCPU" || name == "GOMAXPROCS"):
				add(n.Pos(), ruleEnv, "runtime.%s", name)
			}
		}
		if e, ok := n.(ast.Expr); ok {
			if tv, ok := c.info.Types[e]; ok && isFloat(tv.Type) {
				add(e.Pos(), ruleFloat, "%s", types.ExprString(e))
			}
		}
		return true
	})
}

// selected gives package and name of what a selector means: a function of a
// package, or a method of one of its types.
func (c *checked) selected(e ast.Expr) (pkg, name string) {
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	obj := c.info.Uses[s.Sel]
	if obj == nil || obj.Pkg() == nil {
		return "", ""
	}
	if pkg := obj.Pkg().Path(); pkg != "time" {
		return pkg, obj.Name()
	}
	// time.Time has methods called After and Local; the first compares two given times.
	if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil && obj.Name() != "Local" {
		return "", ""
	}
	return "time", obj.Name()
}

func isMap(t types.Type) bool {
	if p, ok := t.(*types.TypeParam); ok {
		t = p.Constraint()
		if u, ok := t.Underlying().(*types.Interface); ok {
			for i := range u.NumEmbeddeds() {
				if union, ok := u.EmbeddedType(i).(*types.Union); ok {
					for j := range union.Len() {
						if isMap(union.Term(j).Type()) {
							return true
						}
					}
				}
			}
		}
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

func isByteSlice(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	if inner, ok := s.Elem().Underlying().(*types.Slice); ok {
		s = inner
	}
	b, ok := s.Elem().Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uint8
}

var determinismComment = regexp.MustCompile(`DETERMINISM: \S.{9,}`)

// determinismComments gives the lines that such a comment argues for: its last
// line and the one below it.
func determinismComments(fset *token.FileSet, f *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range f.Comments {
		var text strings.Builder
		for _, c := range group.List {
			text.WriteString(c.Text + " ")
		}
		if determinismComment.MatchString(text.String()) {
			end := fset.Position(group.End()).Line
			lines[end], lines[end+1] = true, true
		}
	}
	return lines
}

// TestDeterminismRulesBite shows each rule code that breaks it, and code that
// looks like it and does not.
func TestDeterminismRulesBite(t *testing.T) {
	const bad = `package p

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"slices"
	"sync"; "time"
)

var prefix = []byte("S")

type fees map[string]int

func f(m map[string]int, g fees, d time.Duration, a, b time.Time, c chan int) int64 {
	_ = time.Now()
	_ = os.Getenv("HOME")
	_ = rand.Int()
	go f(nil, nil, 0, a, b, nil)
	select {
	case <-c:
	}
	x := float64(3)
	for range m {
	}
	for range g {
	}
	_ = slices.Collect(maps.Keys(m))
	if d.Seconds() > 2 {
	}
	_ = x
	_ = a.Local()
	fmt.Println(x)
	return 1e3
}

func ranges[M ~map[K]V, K comparable, V any](m M) {
	for range m {
	}
	new(sync.WaitGroup).Go(func() {})
}
`
	const good = `package p

import (
	"maps"
	"slices"
	"time"
)

const prefix = "S"

func f(m map[string]int, a, b time.Time, rows []string) bool {
	// DETERMINISM: only counts, the order cannot matter.
	for range m {
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		_ = k
	}
	for range rows {
	}
	for range 3 {
	}
	return a.After(b) && 7/2 == 3
}
`
	g := graph{}
	for _, p := range []string{"fmt", "maps", "math/rand", "os", "slices", "sync", "time"} {
		g[p] = &pkg{ImportPath: p, Standard: true}
	}
	g[module+"/p"] = &pkg{ImportPath: module + "/p", GoFiles: []string{"p.go"}, Imports: []string{"fmt", "maps", "math/rand", "os", "slices", "sync", "time"}}
	l, err := newLoader(g)
	if err != nil {
		t.Fatal(err)
	}
	scan := func(name, source string) map[string][]int {
		f, err := parser.ParseFile(l.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		lines := map[string][]int{}
		for _, found := range check("p", l.fset, []*ast.File{f}, l).scan(l.fset) {
			lines[found.rule] = append(lines[found.rule], found.line)
		}
		for _, l := range lines {
			slices.Sort(l)
		}
		return lines
	}
	want := map[string][]int{
		ruleChance: {6},
		ruleBytes:  {12},
		ruleClock:  {17, 33},
		ruleEnv:    {18},
		ruleGo:     {20, 41},
		ruleSelect: {21},
		ruleFloat:  {24, 30, 32, 34, 35},
		ruleMap:    {25, 27, 29, 39},
		ruleOutput: {34},
	}
	got := scan("bad.go", bad)
	for rule, lines := range want {
		if !slices.Equal(got[rule], lines) {
			t.Errorf("%s: found at lines %v, want %v", rule, got[rule], lines)
		}
	}
	if got := scan("good.go", good); len(got) != 0 {
		t.Errorf("harmless code was reported: %v", got)
	}
}
