package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/receipt"
	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

func openSealed(t *testing.T, dir, word string) *receipt.Journal {
	t.Helper()
	j, err := receipt.OpenSealed(dir, []byte(word))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// sealedJournal is a journal of receipts in anchors and in none, with uses, one of them used up and not told.
func sealedJournal(t *testing.T, dir string) string {
	t.Helper()
	j := openSealed(t, dir, "one")
	defer j.Close()
	record := func(r pb.QueryReceipt, limit uint32) {
		if _, err := j.Record(r, limit, receipt.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	record(pb.QueryReceipt{Subject: firm}, 0)
	record(opens(firm, 1), 0)
	record(opens(firm, 2), 1)
	if _, err := j.Seal(10); err != nil {
		t.Fatal(err)
	}
	record(opens(firm, 1), 0)
	record(opens(firm, 3), 1)
	return account(t, j)
}

// sameJournal opens a journal and holds that it says what it said, counts on, and tells the authorisation that is used up in its next anchor.
func sameJournal(t *testing.T, what, dir, word, said string) {
	t.Helper()
	j, err := receipt.OpenSealed(dir, []byte(word))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer j.Close()
	if got := account(t, j); got != said {
		t.Errorf("%s: it says\n%s\nand said\n%s", what, got, said)
	}
	if _, err := j.Record(opens(firm, 3), 1, receipt.Request{}); !errors.Is(err, receipt.ErrUsedUp) {
		t.Errorf("%s: an authorisation that is used up: %v", what, err)
	}
	if a, err := j.Seal(11); err != nil || len(a.UsedUp) != 1 || !bytes.Equal(a.UsedUp[0], opens(firm, 3).Authorisation) {
		t.Errorf("%s: the next anchor: %+v, %v", what, a, err)
	}
	if e, err := j.Record(opens(firm, 1), 0, receipt.Request{}); err != nil || e.Seq != 6 {
		t.Errorf("%s: the next receipt: %+v, %v", what, e, err)
	}
	for _, left := range []string{receipt.NextKeyFileName, receipt.FileName + ".making"} {
		if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
			t.Errorf("%s: %s is left", what, left)
		}
	}
}

// TestRekey: under the new key a journal says what it said, under the old one nothing; the old file's blocks are gone.
func TestRekey(t *testing.T) {
	dir := t.TempDir()
	said := sealedJournal(t, dir)
	oldKey, err := os.ReadFile(filepath.Join(dir, receipt.KeyFileName))
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(filepath.Join(dir, receipt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()

	// In use, without a journal, or with another passphrase, nothing changes.
	j := openSealed(t, dir, "one")
	if err := receipt.Rekey(dir, []byte("one"), []byte("two"), nil); !errors.Is(err, receipt.ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	j.Close()
	if err := receipt.Rekey(dir, []byte("two"), []byte("two"), nil); err == nil {
		t.Error("another passphrase changes the key")
	}
	if err := receipt.Rekey(t.TempDir(), []byte("one"), []byte("one"), nil); err == nil {
		t.Error("a journal is made by changing its key")
	}
	if got := names(t, dir); got != "receipts.db receipts.json" {
		t.Errorf("what was refused leaves %s", got)
	}

	// Nobody comes in between: neither a node that starts nor a second change.
	tried := 0
	end := receipt.AtStep(func(step string) {
		if step == "a bucket is copied" {
			return // as before it
		}
		tried++
		if j, err := receipt.OpenSealed(dir, []byte("two")); !errors.Is(err, receipt.ErrInUse) {
			t.Errorf("%s, and a node starts: %v", step, err)
			if err == nil {
				j.Close()
			}
		}
		if err := receipt.Rekey(dir, []byte("one"), []byte("two"), nil); !errors.Is(err, receipt.ErrInUse) {
			t.Errorf("%s, and a second change: %v", step, err)
		}
	})
	defer end()
	if err := receipt.Rekey(dir, []byte("one"), []byte("two"), nil); err != nil {
		t.Fatal(err)
	}
	end()
	if tried != 4 {
		t.Errorf("tried at %d steps", tried)
	}
	if got := names(t, dir); got != "receipts.db receipts.json" {
		t.Errorf("it leaves %s", got)
	}
	for _, name := range []string{receipt.FileName, receipt.KeyFileName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", old.Fd())); err == nil && len(bytes.Trim(raw, "\x00")) != 0 {
		t.Error("the old file's blocks are left")
	}
	if _, err := receipt.OpenSealed(dir, []byte("one")); err == nil {
		t.Error("the old passphrase opens it")
	}
	kept := t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	sameJournal(t, "under the new key", dir, "two", said)
	if err := os.WriteFile(filepath.Join(kept, receipt.KeyFileName), oldKey, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.OpenSealed(kept, []byte("one")); !errors.Is(err, receipt.ErrKey) {
		t.Errorf("the old key: %v", err)
	}

	// Where the key is gone none is made in its place.
	if err := os.Remove(filepath.Join(kept, receipt.KeyFileName)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := receipt.OpenSealed(kept, []byte("one")); !errors.Is(err, receipt.ErrKey) {
			t.Errorf("without a key: %v", err)
		}
	}
	if got := names(t, kept); got != "receipts.db" {
		t.Errorf("there is %s", got)
	}
}

// names are those of the files of a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, f.Name())
	}
	return strings.Join(out, " ")
}

// TestRekeyCutAtEachWrite: wherever a crash cuts a change of key, the journal is there whole under one of the two, and the change can be made again.
func TestRekeyCutAtEachWrite(t *testing.T) {
	for _, now := range []string{"one", "two"} {
		if testing.Short() && now == "two" {
			continue
		}
		t.Run("from one to "+now, func(t *testing.T) { cutRekey(t, now) })
	}
}

func cutRekey(t *testing.T, now string) {
	dir := t.TempDir()
	said := sealedJournal(t, dir)
	states := map[string]string{}
	copyTo := func(from string) string {
		at := filepath.Join(t.TempDir(), "state")
		if err := os.CopyFS(at, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	keep := func(what string) string {
		states[what] = copyTo(dir)
		return states[what]
	}
	end := receipt.AtStep(func(step string) {
		copied := filepath.Join(keep(step), receipt.FileName+".making") // of the buckets the last one stays
		if step != "the copy is whole" {
			return
		}
		raw, err := os.ReadFile(copied)
		if err != nil {
			t.Error(err)
		}
		for _, n := range []int{0, len(raw) / 2, len(raw) - 4096} {
			if err := os.WriteFile(filepath.Join(keep(fmt.Sprintf("%d bytes of the copy", n)), receipt.FileName+".making"), raw[:n], 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	defer end()
	if err := receipt.Rekey(dir, []byte("one"), []byte(now), nil); err != nil {
		t.Fatal(err)
	}
	end()
	keep("done")
	if len(states) != 9 {
		t.Fatalf("%d states", len(states))
	}
	opened := 0
	for what, at := range states {
		// A start that has the new passphrase opens what is under the new key, and refuses the rest without changing it.
		start, was := copyTo(at), names(t, at)
		if j, err := receipt.OpenSealed(start, []byte(now)); err == nil {
			j.Close()
			opened++
			sameJournal(t, what, start, now, said)
		} else if !errors.Is(err, vault.ErrPassphrase) {
			t.Errorf("%s: %v", what, err)
		} else if got := strings.Replace(names(t, start), " receipts.db.making", "", 1); got != strings.Replace(was, " receipts.db.making", "", 1) {
			t.Errorf("%s: there was %s, and is %s", what, was, got)
		}
		if strings.Contains(what, "bytes") {
			continue
		}
		if err := receipt.Rekey(at, []byte("one"), []byte(now), nil); what == "done" && now != "one" {
			if !errors.Is(err, vault.ErrPassphrase) {
				t.Errorf("%s, once more: %v", what, err)
			}
		} else if err != nil {
			t.Errorf("%s, once more: %v", what, err)
		}
		sameJournal(t, what+", and once more", at, now, said)
	}
	if want := map[string]int{"one": 9, "two": 3}[now]; opened != want {
		t.Errorf("%d of 9 states open under the new passphrase alone, want %d", opened, want)
	}
}
