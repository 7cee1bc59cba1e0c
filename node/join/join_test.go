package join_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/join"
	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attesttest"
)

var bg = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// truth shows the headers of a cluster.
type truth struct{ c *apptest.Cluster }

func (s truth) Signed(_ context.Context, height int64) (*cmttypes.SignedHeader, error) {
	n := int64(len(s.c.Blocks))
	if height < 1 || height > n {
		return nil, fmt.Errorf("no header %d", height)
	}
	commit := s.c.Commit()
	if height < n {
		commit = s.c.Blocks[height].LastCommit
	}
	h := s.c.Blocks[height-1].Header
	commit = commit.Clone()
	for i := range commit.Signatures {
		commit.Signatures[i].Signature = bytes.Clone(commit.Signatures[i].Signature)
	}
	return &cmttypes.SignedHeader{Header: &h, Commit: commit}, nil
}

func (s truth) Validators(context.Context, int64) (*cmttypes.ValidatorSet, error) {
	return setOf(s.c.GenesisDoc()), nil
}

func setOf(doc *cmttypes.GenesisDoc) *cmttypes.ValidatorSet {
	var vals []*cmttypes.Validator
	for _, v := range doc.Validators {
		vals = append(vals, cmttypes.NewValidator(v.PubKey, v.Power))
	}
	return cmttypes.NewValidatorSet(vals)
}

// liar changes what truth says.
type liar struct {
	truth
	signed     func(height int64, h *cmttypes.SignedHeader)
	validators func(height int64, s *cmttypes.ValidatorSet) *cmttypes.ValidatorSet
}

func (l liar) Signed(ctx context.Context, height int64) (*cmttypes.SignedHeader, error) {
	h, err := l.truth.Signed(ctx, height)
	if err == nil && l.signed != nil {
		l.signed(height, h)
	}
	return h, err
}

func (l liar) Validators(ctx context.Context, height int64) (*cmttypes.ValidatorSet, error) {
	s, err := l.truth.Validators(ctx, height)
	if err == nil && l.validators != nil {
		s = l.validators(height, s)
	}
	return s, err
}

func chain(t *testing.T) (*apptest.Cluster, int64) {
	c := apptest.New(t, apptest.Options{Apps: 1})
	for range 6 {
		c.Block()
	}
	return c, 4
}

func TestState(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	doc := c.GenesisDoc()
	st, commit, err := join.State(bg, truth{c}, doc, join.TrustGenesis(doc), height)
	must(t, err)
	if !bytes.Equal(st.AppHash, c.Blocks[height].AppHash) || st.LastBlockHeight != height || commit.Height != height || !st.LastBlockTime.Equal(c.Blocks[height-1].Time) ||
		!bytes.Equal(st.LastResultsHash, c.Blocks[height].LastResultsHash) || !bytes.Equal(st.LastBlockID.Hash, c.Blocks[height-1].Hash()) {
		t.Fatalf("%+v", st)
	}
	if hash, err := join.AppHash(bg, truth{c}, doc.ChainID, join.TrustGenesis(doc), height); err != nil || !bytes.Equal(hash, st.AppHash) {
		t.Fatalf("%x %v", hash, err)
	}
	file, err := join.TrustFile(c.Trust(), height+1, clock(c))
	must(t, err)
	_, _, err = join.State(bg, truth{c}, doc, file, height)
	must(t, err)

	states, blocks := sm.NewStore(dbm.NewMemDB(), sm.StoreOptions{}), store.NewBlockStore(dbm.NewMemDB())
	for range 2 { // the second time as after a crash
		must(t, join.Prepare(states, blocks, st, commit))
	}
	have, err := states.Load()
	must(t, err)
	if have.LastBlockHeight != height || blocks.LoadSeenCommit(height) == nil {
		t.Fatal("the engine does not know where it is")
	}
	for h := height; h <= height+2; h++ {
		if _, err := states.LoadValidators(h); err != nil {
			t.Errorf("validators of height %d: %v", h, err)
		}
	}
	other, otherCommit, err := join.State(bg, truth{c}, doc, join.TrustGenesis(doc), height-1)
	must(t, err)
	if err := join.Prepare(states, blocks, other, otherCommit); err == nil {
		t.Error("another height was written over the first")
	}
}

