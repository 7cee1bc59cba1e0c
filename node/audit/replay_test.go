package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/audit"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// chain is a source over a cluster's blocks, which a test can spoil.
type chain struct {
	c       *apptest.Cluster
	spoil   func(b *cmttypes.Block)
	cut     func(raw []byte) []byte // the bytes that the proposer cut into parts
	at      int64
	commit  *cmttypes.Commit
	results func(height int64) []*abci.ExecTxResult
	state   *app.Snapshot
	edit    edit
	noted   []byte // app hash of the state; nil: what it is
	closed  error  // what the state says
	asked   bool   // for a block
}

// edit is what a state lacks, or has besides.
type edit struct {
	hide   func(key []byte) bool
	more   []byte // the first row of its table
	change []byte // a row with another value
}

type edited struct {
	*app.Snapshot
	edit
}

func (s edited) Get(key []byte) ([]byte, bool) {
	if s.hide != nil && s.hide(key) {
		return nil, false
	}
	return s.Snapshot.Get(key)
}

func (s edited) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	if bytes.HasPrefix(s.more, prefix) && !fn(s.more, make([]byte, 8)) {
		return
	}
	s.Snapshot.Iterate(prefix, start, func(key, value []byte) bool {
		if s.change != nil && bytes.Equal(key, s.change) {
			value = append(bytes.Clone(value), 0)
		}
		return s.hide != nil && s.hide(key) || fn(key, value)
	})
}

func (s *chain) Genesis(context.Context) (*cmttypes.GenesisDoc, error) { return s.c.GenesisDoc(), nil }

func (s *chain) Range(context.Context) (int64, int64, error) {
	return 1, int64(len(s.c.Blocks)), nil
}

func (s *chain) Block(_ context.Context, h int64) (*cmttypes.Block, []byte, error) {
	s.asked = true
	if h > int64(len(s.c.Blocks)) {
		return nil, nil, errors.New("no such block")
	}
	proto, err := s.c.Blocks[h-1].ToProto()
	if err != nil {
		return nil, nil, err
	}
	raw, err := proto.Marshal() // a copy: the fields of a converted block share memory
	if err != nil {
		return nil, nil, err
	}
	if s.cut != nil && h == s.at {
		raw = s.cut(raw)
	}
	fresh := new(cmtproto.Block)
	if err := fresh.Unmarshal(raw); err != nil {
		return nil, nil, err
	}
	b, err := cmttypes.BlockFromProto(fresh)
	if err == nil && s.spoil != nil && h == s.at {
		s.spoil(b)
		raw = nil
	}
	return b, raw, err
}

func (s *chain) Commit(context.Context, int64) (*cmttypes.Commit, error) {
	if s.commit != nil {
		return s.commit, nil
	}
	return s.c.Commit(), nil
}

func (s *chain) Results(_ context.Context, h int64) ([]*abci.ExecTxResult, error) {
	if s.results == nil {
		return nil, nil
	}
	return s.results(h), nil
}

func (s *chain) State(context.Context) (*audit.State, error) {
	if s.state == nil {
		return nil, s.closed
	}
	hash := s.c.Apps[0].Status().AppHash
	if s.noted != nil {
		hash = s.noted
	}
	return &audit.State{Height: int64(len(s.c.Blocks)), AppHash: hash, Open: func() (x.Reader, func(), error) {
		snap, err := s.c.Apps[0].At(s.state.Height())
		return edited{snap, s.edit}, func() { snap.Close() }, err
	}}, nil
}

func (s *chain) Close() error { return nil }

// story makes a chain with something on it.
func story(t *testing.T) *apptest.Cluster {
	t.Helper()
	s := apptest.New(t, apptest.Options{Apps: 1})
	firm := apptest.USCC("91410100", "Y0000501")
	enrol := func(uscc string) pb.Msg {
		return pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
			Issuer:  s.Actors["registry"].USCC,
			Subject: pb.Subject{Uscc: uscc, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
		}}}
	}
	s.Block(s.Sign("registry", enrol(firm), enrol(apptest.USCC("91410100", "Y0000502"))))
	s.Block()
	s.Block(s.Sign("ops", enrol(firm))) // refused: not the registry
	s.Block(s.Sign("registry", enrol(apptest.USCC("91410100", "Y0000503"))))
	return s
}

