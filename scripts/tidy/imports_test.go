package tidy

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// Modules in the order of knowledge: each may know those before it and no
// other. A new module takes one place in this list.
var moduleOrder = []string{
	"member", "governance", "catalog", "subject", "commitment", "fulfillment", "measure", "sanction", "leniency", "repair",
	"objection", "incentive", "inspection", "consent", "trace", "receivable", "standing",
}

const (
	pbPath     = module + "/proto/xinlian/v1"
	xPath      = module + "/x"
	codePath   = module + "/x/code"
	calPath    = module + "/x/calendar"
	attestPath = module + "/x/attest"
	treePath   = module + "/x/attest/tree"
	statePath  = module + "/app/state"

	cometbft = "github.com/cometbft/cometbft"
	badger   = "github.com/dgraph-io/badger/..."
	ethereum = "github.com/ethereum/go-ethereum/..."
)

// What CometBFT's key and header types bring with them; nothing else of it may
// be linked into a verifier.
var cometbftForVerifier = []string{
	cometbft + "/proto/tendermint/...",
	cometbft + "/crypto", cometbft + "/crypto/merkle", cometbft + "/crypto/ed25519", cometbft + "/crypto/tmhash",
	cometbft + "/libs/bytes", cometbft + "/libs/json", cometbft + "/libs/sync",
}

// Parts of the standard library that reach outside the process or differ
// between machines. Rules get all that they may know from x.Ctx.
var impure = []string{
	"crypto/rand", "log/...", "math/rand/...", "net/...", "os/...", "plugin", "runtime/...", "syscall", "testing/...", "unsafe",
}

// A harness is a package that only tests link; its name ends in "test". It may
// import what tests may, and nothing that runs in production may import it.
// Below x/attest there is none: what its users see with `go list -deps ./x/attest/...` is what a verifier links.
func harness(local string) bool {
	return strings.HasSuffix(local, "test") && local != "x/attest" && !strings.HasPrefix(local, "x/attest/")
}

// layer says what a package may import directly, besides the standard library.
type layer struct {
	allow []string
	pure  bool // the impure parts of the standard library are closed to it
	why   string
}

// layerOf gives the layer of a folder; ok is false where no list is kept.
func layerOf(local string) (l layer, ok bool, problem string) {
	if harness(local) {
		return layer{}, false, ""
	}
	switch local {
	case "proto/xinlian/v1":
		return layer{
			allow: []string{"github.com/cosmos/gogoproto/...", "golang.org/x/crypto/sha3"}, pure: true,
			why: "every byte that is signed, stored or proven is read by lenders' verifiers: keep them small",
		}, true, ""
	case "x/code", "x/calendar":
		return layer{pure: true, why: "it is pure and knows the standard library only"}, true, ""
	case "x":
		return layer{allow: []string{pbPath, codePath, calPath}, pure: true, why: "it is what a module is made of and knows no module"}, true, ""
	case "x/attest/tree":
		return layer{pure: true, why: "writer and verifier hash with the same lines, so it knows neither"}, true, ""
	case "app/state":
		return layer{
			allow: []string{badger, treePath, "github.com/cosmos/ics23/go", "golang.org/x/sync/..."},
			why:   "it stores bytes: app/state.go of package app shows it to the rules, so it knows neither pb nor x",
		}, true, ""
	}
	if matches("x/attest/...", local) {
		return layer{
			allow: []string{
				pbPath, attestPath + "/...", cometbft + "/proto/tendermint/...", cometbft + "/crypto/merkle", cometbft + "/crypto/ed25519",
			}, pure: true,
			why: "a lender must be able to trust it: hash headers and votes with our own lines, compared with cometbft/types in a test file",
		}, true, ""
	}
	if rest, below := strings.CutPrefix(local, "x/"); below {
		name, _, _ := strings.Cut(rest, "/")
		place := slices.Index(moduleOrder, name)
		if place < 0 {
			return layer{}, false, fmt.Sprintf("x/%s has no place in the order of modules; give it one in moduleOrder", name)
		}
		// tree: a subject's file is hashed by the lines that verify it.
		allow := []string{pbPath, xPath, codePath, calPath, treePath, path.Join(xPath, name) + "/..."}
		for _, earlier := range moduleOrder[:place] {
			allow = append(allow, path.Join(xPath, earlier))
		}
		return layer{
			allow: allow, pure: true,
			why: "a module knows pb, x, x/code, x/calendar, x/attest/tree and the modules before it; let the later module call a transition that this one exports",
		}, true, ""
	}
	return layer{}, false, ""
}