func TestLiesAreRefused(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	doc := c.GenesisDoc()
	strangers := attesttest.Equal("strangers", 4)
	for _, tc := range []struct {
		name string
		lie  liar
		want string
	}{
		{"another app hash", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height+1 {
				s.AppHash = bytes.Repeat([]byte{1}, 32)
			}
		}}, "is false"},
		{"a commit by half", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			for i := range 2 {
				s.Commit.Signatures[i] = cmttypes.NewCommitSigAbsent()
			}
		}}, "is not signed"},
		{"a false signature", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height+1 {
				for i := range 3 {
					s.Commit.Signatures[i].Signature[3] ^= 1
				}
			}
		}}, "is not signed"},
		{"one false signature among enough", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height {
				s.Commit.Signatures[3].Signature[3] ^= 1
			}
		}}, "is not signed"},
		{"a false commit of the height itself", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height {
				for i := range 3 {
					s.Commit.Signatures[i].Signature[3] ^= 1
				}
			}
		}}, "is not signed"},
		{"validators of its own", liar{validators: func(int64, *cmttypes.ValidatorSet) *cmttypes.ValidatorSet { return strangers.ValidatorSet }}, "is false"},
		{"next validators of its own", liar{validators: func(h int64, s *cmttypes.ValidatorSet) *cmttypes.ValidatorSet {
			if h == height+2 {
				return strangers.ValidatorSet
			}
			return s
		}}, "announces"},
		{"a whole chain of strangers", liar{
			signed: func(h int64, s *cmttypes.SignedHeader) {
				set := strangers.ValidatorSet.Hash()
				s.ValidatorsHash, s.NextValidatorsHash, s.ProposerAddress = set, set, strangers.Validators[0].Address
				resign(t, c.Chain, strangers, s)
			},
			validators: func(int64, *cmttypes.ValidatorSet) *cmttypes.ValidatorSet { return strangers.ValidatorSet },
		}, "more than two thirds of the power that the genesis file names"},
		{"another block of the height, signed by all", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height {
				s.Time = s.Time.Add(time.Second)
				resign(t, c.Chain, attesttest.Equal("apptest", 4), s)
			}
		}}, "does not follow"},
		{"the header of another height", liar{signed: func(h int64, s *cmttypes.SignedHeader) {
			if h == height {
				o, err := truth{c}.Signed(bg, height-1)
				must(t, err)
				*s = *o
			}
		}}, "was asked for"},
	} {
		tc.lie.truth = truth{c}
		if _, _, err := join.State(bg, tc.lie, doc, join.TrustGenesis(doc), height); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}

	params := *doc
	p := *doc.ConsensusParams
	p.Block.MaxBytes--
	params.ConsensusParams = &p
	if _, _, err := join.State(bg, truth{c}, &params, join.TrustGenesis(doc), height); err == nil || !strings.Contains(err.Error(), "consensus parameters") {
		t.Errorf("other parameters: %v", err)
	}
	if _, _, err := join.State(bg, truth{c}, doc, join.TrustGenesis(doc), 6); err == nil {
		t.Error("a height whose next header is not there")
	}
}

// resign makes validators sign a header whatever it says.
func resign(t *testing.T, chainID string, set *attesttest.Set, s *cmttypes.SignedHeader) {
	t.Helper()
	id := cmttypes.BlockID{Hash: s.Header.Hash(), PartSetHeader: s.Commit.BlockID.PartSetHeader}
	s.Commit = &cmttypes.Commit{Height: s.Height, BlockID: id}
	for i, v := range set.Validators {
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: s.Height, BlockID: id.ToProto(), Timestamp: s.Time}
		sig, err := set.Key(i).Sign(cmttypes.VoteSignBytes(chainID, vote))
		must(t, err)
		s.Commit.Signatures = append(s.Commit.Signatures, cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: s.Time, Signature: sig,
		})
	}
}

// TestTwoThirds: exactly two thirds of the trusted power are not enough.
func TestTwoThirds(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	doc := c.GenesisDoc()
	for extra, pass := range map[int]bool{0: true, 1: true, 2: false, 4: false} {
		trust := c.Trust()
		if extra > 0 {
			trust.Validators = append(trust.Validators, attesttest.Equal("absent", extra).Trusted(1, 0)...)
		}
		who, err := join.TrustFile(trust, height+1, clock(c))
		must(t, err)
		if _, err := join.AppHash(bg, truth{c}, doc.ChainID, who, height); (err == nil) != pass {
			t.Errorf("4 of %d trusted validators signed: %v", 4+extra, err)
		}
	}
	if _, err := join.TrustFile(&attest.Trust{Anchor: attest.Anchor{Height: 9}, Validators: c.Trust().Validators, NotAfter: time.Now()}, 8, clock(c)); err == nil {
		t.Error("a height before the trust file's anchor")
	}
}

// clock is a moment at which a cluster's trust file is in force.
func clock(c *apptest.Cluster) time.Time { return c.Blocks[len(c.Blocks)-1].Time.Add(time.Minute) }

