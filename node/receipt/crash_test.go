package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/xinlian-ledger/xinlian/node/receipt"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const pageBytes = 4096

// cuts gives the files that a crash may leave while one becomes the other: any number of pages written, from the front or from the back, as a disk may reorder
// them; then the page that makes them count torn; then all.
func cuts(before, after []byte) (files map[string][]byte) {
	files = map[string][]byte{"nothing was written": before}
	grown := make([]byte, len(after))
	copy(grown, before)
	var data, meta []int
	for at := 0; at < len(after); at += pageBytes {
		if !bytes.Equal(grown[at:at+pageBytes], after[at:at+pageBytes]) {
			if at < 2*pageBytes {
				meta = append(meta, at)
			} else {
				data = append(data, at)
			}
		}
	}
	with := func(pages []int) []byte {
		f := bytes.Clone(grown)
		for _, at := range pages {
			copy(f[at:], after[at:at+pageBytes])
		}
		return f
	}
	for n := range data {
		files[fmt.Sprintf("the first %d of %d pages", n+1, len(data))] = with(data[:n+1])
		files[fmt.Sprintf("the last %d of %d pages", n+1, len(data))] = with(data[n:])
	}
	for _, at := range meta {
		for _, n := range []int{24, 48, 72} { // in the header, in the roots, before the checksum
			f := with(data)
			copy(f[at:], after[at:at+n])
			files[fmt.Sprintf("all, and the meta page torn after %d bytes", n)] = f
		}
	}
	return files
}

// account is what a journal says of a firm. A receipt that is there in part makes it fail.
func account(t *testing.T, j *receipt.Journal) string {
	t.Helper()
	entries, proofs := about(t, j, firm, 0)
	n, err := j.Receipts()
	if err != nil {
		t.Fatal(err)
	}
	if int(n) != len(entries) {
		t.Fatalf("%d receipts, %d about the only firm", n, len(entries))
	}
	used := map[byte]uint64{}
	out := ""
	for i, e := range entries {
		if len(e.Receipt.Opened) > 0 {
			used[e.Receipt.Authorisation[0]]++
		}
		out += fmt.Sprintf("receipt %d %x", e.Seq, e.Raw)
		if p := proofs[i]; p != nil {
			out += fmt.Sprintf(" anchored %d %x %d", p.Hour, p.Root, p.Place)
		}
		out += "\n"
	}
	for a := byte(1); a <= 3; a++ {
		n, err := j.Used(opens(firm, a).Authorisation)
		if err != nil {
			t.Fatal(err)
		}
		if n != used[a] {
			t.Fatalf("%d uses of authorisation %d are counted, %d have a receipt", n, a, used[a])
		}
	}
	hour, err := j.LastHour()
	if err != nil {
		t.Fatal(err)
	}
	if hour >= 0 {
		a, err := j.Seal(hour)
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("last %d %x %x", hour, a.Root, a.UsedUp)
	}
	return out
}

