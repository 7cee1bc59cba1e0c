// Command mutate removes each guard of the rules, or of the verifier, once and asks whether a test sees it.
//
// A guard (守卫条件) is a condition whose body refuses: an `if` or a `case` of a rule, of a store of the gateway or of the verifier, that ends in returning a refusal; in
// app/pack.go, one that halts the node. One build is
// instrumented by an overlay, so that the repository's files stay as they are: each guard reads "the condition, and I am not the mutant", where the
// mutant is a number from the environment. A first run of each test writes down which guards refused in it; a mutant is then tried only against
// tests in which its guard refused, the quickest first, until one fails.
//
//	scripts/dev mutate [DIR [-only REGEXP] [-jobs N]]
//	scripts/dev mutate-proof [DIR …]: the verifier (x/attest), by its own tests alone
//	cd scripts/tools && go run ./mutate -dir DIR -in REGEXP -tests REGEXP: a part, to look at
//
// DIR keeps build and results: a run that was stopped goes on where it was, a guard is tried again when its text or its function's changed. GUARDS.md and
// PROOF.md are the lists.
//
// Trust: whoever can change this can at most hide that a guard has no test.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const module = "github.com/xinlian-ledger/xinlian"

// packages are those that hold guards, or files of one.
var packages = strings.Fields("x/commitment x/fulfillment x/sanction x/measure x/leniency x/repair x/objection x/inspection x/catalog x/member x/governance x/subject " +
	"x/incentive x/consent app/pack.go node/watch node/receipt")

// proofs are the packages of the verifier. Their guards are tried against their own tests alone.
var proofs = strings.Fields("x/attest x/attest/tree")

// invariants are functions outside invariants.go that hold the state against an invariant: they refuse nothing to anybody.
var invariants = map[string]bool{
	"checkFile": true, "checkAttention": true, "checkPlans": true, "checkFines": true, "checkPropagations": true, "checkDestroyed": true, "checkMeasures": true,
	"checkSize": true,
}

// reasons say why a guard has no test, by its function and condition.
var reasons = map[string]string{
	"Add p.Candidates > candidatesMax":                "a bound that no test fills",
	"checkTemplateChange n >= templatesMax":           "a bound that no test fills",
	"checkBusinessItemChange n >= businessItemsMax":   "a bound that no test fills",
	"checkIncentiveListChange n >= incentiveListsMax": "a bound that no test fills",
	"checkMeasureItemChange n >= measureItemsMax":     "a bound that no test fills",
	"checkListStandardChange n >= listStandardsMax":   "a bound that no test fills",
	"CheckPut _, known := r.Get(x.Key(holders.Prefix, []byte(m.Uscc))); holds(m) && !known && len(Holders(r)) >= holdersMax": "a bound that no test fills",
	"Refile int32(ctx.Today) > a.SupplementBy": "the timer of the same day comes first, unless more than timers_per_block are due",
	// Of the verifier.
	"NewValidatorSet len(v.PubKey) != keyBytes":                           "the form of the set is checked after it",
	"Covers err != nil":                                                   "the root is zero then, which no row has",
	"DecodeBundle err := decode(raw, b); err != nil":                      "what is decoded after it has a nil message then; Verify, which says the same, is tested",
	"TrimCommit err := checkSetForm(set); err != nil":                     "whoever makes bundles calls it, no verifier",
	"TrimCommit len(v.Signature) != sigBytes":                             "whoever makes bundles calls it, no verifier",
	"checkSignatures err := batch.Add(key, msg, sig); err != nil":         "the form of keys and signatures has been checked",
	"boundBlock err != nil":                                               "a later step refuses it with the same code",
	"checkMembers n := len(members) / memberBytes; n > pb.PackMembersMax": "a bound that no test fills",
	"ApplyDelta err := checkPackForm(&d.Pack); err != nil":                "the parts have been checked, and what merge gives ascends",
	"decodeDelta err := checkPackForm(&d.Pack); err != nil":               "ApplyDelta checks the pack again",
	`parseStamp err := unmarshal(set, &attrs, "set"); err != nil`:         "a later step refuses it with the same code",
	`key unmarshal(f.Algorithm.Parameters.FullBytes, &curve, "") != nil`:  "a later step refuses it with the same code",
	"key default":                                 "a later step refuses it with the same code",
	"firstOf errors.As(err, &many)":               "it chooses words",
	"NewVerifier key, err := a.key(); err != nil": "Check has read the key",
	"checkState root, err := tree.RootOf(claims, tree.Proof{Shape: b.Shape, Hashes: b.Hashes}); err != nil": "the root is that of the empty tree then, which is refused with the same code",
	"state s, err := readStanding(e); err != nil":                                                           "DecodeBundle has read the standing",

	"visit branch, err := w.bit(); err != nil":   "a later step refuses it with the same code",
	"terminal leaf, err := w.bit(); err != nil":  "a later step refuses it with the same code",
	"terminal path, err := w.hash(); err != nil": "a later step refuses it with the same code",
}