// TestTrustFileBounds: what a trust file says of times and of one block holds for who joins as it does for a verifier.
func TestTrustFileBounds(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	signed, now := c.Blocks[height].Time, c.Blocks[height].Time.Add(7*24*time.Hour) // of the header at height+1, which vouches for the snapshot
	window := "header 5 is not believed: E_TRUST_WINDOW (step 12): at %s a validator of its set is outside its window of time in the trust file; take a snapshot of a later height"
	today, then := fmt.Sprintf(window, now.UTC().Format(time.RFC3339)), fmt.Sprintf(window, signed.UTC().Format(time.RFC3339))
	for _, tc := range []struct {
		name   string
		change func(*attest.Trust)
		want   string // empty: it passes
	}{
		{"windows that hold both times", func(f *attest.Trust) { f.Validators[0].ValidFrom, f.Validators[0].ValidUntil = signed, now }, ""},
		{"ended long ago", func(f *attest.Trust) { f.Validators[0].ValidUntil = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }, today},
		{"ended since", func(f *attest.Trust) { f.Validators[3].ValidUntil = now.Add(-1) }, today},
		{"replaced, and ended a week ago", func(f *attest.Trust) { f.Validators[0].UntilHeight, f.Validators[0].ValidUntil = height+1, signed }, ""},
		{"not yet begun", func(f *attest.Trust) { f.Validators[0].ValidFrom = now.Add(1) }, today},
		{"younger than the header", func(f *attest.Trust) { f.Validators[0].ValidFrom = signed.Add(1) }, then},
		{"ended for other heights", func(f *attest.Trust) {
			old := f.Validators[0]
			old.UntilHeight, old.ValidUntil = height, signed
			f.Validators[0].FromHeight = height + 1
			f.Validators = append(f.Validators, old)
		}, ""},
		{"the anchor is the header", func(f *attest.Trust) { f.Anchor = anchor(c, height+1) }, ""},
		{
			"the anchor is another header", func(f *attest.Trust) { f.Anchor = attest.Anchor{Height: height + 1, HeaderHash: attest.Hash{1}} },
			"header 5 is not believed: E_ANCHOR (step 5): the block at height 5 is not the anchor of the trust file; ask another member",
		},
		{"the anchor is the snapshot's block", func(f *attest.Trust) { f.Anchor = anchor(c, height) }, ""},
		{
			"the anchor is another block than the snapshot's", func(f *attest.Trust) { f.Anchor = attest.Anchor{Height: height, HeaderHash: attest.Hash{1}} },
			"header 5 is not believed: E_ANCHOR (step 5): the block at height 5 does not follow the anchor of the trust file; ask another member",
		},
	} {
		trust := c.Trust()
		tc.change(trust)
		must(t, trust.Check())
		who, err := join.TrustFile(trust, height+1, now)
		if err == nil {
			_, err = join.AppHash(bg, truth{c}, c.Chain, who, height)
		}
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err == nil {
			continue
		}
		chinese := lang.Ledger().Text(lang.Chinese, err.Error())
		if !strings.Contains(chinese, "不予采信") || strings.Contains(chinese, "header") {
			t.Errorf("%s: in Chinese: %s", tc.name, chinese)
		}
	}
	replaced := c.Trust()
	replaced.Validators[0].UntilHeight, replaced.Validators[0].ValidUntil = height+1, signed
	if _, err := join.TrustFile(replaced, height+1, now.Add(1)); err == nil {
		t.Error("replaced, and ended more than a week ago")
	}
}

func anchor(c *apptest.Cluster, height int64) attest.Anchor {
	return attest.Anchor{Height: height, HeaderHash: attest.Hash(c.Blocks[height-1].Hash())}
}

// TestHeadersFile writes the headers, reads them, and flips every byte: what passes says the same.
func TestHeadersFile(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	doc := c.GenesisDoc()
	path := filepath.Join(t.TempDir(), "headers")
	must(t, join.WriteHeaders(bg, path, truth{c}, height))
	src, err := join.ReadHeaders(path)
	must(t, err)
	want, _, err := join.State(bg, src, doc, join.TrustGenesis(doc), height)
	must(t, err)
	raw, err := os.ReadFile(path)
	must(t, err)
	passed := 0
	for i := range raw {
		raw[i] ^= 1
		must(t, os.WriteFile(path, raw, 0o600))
		raw[i] ^= 1
		src, err := join.ReadHeaders(path)
		if err != nil {
			continue
		}
		st, _, err := join.State(bg, src, doc, join.TrustGenesis(doc), height)
		if err != nil {
			continue
		}
		passed++
		if !bytes.Equal(st.AppHash, want.AppHash) || !bytes.Equal(st.NextValidators.Hash(), want.NextValidators.Hash()) ||
			!bytes.Equal(st.Validators.Hash(), want.Validators.Hash()) || st.LastBlockID.String() != want.LastBlockID.String() || st.LastBlockTime != want.LastBlockTime {
			t.Fatalf("byte %d flipped: another state", i)
		}
	}
	t.Logf("%d of %d bytes are of what no header binds: turns to propose", passed, len(raw))
	for n := range 40 {
		must(t, os.WriteFile(path, raw[:len(raw)*n/40], 0o600))
		if src, err := join.ReadHeaders(path); err == nil {
			if _, _, err := join.State(bg, src, doc, join.TrustGenesis(doc), height); err == nil {
				t.Fatalf("cut to %d of 40 parts, the file is taken", n)
			}
		}
	}
}

