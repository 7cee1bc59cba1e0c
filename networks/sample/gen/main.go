// Command gen writes the sample files of networks/sample. Run it from the repository's root:
//
//	go run ./networks/sample/gen [FOLDER]
//
// It promises the same bytes for the same source: the seed is fixed, no clock is read, and a test compares a fresh run with what is
// committed. Every name and code it writes is synthetic.
//
// Trust: the files are for demonstrations and tests. Whoever changes this program changes what those show, and nothing else.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := filepath.Join("networks", "sample")
	if len(os.Args) > 2 || len(os.Args) == 2 && os.Args[1] == "--help" {
		fmt.Fprintln(os.Stderr, "usage: go run ./networks/sample/gen [FOLDER]")
		os.Exit(2)
	}
	if len(os.Args) == 2 {
		dir = os.Args[1]
	}
	if err := generate(dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// generate writes all files.
func generate(dir string) error {
	w := newWorld()
	files, err := w.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
