package app

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// TestFormatVectors holds the application's own rows, and the values of the app hash's entries, against the vectors of x/standing/FORMAT.md.
func TestFormatVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../x/standing/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Secret  string
		Buckets []struct {
			ExpiresAt    int64 `json:"expires_at"`
			Transactions []string
			RowKey       string `json:"row_key"`
			Row          string
		}
		Files []struct{ Entries []string }
		Log   []struct {
			Size  uint64
			Value string
		} `json:"log_entries"`
		Catalog []struct{ Action, Value string }
		Packs   []struct {
			State             string
			Serious, Negative []string
			Value             string
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	o := newOverlay(empty{})
	for _, b := range v.Buckets {
		for _, id := range b.Transactions {
			seen := seenBuckets{}
			seen.mark(o, [32]byte(unhex(id)), b.ExpiresAt)
			seen.put(o)
		}
		if row, ok := o.Get(unhex(b.RowKey)); !ok || hex.EncodeToString(row) != b.Row {
			t.Errorf("bucket %s: %x", b.RowKey, row)
		}
		last := (b.ExpiresAt/60)*60 + 59
		if dropSeen(o, 0, last, sweepLeast); !seen(o, [32]byte(unhex(b.Transactions[0])), b.ExpiresAt) {
			t.Error("the bucket went in its last second")
		}
		if dropSeen(o, 0, last+1, sweepLeast); seen(o, [32]byte(unhex(b.Transactions[0])), b.ExpiresAt) {
			t.Error("the bucket outlives its minute")
		}
	}
	for _, l := range v.Log {
		var f tree.Frontier
		for _, e := range v.Files[0].Entries[:l.Size] {
			f.Append(tree.LogLeaf(unhex(e)))
		}
		if got := hex.EncodeToString(logValue(f)); got != l.Value {
			t.Errorf("log of %d: %s", l.Size, got)
		}
	}
	for _, p := range v.Packs {
		o := newOverlay(empty{})
		for i, codes := range [][]string{p.Serious, p.Negative} {
			var changes []packChange
			for _, code := range codes {
				changes = append(changes, packChange{tree.PathOf(standing.LeafKey(code)), true})
			}
			changePack(o, pb.PackSets[i], changes)
		}
		if got := hex.EncodeToString(packRootsOf(o).value(unhex(v.Secret), tree.Hash(unhex(p.State)))); got != p.Value {
			t.Errorf("packs %v: %s", p, got)
		}
	}
	ctx := newCtx(newOverlay(empty{}), &x.Chain{ClockRate: 1}, 0, 0)
	if err := catalog.Import(ctx, &pb.Genesis{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Catalog {
		if c.Action != "" {
			a := new(pb.Action)
			if err := pb.Decode(unhex(c.Action), a); err != nil {
				t.Fatal(err)
			}
			if _, err := catalog.Apply(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if got := hex.EncodeToString(catalogValue(ctx)); got != c.Value {
			t.Errorf("catalogue: %s, want %s", got, c.Value)
		}
	}
}