// TestProvider answers the engine's questions.
func TestProvider(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	p := &join.Provider{Sources: []join.Source{{Name: "truth", Headers: truth{c}}}, Genesis: c.GenesisDoc(), Trust: func(h int64) (*join.Trusted, error) { return join.TrustFile(c.Trust(), h, clock(c)) }}
	hash, err := p.AppHash(bg, uint64(height))
	must(t, err)
	commit, err := p.Commit(bg, uint64(height))
	must(t, err)
	st, err := p.State(bg, uint64(height))
	must(t, err)
	if !bytes.Equal(hash, c.Blocks[height].AppHash) || commit.Height != height || st.LastBlockHeight != height {
		t.Fatal("the answers do not fit together")
	}
	for _, h := range []uint64{0, 6, 7, 1 << 63} {
		var log bytes.Buffer
		p.Log = slog.New(slog.NewTextHandler(&log, nil))
		if _, err := p.AppHash(bg, h); err == nil {
			t.Errorf("height %d is answered", h)
		}
		if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, fmt.Sprintf("height=%d err=", h)) {
			t.Errorf("height %d: the log says %q, want one line with the reason", h, said)
		}
	}
}

// asked counts the questions that somebody is asked, and answers none: with an error, or not before whoever asks gives up.
type asked struct {
	join.Headers
	silent bool
	n      int
}

func (a *asked) Signed(ctx context.Context, _ int64) (*cmttypes.SignedHeader, error) {
	a.n++
	if a.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, errors.New("nobody is there")
}

// counted counts the questions that a source is asked.
type counted struct {
	join.Headers
	n int
}

func (c *counted) Signed(ctx context.Context, height int64) (*cmttypes.SignedHeader, error) {
	c.n++
	return c.Headers.Signed(ctx, height)
}

// TestProviderPassesOver: one source that answers the truth is enough, in the time that the engine gives. Those who had no answer, or a false one, are not
// asked again while it answers, and what is known of a height is not asked for twice.
func TestProviderPassesOver(t *testing.T) {
	t.Parallel()
	c, height := chain(t)
	synctest.Test(t, func(t *testing.T) { passesOver(t, c, height) }) // in which who is silent takes no time
}

func passesOver(t *testing.T, c *apptest.Cluster, height int64) {
	lies := &counted{Headers: liar{truth: truth{c}, signed: func(h int64, s *cmttypes.SignedHeader) { s.AppHash = bytes.Repeat([]byte{1}, 32) }}}
	down, silent, honest := new(asked), &asked{silent: true}, &counted{Headers: truth{c}}
	var log bytes.Buffer
	p := &join.Provider{
		Sources: []join.Source{{"down", down}, {"silent", silent}, {"liar", lies}, {"honest", honest}},
		Genesis: c.GenesisDoc(), Trust: func(h int64) (*join.Trusted, error) { return join.TrustFile(c.Trust(), h, clock(c)) },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	ctx, cancel := context.WithTimeout(bg, 3*time.Second) // the silent one has a third of what is left
	defer cancel()
	hash, err := p.AppHash(ctx, uint64(height))
	must(t, err)
	if !bytes.Equal(hash, c.Blocks[height].AppHash) || down.n != 1 || silent.n != 1 || lies.n != 1 {
		t.Fatalf("app hash %x; asked: %d, %d, %d", hash, down.n, silent.n, lies.n)
	}
	if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "answered=honest") || !strings.Contains(said, "liar: header") {
		t.Errorf("the log says %q, want one line with who was passed over", said)
	}
	before := honest.n
	st, err := p.State(ctx, uint64(height))
	must(t, err)
	commit, err := p.Commit(ctx, uint64(height))
	must(t, err)
	if honest.n != before || !bytes.Equal(st.AppHash, hash) || commit.Height != height {
		t.Errorf("the same height was asked for again: %d questions, then %d", before, honest.n)
	}
	st, err = p.State(bg, uint64(height-1))
	must(t, err)
	if st.LastBlockHeight != height-1 || down.n != 1 || silent.n != 1 || lies.n != 1 {
		t.Errorf("another height, %d: asked: %d, %d, %d", st.LastBlockHeight, down.n, silent.n, lies.n)
	}
	p.Sources = []join.Source{{"down", down}, {"liar", lies}}
	if _, err := p.State(bg, uint64(height)); err == nil || !strings.Contains(err.Error(), "down: nobody is there") || !strings.Contains(err.Error(), "liar: header") {
		t.Errorf("nobody has the truth: %v", err)
	}
}
