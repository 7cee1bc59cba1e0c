package bench

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/sanction"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestLoadIsAccepted: what a run sends takes effect, so that what it measures is the work of recording.
func TestLoadIsAccepted(t *testing.T) {
	c := apptest.New(t, apptest.Options{Apps: 1})
	actor := func(name, at string) signer {
		a := c.Actors[name]
		k, err := keys.FromSecret(name, crypto.FromECDSA(a.Key))
		if err != nil {
			t.Fatal(err)
		}
		return signer{key: k, uscc: a.USCC, at: at}
	}
	s := &source{
		chain: c.Chain, run: runs - 1, today: c.Today(), registry: actor("registry", ""),
		agencies: []signer{actor("zz-scjg", "410100"), actor("gy-scjg", "410181")},
		now:      func() time.Time { return time.Unix(1_780_000_000, 0) }, // the cluster's genesis
	}
	const firms, txs, perTx = 25, 6, 10
	enrol, err := s.enrolments(0, firms, 10)
	if err != nil {
		t.Fatal(err)
	}
	record, err := s.penalties(txs, perTx, firms)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range [][][]byte{enrol, record} {
		results := c.Block(block...)
		if len(results) != len(block) {
			t.Fatalf("%d of %d transactions are in the block", len(results), len(block))
		}
		for _, r := range results {
			if r.Code != 0 {
				t.Fatal(r.Log)
			}
		}
	}
	n := 0
	c.Read(func(r x.Reader) {
		sanction.All(r, func(*pb.Dishonesty) bool { n++; return true })
	})
	if n != txs*perTx {
		t.Errorf("%d records stand, %d were sent: some have one number", n, txs*perTx)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, tc := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{nil, 0.5, 0}, {[]float64{7}, 0.99, 7}, {hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred[:10], 0.99, 10},
	} {
		if got := quantile(tc.values, tc.q); got != tc.want {
			t.Errorf("quantile %g of %d values: %g, want %g", tc.q, len(tc.values), got, tc.want)
		}
	}
}

// TestRefusals: what cannot be is refused before anything is made.
func TestRefusals(t *testing.T) {
	for name, o := range map[string]Options{
		"validators":     {Validators: 21},
		"per tx":         {PerTx: pb.MessagesMax + 1},
		"records":        {Records: -1},
		"senders":        {Workers: WorkersMax + 1},
		"subjects":       {Subjects: SubjectsMax + 1},
		"rate":           {Rate: -1},
		"inside of four": {Inside: true, Validators: 4},
		"inside, killed": {Inside: true, Kill: true},
		"profile":        {Profile: "cpu.prof"},
	} {
		if _, err := Load(context.Background(), o); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: got %v, want a usage error", name, err)
		}
	}
	if _, err := Drive(context.Background(), nil, Plan{Txs: [][]byte{{1}}}); err == nil {
		t.Error("no node: no error")
	}
	if _, err := Drive(context.Background(), []Endpoint{{RPC: "http://127.0.0.1:1"}}, Plan{}); err == nil {
		t.Error("nothing to send: no error")
	}
}