// hook is the package x/mutant, which the overlay adds.
const hook = `package mutant

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutant, _ = strconv.Atoi(os.Getenv("XINLIAN_MUTANT"))
	fired     [1 << 13]atomic.Bool
)

// Guard says whether guard n refuses, and writes down that it did.
func Guard(n int, refuses bool) bool {
	if refuses && !fired[n].Swap(true) {
		if name := os.Getenv("XINLIAN_FIRED"); name != "" {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				panic(err)
			}
			if _, err := f.WriteString(strconv.Itoa(n) + "\n"); err != nil {
				panic(err)
			}
			f.Close()
		}
	}
	return refuses && n != mutant
}
`

// guard is a condition whose body refuses.
type guard struct {
	N        int
	File     string // from the top of the repository
	Line     int
	Func     string
	Cond     string // source of the condition, or what the case is
	key      string // what a result is kept under
	By       string `json:",omitempty"` // the test that saw that it was gone
	Verdict  string // caught, survived, unreached
	Duration float64
}

// edit replaces text at an offset.
type edit struct {
	from, to int
	with     string
}

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "", "folder for build and results")
	out := flag.String("out", "", "write the list there")
	only := flag.String("only", "", "try guards whose file:line matches")
	jobs := flag.Int("jobs", 1, "tests at once")
	in := flag.String("in", "", "look at packages that match alone")
	tests := flag.String("tests", "", "run tests that match alone")
	proof := flag.Bool("proof", false, "guards of the verifier, not of the rules")
	flag.Parse()
	if *proof {
		packages = proofs
	}
	if *out != "" && *in+*tests != "" {
		log.Fatal("mutate: a part is no list: -out goes without -in and -tests")
	}
	some := regexp.MustCompile(*in)
	packages = slices.DeleteFunc(packages, func(p string) bool { return !some.MatchString(p) })
	if *dir == "" {
		log.Fatal("mutate: -dir DIR")
	}
	top, err := filepath.Abs("../..")
	check(err)
	check(os.MkdirAll(*dir, 0o755))
	*dir, err = filepath.Abs(*dir)
	check(err)

	guards := instrument(top, *dir)
	r := &runner{top: top, dir: *dir, proof: *proof, tests: regexp.MustCompile(*tests)}
	r.build()
	r.reach()
	match := regexp.MustCompile(*only)
	done := r.results()
	var wg sync.WaitGroup
	slots := make(chan struct{}, *jobs)
	for i := range guards {
		g := &guards[i]
		if old, ok := done[g.key]; ok {
			g.By, g.Verdict = old.By, old.Verdict
			continue
		}
		if !match.MatchString(fmt.Sprintf("%s:%d", g.File, g.Line)) {
			continue
		}
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			r.try(g)
		}()
	}
	wg.Wait()
	list := report(guards, *proof)
	if *out != "" {
		check(os.WriteFile(*out, list, 0o644))
	} else {
		os.Stdout.Write(list)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal("mutate: ", err)
	}
}

// instrument finds the guards and writes the overlay.
func instrument(top, dir string) (guards []guard) {
	overlay := map[string]string{}
	add := func(path, text string) {
		name := filepath.Join(dir, "overlay", strings.ReplaceAll(strings.TrimPrefix(path, top), "/", "_"))
		check(os.MkdirAll(filepath.Dir(name), 0o755))
		if old, err := os.ReadFile(name); err != nil || string(old) != text {
			check(os.WriteFile(name, []byte(text), 0o644))
		}
		overlay[path] = name
	}
	add(filepath.Join(top, "x", "mutant", "hook.go"), hook)
	for _, p := range packages {
		one, all := filepath.Join(top, p), filepath.Join(top, p, "*.go")
		if strings.HasSuffix(p, ".go") {
			all = one
		}
		files, err := filepath.Glob(all)
		check(err)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "invariants.go") {
				continue
			}
			src, err := os.ReadFile(path)
			check(err)
			f := &finder{halts: p == "app/pack.go", proof: slices.Contains(proofs, p), src: src, set: token.NewFileSet(), next: len(guards) + 1}
			f.file = strings.TrimPrefix(path, top+"/")
			f.tree, err = parser.ParseFile(f.set, path, src, parser.SkipObjectResolution)
			check(err)
			f.find()
			if len(f.guards) > 0 {
				guards = append(guards, f.guards...)
				add(path, f.rewritten())
			}
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	check(err)
	check(os.WriteFile(filepath.Join(dir, "overlay.json"), text, 0o644))
	return guards
}

