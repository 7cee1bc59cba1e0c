package receipt_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/xinlian-ledger/xinlian/node/receipt"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const bank, bank2 = "91410100Y00001124X", "91410300Y0000113XX"

func asks(t *testing.T, j *receipt.Journal, who string, n int) {
	t.Helper()
	for range n {
		if _, err := j.Record(pb.QueryReceipt{Subject: firm, Requester: who}, 0, receipt.Request{}); err != nil {
			t.Fatal(err)
		}
	}
}

// pages reads all that is wanted.
func pages(t *testing.T, j *receipt.Journal, w receipt.Wanted) (out []*receipt.Entry, proofs []*receipt.Proof, count int) {
	t.Helper()
	for {
		p, err := j.Page(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		count++
		out, proofs = append(out, p.Entries...), append(proofs, p.Proofs...)
		if w.After = p.Next; w.After == "" {
			return out, proofs, count
		}
	}
}

// A lender's page is made of its own receipts alone: those of others are not even read, which the damage of one shows. What an older program wrote is found too.
func TestPageOfALender(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	asks(t, j, bank, 1)
	asks(t, j, bank2, 600)
	asks(t, j, bank, 2)
	must(t, j.Close())
	db, err := bbolt.Open(filepath.Join(dir, receipt.FileName), 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("asked")) })) // as an older program has it
	must(t, db.Close())
	j = open(t, dir)
	asks(t, j, bank, 1)
	must(t, j.Close())
	db, err = bbolt.Open(filepath.Join(dir, receipt.FileName), 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("receipts")).Put([]byte{0, 0, 0, 0, 0, 0, 0, 2}, []byte("cut"))
	}))
	must(t, db.Close())
	j = open(t, dir)
	defer j.Close()
	for limit, want := range map[int]int{1: 4, 2: 2, 3: 2, 4: 1, 100: 1} {
		got, _, n := pages(t, j, receipt.Wanted{Subject: firm, Requester: bank, Limit: limit})
		if len(got) != 4 || n != want {
			t.Errorf("%d receipts on %d pages of %d", len(got), n, limit)
		}
		for _, e := range got {
			if e.Receipt.Requester != bank {
				t.Errorf("a receipt of %s", e.Receipt.Requester)
			}
		}
	}
	if _, err := j.Page(t.Context(), receipt.Wanted{Subject: firm, Limit: 10}); err == nil {
		t.Error("the firm's page passes over a receipt that was cut")
	}
}

// A page ends after as many receipts as it may read for its proofs, whoever asks may give up, and each proof leads to its anchor.
func TestPageIsBounded(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	defer receipt.PageLeaves(100)()
	for hour := range int64(4) {
		asks(t, j, bank, 40)
		asks(t, j, bank2, 20)
		if _, err := j.Seal(hour); err != nil {
			t.Fatal(err)
		}
	}
	asks(t, j, bank, 3)
	got, proofs, n := pages(t, j, receipt.Wanted{Subject: firm, Requester: bank, Limit: 1000})
	if len(got) != 163 || n < 2 {
		t.Errorf("%d receipts on %d pages", len(got), n)
	}
	for i, e := range got {
		p := proofs[i]
		if i >= 160 {
			if p != nil {
				t.Errorf("receipt %d has a proof before it is anchored", e.Seq)
			}
			continue
		}
		if p == nil || p.Hour != int64(i/40) || attest.ReceiptRoot(attest.ReceiptLeaf(e.Salt, e.Raw), p.Place, p.Path) != attest.Hash(p.Root) {
			t.Fatalf("receipt %d: %+v", e.Seq, p)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Page(ctx, receipt.Wanted{Subject: firm, Limit: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("who has given up gets %v", err)
	}
	// What is not to be shown yet is passed over, a part at a time.
	defer receipt.PageScan(50)()
	late := func(q *pb.QueryReceipt) bool { return bytes.Equal(q.Id, got[162].Receipt.Id) }
	shown, _, n := pages(t, j, receipt.Wanted{Subject: firm, Limit: 1, Shows: late})
	if len(shown) != 1 || n < 4 {
		t.Errorf("%d receipts on %d pages", len(shown), n)
	}
}

// Where a page ends says nothing of how many receipts there are of others, and is a place for its own reader alone.
func TestPlaces(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	asks(t, j, bank, 2)
	asks(t, j, bank2, 30)
	asks(t, j, bank, 2)
	own := receipt.Wanted{Subject: firm, Requester: bank, Limit: 3}
	p, err := j.Page(t.Context(), own)
	must(t, err)
	if len(p.Entries) != 3 || len(p.Next) != 32 {
		t.Fatalf("%d receipts, then %q", len(p.Entries), p.Next)
	}
	if own.After = p.Next; true {
		if p, err = j.Page(t.Context(), own); err != nil || len(p.Entries) != 1 || p.Next != "" {
			t.Errorf("after it %+v, %v", p, err)
		}
	}
	for _, w := range []receipt.Wanted{
		{Subject: firm, After: own.After},
		{Subject: firm, Requester: bank2, After: own.After},
		{Subject: other, Requester: bank, After: own.After},
		{Subject: firm, Requester: bank, After: strconv.Itoa(33)},
		{Subject: firm, Requester: bank, After: own.After[:31] + "g"},
		{Subject: firm, Requester: bank, After: own.After + "00"},
	} {
		if w.Limit = 3; true {
			if p, err := j.Page(t.Context(), w); err != receipt.ErrPlace {
				t.Errorf("%+v: %+v, %v", w, p, err)
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