// TestImports: what a package may import directly (style of the eight stops: a
// file's place is decided by what it may know).
func TestImports(t *testing.T) {
	g := packages(t)
	var findings []string
	for _, p := range g.ours() {
		findings = append(findings, checkImports(g, p)...)
	}
	report(t, findings)
}

func checkImports(g graph, p *pkg) []string {
	var findings []string
	l, ok, problem := layerOf(p.local())
	if problem != "" {
		return []string{problem}
	}
	for _, imported := range p.Imports {
		if ok && g.standard(imported) && l.pure && matchesAny(impure, imported) {
			findings = append(findings, fmt.Sprintf("%s imports %s, which reaches outside the process; pass what it needs as an argument", p.local(), imported))
		}
		if ok && !g.standard(imported) && !matchesAny(l.allow, imported) {
			findings = append(findings, fmt.Sprintf("%s must not import %s: %s", p.local(), imported, l.why))
		}
		if rest, ours := strings.CutPrefix(imported, module+"/"); ours && harness(rest) && !harness(p.local()) {
			findings = append(findings, fmt.Sprintf("%s must not import %s, a harness for tests; move what both need out of it", p.local(), imported))
		}
		for _, o := range owners {
			if matches(o.what, imported) && !slices.ContainsFunc(o.by, func(pattern string) bool { return matches(pattern, p.local()) }) {
				findings = append(findings, fmt.Sprintf("%s must not import %s: only %s may; %s", p.local(), imported, strings.Join(o.by, ", "), o.why))
			}
		}
	}
	return findings
}

// owners: things that only some folders may import.
var owners = []struct {
	what string
	by   []string
	why  string
}{
	{badger, []string{"app/state/..."}, "go through the store, which alone knows the order of writes that survives a crash"},
	{ethereum, []string{"app/...", "node/...", "cmd/xinlian/...", "cmd/xinlian-audit/..."}, "signatures are checked at the gate; rules see the address"},
	{module + "/node/...", []string{"node/...", "cmd/...", "networks/..."}, "node is wiring; move what others need down to app or x"},
	{module + "/app/...", []string{"app/...", "node/...", "cmd/xinlian/...", "cmd/xinlian-audit/..."}, "rules and verifier do not know who runs them"},
	{module + "/cmd/...", []string{"cmd/..."}, "a command is used by people, not by packages"},
	{"math/rand/...", []string{"app/apptest/...", "node/...", "cmd/...", "networks/..."}, "chance has no place in consensus"},
}

// A linkRule says what must not be linked, however far away the import is.
type linkRule struct {
	dir    string // pattern of folders
	forbid []string
	allow  []string // exceptions within forbid
	why    string
}

var linkRules = []linkRule{
	{
		"x/attest/...",
		[]string{badger, ethereum, "net", "net/http/...", "os/exec", "google.golang.org/grpc/...", cometbft + "/..."},
		cometbftForVerifier,
		"the verifier is small, does no I/O and is trusted; find a smaller import or write the few lines",
	},
	{
		"proto/xinlian/v1",
		[]string{badger, ethereum, "net", "net/http/...", "google.golang.org/grpc/...", cometbft + "/..."},
		nil,
		"the wire format is linked into every verifier",
	},
	{
		"x/...",
		[]string{badger, ethereum, "net/http/...", "google.golang.org/grpc/..."},
		nil,
		"rules are pure",
	},
	{
		"app/state/...",
		[]string{ethereum, cometbft + "/..."},
		nil,
		"the store knows bytes and heights only",
	},
	{
		"cmd/xinlian-verify/...",
		[]string{badger, ethereum, cometbft + "/..."},
		cometbftForVerifier,
		"a lender installs this program: it must stay small enough to be read; only fetch may use an HTTP client",
	},
	{
		"cmd/...",
		[]string{module + "/app/apptest/..."},
		nil,
		"the harness is for tests",
	},
}