// finder finds the guards of a file.
type finder struct {
	halts  bool // its guards halt the node
	proof  bool // it is of the verifier
	file   string
	src    []byte
	set    *token.FileSet
	tree   *ast.File
	next   int
	guards []guard
	edits  []edit
}

func (f *finder) at(p token.Pos) int { return f.set.Position(p).Offset }

func (f *finder) text(n ast.Node) string { return string(f.src[f.at(n.Pos()):f.at(n.End())]) }

func (f *finder) find() {
	for _, d := range f.tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil || !f.mayRefuse(fn) || invariants[fn.Name.Name] {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.IfStmt:
				if f.refuses(fn, n.Body.List) {
					said := f.text(n.Cond)
					switch {
					case n.Init != nil:
						said = f.text(n.Init) + "; " + said
					case said == "err != nil": // what gave the error stands on the line before
						lines := strings.Split(string(f.src[:f.at(n.Pos())]), "\n")
						said = strings.TrimSpace(lines[max(0, len(lines)-2)]) + "; " + said
					}
					f.guard(fn, n.Cond, said)
				}
			case *ast.SwitchStmt:
				f.cases(fn, n)
			}
			return true
		})
	}
}

// cases finds the guards among the cases of a switch. Without a tag a case is a condition; with one, and for the default, the body is made to depend.
func (f *finder) cases(fn *ast.FuncDecl, s *ast.SwitchStmt) {
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		switch {
		case !f.refuses(fn, clause.Body):
		case s.Tag == nil && len(clause.List) > 0:
			first, last := clause.List[0], clause.List[len(clause.List)-1]
			if len(clause.List) == 1 {
				f.guard(fn, first, f.text(first))
				continue
			}
			// Several conditions are one guard.
			n := f.note(fn, clause, string(f.src[f.at(first.Pos()):f.at(last.End())]))
			f.edits = append(f.edits, edit{f.at(first.Pos()), f.at(first.Pos()), fmt.Sprintf("mutant.Guard(%d, (", n)})
			for i := range clause.List[:len(clause.List)-1] {
				f.edits = append(f.edits, edit{f.at(clause.List[i].End()), f.at(clause.List[i+1].Pos()), ") || ("})
			}
			f.edits = append(f.edits, edit{f.at(last.End()), f.at(last.End()), "))"})
		default:
			what := "default"
			if len(clause.List) > 0 {
				what = "case " + string(f.src[f.at(clause.List[0].Pos()):f.at(clause.List[len(clause.List)-1].End())])
			}
			if s.Tag != nil {
				what = "switch " + f.text(s.Tag) + ": " + what
			}
			n := f.note(fn, clause, what)
			from, to := f.at(clause.Body[0].Pos()), f.at(clause.Body[len(clause.Body)-1].End())
			f.edits = append(f.edits, edit{from, from, fmt.Sprintf("if mutant.Guard(%d, true) { ", n)}, edit{to, to, " }"})
			if body := fn.Body.List; body[len(body)-1] == s { // it ended the function
				f.edits = append(f.edits, edit{f.at(s.End()), f.at(s.End()), "; panic(\"past the refusal\")"})
			}
		}
	}
}

func (f *finder) guard(fn *ast.FuncDecl, cond ast.Node, said string) {
	n, from, to := f.note(fn, cond, said), f.at(cond.Pos()), f.at(cond.End())
	f.edits = append(f.edits, edit{from, from, fmt.Sprintf("mutant.Guard(%d, ", n)}, edit{to, to, ")"})
}

// note adds a guard. Its result holds as long as the text of its function is the same.
func (f *finder) note(fn *ast.FuncDecl, at ast.Node, cond string) int {
	cond = strings.Join(strings.Fields(cond), " ")
	sum := sha256.Sum256([]byte(f.text(fn)))
	g := guard{N: f.next, File: f.file, Line: f.set.Position(at.Pos()).Line, Func: fn.Name.Name, Cond: cond}
	g.key = fmt.Sprintf("%s %s %x %d", g.File, g.Func, sum[:6], f.at(at.Pos())-f.at(fn.Pos()))
	f.guards = append(f.guards, g)
	f.next++
	return g.N
}