func TestReplayAgrees(t *testing.T) {
	c := story(t)
	var snap *app.Snapshot
	snap, err := c.Apps[0].At(0)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	r, err := audit.Replay(context.Background(), &chain{c: c, state: snap}, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Agrees || r.Blocks != c.Height() || r.Transactions != 3 || r.StateRows == 0 || r.Signatures != 4*c.Height() {
		t.Fatalf("report %s", r.JSON())
	}
}

// TestReplayOpensTheStateFirst: that a state cannot be read is not said after an hour of work.
func TestReplayOpensTheStateFirst(t *testing.T) {
	s := &chain{c: story(t), closed: errors.New("was not closed properly")}
	if _, err := audit.Replay(context.Background(), s, audit.Options{}); !errors.Is(err, s.closed) || s.asked {
		t.Fatalf("%v; asked for a block: %v", err, s.asked)
	}
}

func TestReplayStopsAtHeight(t *testing.T) {
	r, err := audit.Replay(context.Background(), &chain{c: story(t)}, audit.Options{To: 2})
	// The commit of height 2 stands in block 3; this source hands out the newest commit for every height, which is a difference.
	if err != nil || r.Agrees || r.Difference.Where != "commit" {
		t.Fatalf("report %v, error %v", r, err)
	}
}

// reseal makes the hashes inside a block agree again, so that only what was spoiled is wrong.
func reseal(b *cmttypes.Block) {
	b.DataHash, b.LastCommitHash = b.Data.Hash(), b.LastCommit.Hash()
}

func TestReplayFindsDifferences(t *testing.T) {
	for name, tc := range map[string]struct {
		at    int64
		spoil func(b *cmttypes.Block)
		where string
	}{
		"app hash":        {3, func(b *cmttypes.Block) { b.AppHash[0] ^= 1 }, "app_hash"},
		"results":         {3, func(b *cmttypes.Block) { b.LastResultsHash[0] ^= 1 }, "last_results_hash"},
		"validators":      {2, func(b *cmttypes.Block) { b.ValidatorsHash[0] ^= 1 }, "validators_hash"},
		"next validators": {2, func(b *cmttypes.Block) { b.NextValidatorsHash[0] ^= 1 }, "next_validators_hash"},
		"parameters":      {2, func(b *cmttypes.Block) { b.ConsensusHash[0] ^= 1 }, "consensus_hash"},
		"previous block":  {2, func(b *cmttypes.Block) { b.LastBlockID.Hash[0] ^= 1 }, "last_block_id"},
		"chain":           {2, func(b *cmttypes.Block) { b.ChainID = "test-other" }, "chain_id"},
		"rule version":    {2, func(b *cmttypes.Block) { b.Version.App = 2 }, "version.app"},
		"time":            {3, func(b *cmttypes.Block) { b.Time = b.Time.Add(1) }, "time"},
		"proposer":        {2, func(b *cmttypes.Block) { b.ProposerAddress[0] ^= 1 }, "proposer"},
		"signature":       {3, func(b *cmttypes.Block) { b.LastCommit.Signatures[3].Signature[0] ^= 1; reseal(b) }, "commit"},
		"few signatures": {3, func(b *cmttypes.Block) {
			b.LastCommit.Signatures[2], b.LastCommit.Signatures[3] = cmttypes.NewCommitSigAbsent(), cmttypes.NewCommitSigAbsent()
			reseal(b)
		}, "commit"},
		// A transaction left out changes what the next header says of the state.
		"transaction left out": {1, func(b *cmttypes.Block) { b.Txs = nil; b.Data = cmttypes.Data{}; reseal(b) }, "last_block_id"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := audit.Replay(context.Background(), &chain{c: story(t), at: tc.at, spoil: tc.spoil}, audit.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Agrees || r.Difference == nil || r.Difference.Where != tc.where {
				t.Fatalf("found %v, want a difference in %s", r.Difference, tc.where)
			}
		})
	}
}

// TestReplayHashesTheBytes: votes name the bytes of a block, and not what is read from them. A field that no version knows is read over.
func TestReplayHashesTheBytes(t *testing.T) {
	unknown := func(raw []byte) []byte { return append(raw, 15<<3|2, 1, 'x') } // field 15
	r, err := audit.Replay(context.Background(), &chain{c: story(t), at: 2, cut: unknown}, audit.Options{})
	if err != nil || r.Difference == nil || r.Difference.Where != "last_block_id" || r.Difference.Height != 3 {
		t.Fatalf("report %v, error %v", r, err)
	}
}

func TestReplayNamesTransactionAndKey(t *testing.T) {
	c := story(t)
	r, err := audit.Replay(context.Background(), &chain{c: c, results: func(h int64) []*abci.ExecTxResult {
		if h != 3 {
			return nil
		}
		return []*abci.ExecTxResult{{Code: 0}}
	}}, audit.Options{})
	if err != nil || r.Difference == nil || r.Difference.Tx != 0 || r.Difference.TxID == "" || !strings.Contains(r.Difference.Error(), "height 3") {
		t.Fatalf("report %v, error %v", r, err)
	}

	snap, err := c.Apps[0].At(1) // an older state in place of the newest
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	r, err = audit.Replay(context.Background(), &chain{c: c, state: snap}, audit.Options{})
	if err != nil || r.Difference == nil || r.Difference.Where != "state" || r.Difference.Key == "" {
		t.Fatalf("report %v, error %v", r, err)
	}
}

// TestReplayComparesTheAppHash: the rows agree, and the state notes another app hash than they make.
func TestReplayComparesTheAppHash(t *testing.T) {
	c := story(t)
	snap, err := c.Apps[0].At(0)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	r, err := audit.Replay(context.Background(), &chain{c: c, state: snap, noted: make([]byte, 32)}, audit.Options{})
	if err != nil || r.Agrees || r.Difference.Where != "state_app_hash" || r.StateRows == 0 {
		t.Fatalf("report %v, error %v", r, err)
	}
}

// TestReplayUnswept: rows of expired transactions that the node has and the replay does not, or the other way round, are no difference: an older program
// forgets them at once, and forgets none that it finds so. A difference is any other row of the seen-set.
func TestReplayUnswept(t *testing.T) {
	c := apptest.New(t, apptest.Options{Apps: 1})
	txs := func(n int) (out [][]byte) {
		for range n {
			out = append(out, c.Sign("ops", pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: apptest.USCC("91410100", "Y0000501"), Region: "410100", Category: 1},
			}}}))
		}
		return out
	}
	c.Block(txs(1100)...)
	c.GoTo(c.Today() + 400)
	c.Block(txs(1)...)
	snap, err := c.Apps[0].At(0)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	now := c.Blocks[1].Time.Unix()
	unswept := func(key []byte) bool { return app.Unswept(key, now) }
	var all, stands [][]byte
	for _, prefix := range []byte{0x02, 0x0e} {
		snap.Iterate([]byte{prefix}, nil, func(key, _ []byte) bool {
			if all = append(all, key); !unswept(key) {
				stands = append(stands, key)
			}
			return true
		})
	}
	if len(all) != 1+99+1 || len(stands) != 1 { // 1,001 of 1,100 are gone; which is the first of the others; and one that stands
		t.Fatalf("%d rows, of which %d stand", len(all), len(stands))
	}
	other := bytes.Clone(all[0])
	other[40] ^= 1
	young := bytes.Clone(stands[0])
	young[40] ^= 1
	for _, tc := range []struct {
		edit edit
		key  []byte // that differs
	}{
		{edit{}, nil},
		{edit{hide: unswept}, nil},
		{edit{more: other}, nil},
		{edit{hide: unswept, more: other}, nil},
		{edit{more: young}, young},
		{edit{hide: func(key []byte) bool { return bytes.Equal(key, stands[0]) }}, stands[0]},
	} {
		r, err := audit.Replay(context.Background(), &chain{c: c, state: snap, edit: tc.edit}, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Agrees != (tc.key == nil) || !r.Agrees && r.Difference.Key != fmt.Sprintf("%x", tc.key) {
			t.Errorf("want %x: %s", tc.key, r.JSON())
		}
	}
}

