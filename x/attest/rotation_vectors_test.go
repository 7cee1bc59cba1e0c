package attest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

const (
	rotationDir  = "testdata/rotations"
	rotationMark = "xinlian rotation vector 1"
)

// rotationFiles are the files of testdata/rotations: each vector, and the old trust file that it begins at.
func rotationFiles() map[string][]byte {
	files := map[string][]byte{}
	add := func(name string, exit int, code string, old, raw []byte, at time.Time) {
		name = strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", "")
		trust := sha256.Sum256(old)
		oldName := "trust-" + hex.EncodeToString(trust[:4]) + ".json"
		files[oldName] = old
		head := fmt.Sprintf("%s\nexpect: %d %s\ntrust: %s\nat: %s\n", rotationMark, exit, code, oldName, at.Format(time.RFC3339Nano))
		if exit == 0 {
			_, next, _, err := attest.DecodeRotation(raw)
			if err != nil {
				panic(err)
			}
			head += fmt.Sprintf("gives: %x\n", sha256.Sum256(next))
		}
		files[name+vectorExt] = append([]byte(head+"\n"), raw...)
	}
	good := newRotation()
	for name, who := range map[string][]int{"ok three of four": {0, 1, 2}, "ok another order": {3, 1, 0}, "ok all": {0, 1, 2, 3}} {
		add(name, 0, "OK", good.old.Encode(), good.file(good.sign(who...)), now())
	}
	younger := newRotation()
	younger.new.Anchor.Height, younger.new.Anchor.HeaderHash[0] = 51, 7
	add("ok younger anchor", 0, "OK", younger.old.Encode(), younger.file(younger.sign(0, 1, 2)), now())
	last := newRotation() // after the last height there is none, so the one whose range ends there is in force
	last.old.Validators[0].UntilHeight = math.MaxInt64
	add("ok until the last height", 0, "OK", last.old.Encode(), last.file(last.sign(0, 1, 2)), now())
	forward := map[string]func(r *rotation){
		"later end": func(*rotation) {}, "same end, younger anchor": func(r *rotation) { r.new.NotAfter, r.new.Anchor.Height = r.old.NotAfter, 51 },
		"same end, newer set": func(r *rotation) {
			r.new.NotAfter, r.new.Validators = r.old.NotAfter, append(ended(100, past)[:4], append(Equal("b", 7).Trusted(101, 200), Equal("c", 4).Trusted(201, 0)...)...)
		},
		"end comes earlier": func(r *rotation) { r.new.Validators = ended(100, past.Add(-1)) },
		"end of another validator": func(r *rotation) {
			r.new.Validators[0].ValidUntil, r.new.Validators[2].ValidUntil = time.Time{}, past
		},
		"old set left out": func(r *rotation) { r.new.Validators = Equal("b", 7).Trusted(101, 0) },
		"set in force ends later": func(r *rotation) {
			r.old.Validators[5].ValidUntil, r.new.Validators[5].ValidUntil = now(), now().Add(time.Hour)
		},
		"set in force ends no more": func(r *rotation) { r.old.Validators[5].ValidUntil = now() },
	}
	for name, change := range forward {
		r := newRotation()
		old, raw := afterReplaced(change)(&r)
		add("ok "+name, 0, "OK", old, raw, now())
	}
	for name, c := range rotationChanges() {
		r := newRotation()
		old, raw := c.change(&r)
		add(name, attest.ExitCode(nil, c.class), c.code, old, raw, now())
	}
	file := string(good.file(good.sign(0, 1, 2)))
	for name, put := range rotationForms() {
		add("form "+name, 1, attest.CodeRotationForm, good.old.Encode(), []byte(strings.Replace(file, put[0], put[1], 1)), now())
	}
	return files
}

// TestRotationVectors: the corpus of rotations, as files, which the TypeScript verifier judges too.
func TestRotationVectors(t *testing.T) {
	made := rotationFiles()
	if *update {
		if err := os.RemoveAll(rotationDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(rotationDir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, raw := range made {
			if err := os.WriteFile(filepath.Join(rotationDir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(rotationDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(made) {
		t.Errorf("%d files are frozen, the corpus makes %d; run with -update", len(names), len(made))
	}
	for _, path := range names {
		name := filepath.Base(path)
		raw := readFile(t, path)
		if !bytes.Equal(raw, made[name]) {
			t.Errorf("%s: the corpus makes other bytes than are frozen", name)
		}
		if filepath.Ext(name) != vectorExt {
			continue
		}
		var exit int
		var code, trust, at, gives string
		head, payload, _ := bytes.Cut(raw, []byte("\n\n"))
		if n, err := fmt.Sscanf(string(head), rotationMark+"\nexpect: %d %s\ntrust: %s\nat: %s\ngives: %s", &exit, &code, &trust, &at, &gives); n < 4 {
			t.Fatal(name, err)
		}
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(name, err)
		}
		next, err := attest.Rotate(readFile(t, filepath.Join(rotationDir, trust)), payload, when)
		gotExit, gotCode, gotGives := attest.ExitCode(nil, err), attest.CodeOf(err), ""
		if err == nil {
			gotExit, gotCode, gotGives = 0, "OK", fmt.Sprintf("%x", sha256.Sum256(next))
		}
		if gotExit != exit || gotCode != code || gotGives != gives {
			t.Errorf("%s: exit code %d %s %s, want %d %s %s", name, gotExit, gotCode, gotGives, exit, code, gives)
		}
	}
	t.Logf("%d files", len(names))
}