// mayRefuse says whether the last result of a function is an error.
func (f *finder) mayRefuse(fn *ast.FuncDecl) bool {
	r := fn.Type.Results
	if f.halts {
		return true
	}
	if r == nil || len(r.List) == 0 {
		return false
	}
	switch t := f.text(r.List[len(r.List)-1].Type); t {
	case "error", "*x.Rejection", "*Error":
		return true
	case "string": // why something does not fit
		return fn.Name.Name == "unfit" || f.proof && (strings.HasSuffix(fn.Name.Name, "Fault") || fn.Name.Name == "read" || fn.Name.Name == "judge")
	case "bool": // whether something is of its form, or signed
		return f.proof
	}
	return false
}

// refuses says whether statements end in a refusal: an error that is returned, or put into err.
func (f *finder) refuses(fn *ast.FuncDecl, body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	switch s := body[len(body)-1].(type) {
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && f.halts && strings.HasSuffix(f.text(call.Fun), "Faultf")
	case *ast.ReturnStmt:
		if len(s.Results) == 0 {
			return false
		}
		last := f.text(s.Results[len(s.Results)-1])
		if last == "nil" || last == `""` || last == "true" {
			return false
		}
		if call, ok := s.Results[len(s.Results)-1].(*ast.CallExpr); ok { // a rule that goes on is no refusal
			fun := f.text(call.Fun)
			if f.proof && refusing[fun] {
				return true
			}
			return strings.HasSuffix(fun, ".With") || strings.HasSuffix(fun, ".On") || strings.HasSuffix(fun, "Fault") || strings.HasPrefix(fun, "Err") || strings.HasPrefix(fun, "fmt.Errorf")
		}
		return true
	case *ast.AssignStmt:
		return len(body) == 1 && len(s.Lhs) == 1 && f.text(s.Lhs[0]) == "err" && strings.HasPrefix(f.text(s.Rhs[0]), "Err")
	}
	return false
}

// refusing are the functions by which the verifier refuses.
var refusing = map[string]bool{
	"invalid": true, "refusal": true, "bad": true, "none": true, "restrictedFault": true, "errors.New": true, "fmt.Errorf": true, "firstOf": true,
}

// rewritten is the file with its guards instrumented.
func (f *finder) rewritten() string {
	edits := f.edits
	edits = append(edits, edit{f.at(f.tree.Name.End()), f.at(f.tree.Name.End()), "; import \"" + module + "/x/mutant\""})
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].from < edits[j].from })
	var b bytes.Buffer
	last := 0
	for _, e := range edits {
		b.Write(f.src[last:e.from])
		b.WriteString(e.with)
		last = e.to
	}
	b.Write(f.src[last:])
	return b.String()
}

// unit is a test that is run by itself.
type unit struct {
	Binary, Run string
	Folder      string
	Seconds     float64
	Fired       []int
}

func (u *unit) name() string {
	return strings.Trim(strings.ReplaceAll(u.Binary+" "+u.Run, "$", ""), " ")
}

type runner struct {
	top, dir string
	proof    bool
	tests    *regexp.Regexp
	units    []*unit
	mu       sync.Mutex
}

// build makes the instrumented test programs.
func (r *runner) build() {
	var folders []string
	if !r.proof {
		folders = append(folders, filepath.Join(r.top, "app/apptest"), filepath.Join(r.top, "app"))
	}
	for _, p := range packages {
		d := filepath.Join(r.top, p)
		if tests, err := filepath.Glob(filepath.Join(d, "*_test.go")); err == nil && len(tests) > 0 {
			folders = append(folders, d)
		}
	}
	for _, d := range folders {
		name := filepath.Base(d)
		log.Printf("build the tests of %s", name)
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", filepath.Join(r.dir, "overlay.json"), "-o", filepath.Join(r.dir, name+".test"), ".")
		cmd.Dir, cmd.Stderr, cmd.Stdout = d, os.Stderr, os.Stderr
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
		check(cmd.Run())
		if name == "app" || r.proof {
			r.list(name, d)
			continue
		}
		if name != "apptest" {
			r.units = append(r.units, &unit{Binary: name, Run: ".", Folder: d})
			continue
		}
		scripts, err := os.ReadDir(filepath.Join(d, "testdata/scripts"))
		check(err)
		for _, s := range scripts {
			r.units = append(r.units, &unit{Binary: name, Run: "^TestScripts$/^" + s.Name() + "$", Folder: d})
		}
		for seed := range 4 {
			r.units = append(r.units, &unit{Binary: name, Run: fmt.Sprintf("^TestSimulation$/^seed=%d$", seed), Folder: d})
		}
		r.list(name, d)
	}
}