// TestCutAtEachWrite: whatever of a write to the journal reached the disk, after the restart everything that was acknowledged is there, and what was not is
// there whole or not at all.
func TestCutAtEachWrite(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	record := func(r pb.QueryReceipt, limit uint32) func() error {
		return func() error { _, err := j.Record(r, limit, receipt.Request{}); return err }
	}
	sealed := func(hour int64) func() error {
		return func() error { _, err := j.Seal(hour); return err }
	}
	asked := receipt.Request{SignedAt: 1_800_000_000, ID: []byte("a request")}
	answer := func() error {
		_, err := j.Record(pb.QueryReceipt{Subject: firm, Requester: other}, 0, asked)
		return err
	}
	tried, answered := 0, false
	for i, act := range []func() error{
		record(pb.QueryReceipt{Subject: firm}, 0), record(opens(firm, 1), 0), record(opens(firm, 2), 2), sealed(10), sealed(11),
		record(opens(firm, 2), 2), record(opens(firm, 3), 1), sealed(12), record(opens(firm, 1), 0), answer,
	} {
		was := account(t, j)
		before, err := os.ReadFile(filepath.Join(dir, receipt.FileName))
		if err != nil {
			t.Fatal(err)
		}
		if err := act(); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(filepath.Join(dir, receipt.FileName)) // of this write alone: to account for it writes again
		if err != nil {
			t.Fatal(err)
		}
		is := account(t, j)
		if was == is {
			t.Fatalf("act %d shows nowhere", i)
		}
		files := cuts(before, after)
		files["all"] = after
		for what, f := range files {
			tried++
			at := t.TempDir()
			if err := os.WriteFile(filepath.Join(at, receipt.FileName), f, 0o600); err != nil {
				t.Fatal(err)
			}
			k := open(t, at)
			got := account(t, k)
			if got != was && got != is || what == "all" && got != is {
				t.Errorf("act %d, %s:\n%s\nbefore:\n%s\nafter:\n%s", i, what, got, was, is)
			}
			stands := strings.Contains(got, fmt.Sprintf("%x", other))
			if _, err := k.Record(opens(firm, 1), 0, asked); stands != errors.Is(err, receipt.ErrAnswered) || !stands && err != nil {
				t.Errorf("act %d, %s: a request that has a receipt (%v) gets another: %v", i, what, stands, err)
			}
			answered = answered || stands
			if _, err := k.Record(opens(firm, 1), 0, receipt.Request{}); err != nil {
				t.Errorf("act %d, %s: nothing can be recorded any more: %v", i, what, err)
			}
			account(t, k)
			k.Close()
		}
	}
	j.Close()
	if tried < 50 || !answered {
		t.Errorf("%d cuts were tried, one with the request's receipt: %v", tried, answered)
	}
}

// Nothing in the file names a firm, a lender or an authorisation, and nothing of it can be changed unseen.
func TestEncrypted(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	r := opens(firm, 1)
	r.Requester, r.Gateway = "91410100Y000011271", "12410000Y00001107Y"
	for range 3 {
		if _, err := j.Record(r, 3, receipt.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Seal(7); err != nil {
		t.Fatal(err)
	}
	entries, _ := about(t, j, firm, 0)
	j.Close()
	file := filepath.Join(dir, receipt.FileName)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{[]byte(firm), []byte(r.Requester), []byte(r.Gateway), r.Authorisation, entries[0].Receipt.Id, entries[0].Salt, entries[1].Raw} {
		if bytes.Contains(raw, secret) {
			t.Errorf("%x stands in the file in clear", secret)
		}
	}
	if _, err := receipt.Open(dir, make([]byte, receipt.KeyBytes)); err != receipt.ErrKey {
		t.Errorf("another key: %v", err)
	}
	for _, none := range [][]byte{nil, journalKey[:31], append(bytes.Clone(journalKey), 7)} {
		if _, err := receipt.Open(t.TempDir(), none); err == nil {
			t.Errorf("a key of %d bytes makes a journal", len(none))
		}
	}
	if j := open(t, dir); account(t, j) == "" {
		t.Error("the right key shows nothing")
	} else {
		j.Close()
	}
	// The value of a receipt is cut, then that of another one.
	one, two := []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{0, 0, 0, 0, 0, 0, 0, 2}
	for said, value := range map[string]func(b *bbolt.Bucket) []byte{
		"was cut":     func(b *bbolt.Bucket) []byte { return bytes.Clone(b.Get(one)[:31]) },
		"was changed": func(b *bbolt.Bucket) []byte { return bytes.Clone(b.Get(two)) },
	} {
		db, err := bbolt.Open(file, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		var kept []byte
		if err := db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("receipts"))
			kept = bytes.Clone(b.Get(one))
			return b.Put(one, value(b))
		}); err != nil {
			t.Fatal(err)
		}
		db.Close()
		j = open(t, dir)
		if _, err := j.Page(t.Context(), receipt.Wanted{Subject: firm, Limit: 10}); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("a receipt %s: %v", said, err)
		}
		if _, err := j.Seal(7); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("the anchor over a receipt that %s: %v", said, err)
		}
		j.Close()
		if db, err = bbolt.Open(file, 0o600, nil); err != nil {
			t.Fatal(err)
		}
		if err := db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("receipts")).Put(one, kept) }); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
}

