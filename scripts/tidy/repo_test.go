package tidy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/xinlian-ledger/xinlian"

// root is the folder of go.mod, seen from this package.
const root = "../.."

// A file of the repository that people write or that is committed.
type file struct {
	name string // slash-separated, from the root
	data []byte
}

func (f file) generated() bool { return strings.HasSuffix(f.name, ".pb.go") }
func (f file) test() bool      { return strings.HasSuffix(f.name, "_test.go") }
func (f file) dir() string     { return path.Dir(f.name) }

// binary: what holds a NUL early is no text.
func (f file) binary() bool { return bytes.IndexByte(f.data[:min(len(f.data), 8000)], 0) >= 0 }

// Folders that tools and runs leave behind; .gitignore names them too.
var skippedDirs = map[string]bool{
	".git": true, ".tools": true, ".cache": true, ".idea": true, ".vscode": true,
	"bin": true, "tmp": true, "localnet": true, "demo": true,
}

// repository reads every file once. Reading them here also makes the test cache
// notice a change to any of them.
var repository = sync.OnceValues(func() ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == path.Base(rel) && skippedDirs[rel] || d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || rel == ".git" { // .git is a file in a second work tree
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file of another process, gone again
		}
		if err != nil {
			return err
		}
		if info.Size() > 8<<20 || info.Mode()&0o111 != 0 && info.Size() > 1<<20 {
			return nil // a built program or a data set
		}
		data, err := os.ReadFile(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files = append(files, file{rel, data})
		return nil
	})
	return files, err
})

func files(t *testing.T) []file {
	t.Helper()
	all, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func find(t *testing.T, name string) (file, bool) {
	t.Helper()
	for _, f := range files(t) {
		if f.name == name {
			return f, true
		}
	}
	return file{}, false
}

// A pkg is what `go list` says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool
	DepOnly    bool
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Export     string
	Error      *struct{ Err string }
}

// local is the package's folder from the root: "" for others' packages.
func (p *pkg) local() string {
	if p.ImportPath == module {
		return "."
	}
	rest, ok := strings.CutPrefix(p.ImportPath, module+"/")
	if !ok {
		return ""
	}
	return rest
}

func list(args ...string) ([]*pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-e", "-deps"}, args...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var pkgs []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		err := dec.Decode(p)
		if errors.Is(err, io.EOF) {
			return pkgs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// A graph is every package that this repository builds, with its imports; test
// files take no part.
type graph map[string]*pkg

var loadGraph = sync.OnceValues(func() (graph, error) {
	pkgs, err := list("-json=ImportPath,Name,Dir,Standard,DepOnly,GoFiles,CgoFiles,Imports,Error", "./...")
	if err != nil {
		return nil, err
	}
	g := graph{}
	for _, p := range pkgs {
		g[p.ImportPath] = p
	}
	return g, nil
})

func packages(t *testing.T) graph {
	t.Helper()
	g, err := loadGraph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ours lists the packages of this module that have code, by folder.
func (g graph) ours() []*pkg {
	var out []*pkg
	for _, p := range g {
		if p.local() != "" && len(p.GoFiles) > 0 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return out
}

// paths gives, for each package that from links, the chain of imports that
// leads to it.
func (g graph) paths(from string) map[string][]string {
	chains := map[string][]string{from: {from}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		p := g[queue[0]]
		if p == nil {
			continue
		}
		for _, imported := range p.Imports {
			if _, ok := chains[imported]; !ok && imported != "C" {
				chains[imported] = append(slices.Clone(chains[queue[0]]), imported)
				queue = append(queue, imported)
			}
		}
	}
	return chains
}

// standard says whether an import path belongs to the standard library.
func (g graph) standard(importPath string) bool {
	if p := g[importPath]; p != nil {
		return p.Standard
	}
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// matches: "a/b" is that package, "a/b/..." also everything below.
func matches(pattern, importPath string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return importPath == base || strings.HasPrefix(importPath, base+"/")
	}
	return importPath == pattern
}

func matchesAny(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, importPath) })
}

// parse reads one file with its comments.
func parse(t *testing.T, fset *token.FileSet, f file) *ast.File {
	t.Helper()
	syntax, err := parser.ParseFile(fset, f.name, f.data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return syntax
}

// report fails the test with the findings, sorted.
func report(t *testing.T, findings []string) {
	t.Helper()
	slices.Sort(findings)
	for _, f := range slices.Compact(findings) {
		t.Error(f)
	}
}