// TestLinks: what a package must not link, through any chain of imports.
func TestLinks(t *testing.T) {
	g := packages(t)
	var findings []string
	for _, p := range g.ours() {
		for _, rule := range linkRules {
			if matches(rule.dir, p.local()) && !harness(p.local()) {
				findings = append(findings, checkLinks(g, p.ImportPath, rule)...)
			}
		}
	}
	report(t, findings)
}

func checkLinks(g graph, from string, rule linkRule) []string {
	var findings []string
	chains := g.paths(from)
	for linked, chain := range chains {
		if linked == from || !matchesAny(rule.forbid, linked) || matchesAny(rule.allow, linked) {
			continue
		}
		// One finding for the first forbidden package of a chain is enough.
		if slices.ContainsFunc(chain[1:len(chain)-1], func(p string) bool {
			return matchesAny(rule.forbid, p) && !matchesAny(rule.allow, p)
		}) {
			continue
		}
		findings = append(findings, fmt.Sprintf("%s must not link %s: %s (%s)",
			strings.TrimPrefix(from, module+"/"), linked, rule.why, strings.Join(chain, " > ")))
	}
	return findings
}

// TestImportRulesBite feeds the rules a tree that breaks them.
func TestImportRulesBite(t *testing.T) {
	g := graph{}
	add := func(importPath string, imports ...string) *pkg {
		p := &pkg{ImportPath: importPath, GoFiles: []string{"a.go"}, Imports: imports}
		g[importPath] = p
		return p
	}
	add("github.com/dgraph-io/badger/v4")
	add("example.com/far", "net/http")
	for _, tc := range []struct {
		p    *pkg
		want string
	}{
		{add(xPath+"/catalog", pbPath, xPath, xPath+"/member", xPath+"/sanction"), "x/catalog must not import " + xPath + "/sanction"},
		{add(xPath+"/rating", xPath), "x/rating has no place"},
		{add(xPath+"/repair", "os"), "x/repair imports os"},
		{add(xPath+"/subject", xPath+"/standing"), "x/subject must not import " + xPath + "/standing"},
		{add(statePath, pbPath), "app/state must not import " + pbPath},
		{add(module+"/node", "github.com/dgraph-io/badger/v4"), "only app/state/... may"},
		{add(module+"/node/gateway", module+"/app/apptest"), "node/gateway must not import " + module + "/app/apptest"},
		{add(attestPath, cometbft+"/types"), "x/attest must not import " + cometbft + "/types"},
		{add(treePath, "golang.org/x/sync/errgroup"), "x/attest/tree must not import golang.org/x/sync/errgroup"},
	} {
		if got := checkImports(g, tc.p); len(got) != 1 || !strings.Contains(got[0], tc.want) {
			t.Errorf("%s: got %q, want one finding with %q", tc.p.ImportPath, got, tc.want)
		}
	}
	p := add(module+"/cmd/xinlian-verify", "example.com/far", cometbft+"/crypto/ed25519", statePath)
	g[statePath].Imports = []string{"github.com/dgraph-io/badger/v4"}
	var got []string
	for _, rule := range linkRules {
		if matches(rule.dir, p.local()) {
			got = append(got, checkLinks(g, p.ImportPath, rule)...)
		}
	}
	if len(got) != 1 || !strings.Contains(got[0], "badger") {
		t.Errorf("verifier that links the store: got %q", got)
	}
}