// TestReplayComparesEveryTable: of every table that has rows, one that is gone, changed or too many is named.
func TestReplayComparesEveryTable(t *testing.T) {
	c := story(t)
	snap, err := c.Apps[0].At(0)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	replay := func(e edit) *audit.Report {
		t.Helper()
		r, err := audit.Replay(context.Background(), &chain{c: c, state: snap, edit: e}, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rows := int64(0)
	now := c.Blocks[len(c.Blocks)-1].Time.Unix()
	for _, table := range x.Tables() {
		var first []byte
		snap.Iterate([]byte{table.Prefix}, nil, func(key, _ []byte) bool {
			if app.Unswept(key, now) {
				return true
			}
			if first == nil {
				first = bytes.Clone(key)
			}
			rows++
			return true
		})
		if first == nil {
			continue
		}
		more := append(bytes.Clone(first[:1]), 0) // before all others
		for _, tc := range []struct {
			edit edit
			key  []byte
		}{
			{edit{hide: func(key []byte) bool { return bytes.Equal(key, first) }}, first},
			{edit{change: first}, first},
			{edit{more: more}, more},
		} {
			if r := replay(tc.edit); r.Agrees || r.Difference.Key != fmt.Sprintf("%x", tc.key) || r.Difference.Table != table.Layout {
				t.Errorf("table %s, key %x: %s", table.Layout, tc.key, r.JSON())
			}
		}
	}
	if r := replay(edit{}); !r.Agrees || r.StateRows != rows || rows < 20 {
		t.Fatalf("%d rows stand: %s", rows, r.JSON())
	}
}