// clearJournal writes a journal as the version before encryption did: three receipts, two of them under an anchor, and an authorisation whose last use is not told.
func clearJournal(t *testing.T, dir string) (raws [][]byte) {
	t.Helper()
	be := func(n byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, n} }
	db, err := bbolt.Open(filepath.Join(dir, receipt.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		b := map[string]*bbolt.Bucket{}
		for _, name := range []string{"receipts", "subjects", "uses", "used up", "anchors", "ends"} {
			if b[name], err = tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		put := func(bucket string, k, v []byte) {
			if err == nil {
				err = b[bucket].Put(k, v)
			}
		}
		for i := byte(1); i <= 3; i++ {
			r := opens(firm, i)
			r.Id = bytes.Repeat([]byte{i}, 32)
			raws = append(raws, pb.Encode(&r))
			put("receipts", be(i), append(bytes.Repeat([]byte{0x50 + i}, 32), raws[i-1]...))
			put("subjects", append([]byte(firm), be(i)...), nil)
			put("uses", r.Authorisation, be(1))
		}
		put("used up", opens(firm, 3).Authorisation, nil)
		told := opens(firm, 2).Authorisation
		put("anchors", be(9), bytes.Join([][]byte{be(1), be(3), bytes.Repeat([]byte{5}, 32), be(1), told}, nil))
		put("ends", be(3), be(9))
		if err == nil {
			err = b["receipts"].SetSequence(3)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return raws
}

// A journal in clear is encrypted when it is opened: it says what it said, its anchors have their roots, and its old bytes are gone.
func TestUpgradeFromClear(t *testing.T) {
	dir := t.TempDir()
	raws := clearJournal(t, dir)
	file := filepath.Join(dir, receipt.FileName)
	old, err := os.Open(file) // the file that goes: its blocks are overwritten
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := os.WriteFile(file+".making", []byte("what a crash left"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, dir)
	entries, proofs := about(t, j, firm, 0)
	if len(entries) != 3 || proofs[1] == nil || proofs[2] != nil || proofs[0].Hour != 9 {
		t.Fatalf("%d receipts, proofs %v", len(entries), proofs)
	}
	for i, e := range entries {
		if !bytes.Equal(e.Raw, raws[i]) {
			t.Errorf("receipt %d is another one", i+1)
		}
	}
	account(t, j)
	// The root is the one that a gateway of before has anchored.
	const root = "c165ca1d61807d8904fb07d75247bbd1ecaf81afcd03dd9f4597eb09f2023be1"
	if got := fmt.Sprintf("%x", proofs[0].Root); got != root {
		t.Errorf("the root of the anchor is %s, the old version anchored %s", got, root)
	}
	if a, err := j.Seal(9); err != nil || len(a.UsedUp) != 1 || !bytes.Equal(a.UsedUp[0], opens(firm, 2).Authorisation) {
		t.Errorf("the anchor of the hour: %+v, %v", a, err)
	}
	if a, err := j.Seal(10); err != nil || len(a.UsedUp) != 1 || !bytes.Equal(a.UsedUp[0], opens(firm, 3).Authorisation) {
		t.Errorf("the next anchor: %+v, %v", a, err)
	}
	if e, err := j.Record(opens(firm, 1), 0, receipt.Request{}); err != nil || e.Seq != 4 {
		t.Errorf("the next receipt: %+v, %v", e, err)
	}
	j.Close()
	for _, f := range []string{file, fmt.Sprintf("/proc/self/fd/%d", old.Fd())} {
		raw, err := os.ReadFile(f)
		if err != nil && f != file {
			continue // not Linux
		}
		if err != nil || bytes.Contains(raw, []byte(firm)) || bytes.Contains(raw, opens(firm, 2).Authorisation) {
			t.Errorf("%s names a firm or an authorisation in clear: %v", f, err)
		}
	}
	j = open(t, dir)
	account(t, j)
	j.Close()
}