// list adds the tests of a program, each by itself. Scripts and seeds are listed by their names, and one test runs all scripts.
func (r *runner) list(name, folder string) {
	list, err := exec.Command(filepath.Join(r.dir, name+".test"), "-test.list", "^Test").Output()
	check(err)
	for _, t := range strings.Fields(string(list)) {
		switch {
		case t == "TestScripts", t == "TestSimulation", t == "TestEveryRefusalIsReached", strings.HasPrefix(t, "TestLong"):
		default:
			r.units = append(r.units, &unit{Binary: name, Run: "^" + t + "$", Folder: folder})
		}
	}
}

// reach runs each test once and keeps which guards refused in it.
func (r *runner) reach() {
	name := filepath.Join(r.dir, "reach.json")
	fired := filepath.Join(r.dir, "fired")
	r.units = slices.DeleteFunc(r.units, func(u *unit) bool { return !r.tests.MatchString(u.name()) })
	for i, u := range r.units {
		os.Remove(fired)
		start := time.Now()
		if !r.run(u, "XINLIAN_FIRED="+fired) {
			log.Printf("%s fails without a mutation", u.name())
			continue
		}
		u.Seconds = time.Since(start).Seconds()
		text, _ := os.ReadFile(fired)
		for _, n := range strings.Fields(string(text)) {
			k, err := strconv.Atoi(n)
			check(err)
			u.Fired = append(u.Fired, k)
		}
		log.Printf("%d of %d: %s refused %d times, %.1f s", i+1, len(r.units), u.name(), len(u.Fired), u.Seconds)
	}
	text, err := json.Marshal(r.units)
	check(err)
	check(os.WriteFile(name, text, 0o644))
	sort.SliceStable(r.units, func(i, j int) bool { return r.units[i].Seconds < r.units[j].Seconds })
}

// run says whether a test passes.
func (r *runner) run(u *unit, env ...string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // a loop without end is seen, too
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(r.dir, u.Binary+".test"), "-test.run", u.Run, "-test.short", "-test.failfast")
	cmd.Dir = u.Folder
	cmd.Env = append(os.Environ(), env...)
	return cmd.Run() == nil
}

// try removes one guard.
func (r *runner) try(g *guard) {
	start := time.Now()
	g.Verdict = "unreached"
	for _, u := range r.units {
		if u.Seconds == 0 || !slices.Contains(u.Fired, g.N) {
			continue
		}
		g.Verdict = "survived"
		if !r.run(u, "XINLIAN_MUTANT="+strconv.Itoa(g.N)) {
			g.Verdict, g.By = "caught", u.name()
			break
		}
	}
	g.Duration = time.Since(start).Seconds()
	log.Printf("%s:%d %s: %s %s", g.File, g.Line, g.Cond, g.Verdict, g.By)
	if g.Verdict != "caught" {
		return // tried again when there are more tests
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(r.dir, "results"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	check(err)
	fmt.Fprintf(f, "%s\t%s\t%s\n", g.key, g.Verdict, g.By)
	check(f.Close())
}

// results reads what earlier runs found.
func (r *runner) results() map[string]guard {
	out := map[string]guard{}
	text, _ := os.ReadFile(filepath.Join(r.dir, "results"))
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Split(line, "\t"); len(f) == 3 {
			out[f[0]] = guard{Verdict: f[1], By: f[2]}
		}
	}
	return out
}

// report is the list for people.
func report(guards []guard, proof bool) []byte {
	var b bytes.Buffer
	count := map[string]int{}
	for _, g := range guards {
		count[g.Verdict]++
	}
	what, verb := "rules", "mutate"
	if proof {
		what, verb = "verifier", "mutate-proof"
	}
	fmt.Fprintf(&b, "# Guards of the %s\n\nEach guard removed once (`scripts/dev %s`): %d guards, %d caught by a test, %d not caught, %d that no test reached, %d not tried.\n",
		what, verb, len(guards), count["caught"], count["survived"], count["unreached"], count[""])
	cell := func(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
	file := ""
	for _, g := range guards {
		if g.File != file {
			file = g.File
			fmt.Fprintf(&b, "\n## %s\n\n| line | in | guard | caught by |\n|---|---|---|---|\n", file)
		}
		by := g.By
		switch g.Verdict {
		case "survived":
			by = strings.TrimSuffix("**NOT caught**: "+reasons[g.Func+" "+g.Cond], ": ")
		case "unreached":
			by = strings.TrimSuffix("**NOT reached**: "+reasons[g.Func+" "+g.Cond], ": ")
		case "":
			by = "not tried"
		}
		fmt.Fprintf(&b, "| %d | %s | `%s` | %s |\n", g.Line, g.Func, cell(g.Cond), cell(strings.TrimPrefix(by, "apptest ")))
	}
	return b.Bytes()
}
