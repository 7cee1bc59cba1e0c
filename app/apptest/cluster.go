// Package apptest runs several applications in one process under scripted consensus, and speaks to them in the words of the field.
//
// Cluster delivers the same blocks to all of its applications, through proposal, processing, execution and commit, and fails as soon as
// two of them differ. It signs real headers with real validator keys, so that what it proves can be verified. Script runs files of commands
// in domain words over a Cluster; its scripts under testdata are the rules' tests and the tutorial of the ledger.
//
// Trust: none is needed; the keys here are derived from published words.
package apptest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/go-cmp/cmp"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/networks/henan"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attesttest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// Actor is a member with its key.
type Actor struct {
	Name string
	USCC string
	Key  *ecdsa.PrivateKey
}

// Address of the actor's key.
func (a Actor) Address() []byte { return crypto.PubkeyToAddress(a.Key.PublicKey).Bytes() }

// Options of New.
type Options struct {
	Apps    int           // applications side by side; 0 = 2
	ChainID string        // empty = test-apptest
	Start   calendar.Date // first legal day; 0 = 2026-07-15
	Dirs    []string      // state folders, one an application; empty, all or one = in memory
	Edit    func(*pb.Genesis)
	Checks  bool                         // check all invariants after each block
	Window  int                          // heights that can be proven; 0 = default
	Workers []int                        // of each application; empty = default
	OnRead  func(key []byte, found bool) // app.Options.OnRead of all applications
	Known   bool                         // all applications keep standings in memory; without it every other one does
	InTime  bool                         // all applications write a block when it is committed, for tests that read them all
}

// Cluster is a network without a network.
type Cluster struct {
	tb     testing.TB
	Apps   []*app.App
	Actors map[string]Actor
	Chain  string
	Secret []byte

	opts    Options
	set     *attesttest.Set
	genesis []byte
	height  int64
	now     time.Time
	start   time.Time
	legal   int64
	nonce   uint64
	Blocks  []*cmttypes.Block    // all of them, as the engine would have made them
	lastID  cmttypes.BlockID     // of the newest block
	Results []*abci.ExecTxResult // of the newest block
	AppHash []byte               // after the newest block
	txs     [][]byte
	doc     *cmttypes.GenesisDoc
}

// rate is how many legal seconds pass in a second of block time.
const rate = 86400

// New starts a cluster at its genesis.
func New(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	if o.Apps == 0 {
		o.Apps = 2
	}
	if o.ChainID == "" {
		o.ChainID = "test-apptest"
	}
	if o.Start == 0 {
		o.Start, _ = calendar.FromYMD(2026, 7, 15)
	}
	c := &Cluster{
		tb: tb, opts: o, Chain: o.ChainID, set: attesttest.Equal("apptest", 4), Actors: map[string]Actor{},
		start: time.Unix(1_780_000_000, 0).UTC(), legal: calendar.StartUnix(o.Start) + 8*3600,
	}
	c.now = c.start
	g := c.Genesis()
	if o.Edit != nil {
		o.Edit(g)
	}
	c.Secret = g.Secret
	raw, err := app.GenesisJSON(g)
	must(tb, err)
	c.genesis = raw
	c.doc = c.makeDoc()
	for i := range o.Apps {
		c.Apps = append(c.Apps, c.open(i))
	}
	var hash []byte
	for i, a := range c.Apps {
		resp, err := a.InitChain(context.Background(), c.initChain())
		must(tb, err)
		if i > 0 && !bytes.Equal(hash, resp.AppHash) {
			tb.Fatalf("genesis: application %d has app hash %x, application 0 has %x", i, resp.AppHash, hash)
		}
		hash = resp.AppHash
	}
	c.AppHash = hash
	tb.Cleanup(c.Close)
	return c
}

func (c *Cluster) open(i int) *app.App {
	// Every other application executes a block on top of one that is not written yet: the app hashes are the same.
	late := i%2 == 1 && !c.opts.InTime
	o := app.Options{InMemory: true, ChainID: c.Chain, Window: c.opts.Window, Overlap: late, WriteLate: late, OnRead: c.opts.OnRead}
	if i%2 == 1 || c.opts.Known {
		o.StandingsBytes = 32 << 20
	}
	if len(c.opts.Dirs) > 0 && c.opts.Dirs[i] != "" {
		o.InMemory, o.Dir = false, c.opts.Dirs[i]
	}
	if len(c.opts.Workers) > 0 {
		o.Workers = c.opts.Workers[i]
	}
	a, err := app.New(o)
	must(c.tb, err)
	return a
}

// Reopen closes an application and opens its folder again, as a restart does.
func (c *Cluster) Reopen(i int) {
	c.tb.Helper()
	must(c.tb, c.Apps[i].Close())
	c.Apps[i] = c.open(i)
	s := c.Apps[i].Status()
	if s.Height != c.height || !bytes.Equal(s.AppHash, c.AppHash) {
		c.tb.Fatalf("application %d came back at height %d with app hash %x; the cluster is at %d with %x", i, s.Height, s.AppHash, c.height, c.AppHash)
	}
}

// Close closes all applications.
func (c *Cluster) Close() {
	for _, a := range c.Apps {
		a.Close()
	}
	c.Apps = nil
}

// makeDoc makes the genesis document.
func (c *Cluster) makeDoc() *cmttypes.GenesisDoc {
	params := cmttypes.DefaultConsensusParams()
	params.Version.App = app.Version
	params.Block.MaxBytes = pb.BlockBytesMax
	doc := &cmttypes.GenesisDoc{
		ChainID: c.Chain, GenesisTime: c.start, InitialHeight: 1, ConsensusParams: params, AppState: c.genesis,
	}
	for _, v := range c.set.Validators {
		doc.Validators = append(doc.Validators, cmttypes.GenesisValidator{PubKey: v.PubKey, Power: v.VotingPower})
	}
	must(c.tb, doc.ValidateAndComplete())
	return doc
}

// GenesisDoc is the genesis document of the chain.
func (c *Cluster) GenesisDoc() *cmttypes.GenesisDoc { return c.doc }

func (c *Cluster) initChain() *abci.RequestInitChain {
	params := c.doc.ConsensusParams.ToProto()
	return &abci.RequestInitChain{
		Time: c.start, ChainId: c.Chain, InitialHeight: 1, AppStateBytes: c.genesis, ConsensusParams: &params,
		Validators: cmttypes.TM2PB.ValidatorUpdates(c.set.ValidatorSet),
	}
}

// commit signs the newest block by all validators, all at one time.
func (c *Cluster) commit(at time.Time) *cmttypes.Commit {
	out := &cmttypes.Commit{Height: c.height, BlockID: c.lastID}
	if c.height == 0 {
		return &cmttypes.Commit{}
	}
	for i, v := range c.set.Validators {
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: c.height, BlockID: c.lastID.ToProto(), Timestamp: at}
		sig, err := c.set.Key(i).Sign(cmttypes.VoteSignBytes(c.Chain, vote))
		must(c.tb, err)
		out.Signatures = append(out.Signatures, cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: at, Signature: sig,
		})
	}
	return out
}

// Commit is the commit of the newest block.
func (c *Cluster) Commit() *cmttypes.Commit { return c.commit(c.now) }

// header of the newest block.
func (c *Cluster) header() *cmttypes.Header { return &c.Blocks[c.height-1].Header }

// makeBlock makes the next block as the engine would.
func (c *Cluster) makeBlock(txs [][]byte) *cmttypes.Block {
	results := cmttypes.NewResults(c.Results).Hash()
	b := cmttypes.MakeBlock(c.height+1, cmttypes.ToTxs(txs), c.commit(c.now), nil)
	set := c.set.ValidatorSet.Hash()
	b.Header.Populate(cmtversion.Consensus{Block: version.BlockProtocol, App: app.Version}, c.Chain, c.now, c.lastID,
		set, set, c.doc.ConsensusParams.Hash(), c.AppHash, results, c.set.Validators[0].Address)
	return b
}

// Agencies of the sample consortium. Codes are synthetic.
var agencies = []struct {
	name, uscc, region string
	level              pb.Level
	roles              []pb.Role
	competent          []string
	system             string
	lists              []string
}{
	{"gov1", "11410000Y00000032Q", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_GOVERNOR}, nil, "", nil},
	{"gov2", "11410100Y0000101", "410100", pb.LEVEL_PREFECTURE, []pb.Role{pb.ROLE_GOVERNOR}, nil, "", nil},
	{"gov3", "11410300Y0000102", "410300", pb.LEVEL_PREFECTURE, []pb.Role{pb.ROLE_GOVERNOR}, nil, "", nil},
	{"gov4", "11419001Y0000103", "419001", pb.LEVEL_PREFECTURE, []pb.Role{pb.ROLE_GOVERNOR}, nil, "", nil},
	{"registry", "12410000Y0000104", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_REGISTRY}, nil, "", nil},
	{"ops", "12410000Y0000105", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_AGENT}, nil, "", nil},
	{"auditor", "12410000Y0000106", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_AUDITOR}, nil, "", nil},
	{"zz-scjg", "11410100Y0000107", "410100", pb.LEVEL_PREFECTURE, []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_REVIEW}, []string{"410100"}, "market", []string{"SC"}},
	{"gy-scjg", "11410181Y0000108", "410181", pb.LEVEL_COUNTY, []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_REVIEW}, []string{"410181"}, "market", []string{"SC"}},
	{"gw", "12410000Y0000110", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_GATEWAY}, nil, "", nil},
	{"gw2", "12410100Y0000111", "410100", pb.LEVEL_PREFECTURE, []pb.Role{pb.ROLE_GATEWAY}, nil, "", nil},
	{"bank", "91410100Y0000112", "", pb.LEVEL_OTHER, []pb.Role{pb.ROLE_LENDER}, nil, "", nil},
	{"bank2", "91410300Y0000113", "", pb.LEVEL_OTHER, []pb.Role{pb.ROLE_LENDER}, nil, "", nil},
	{"pj", "12410000Y0000114", "410000", pb.LEVEL_PROVINCE, []pb.Role{pb.ROLE_EVALUATE}, nil, "", nil},
	{"js-rsj", "11410105Y0000109", "410105", pb.LEVEL_COUNTY, []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_REVIEW}, []string{"410105"}, "labour", []string{"NMG"}},
}

// kinds that every agency of the sample may impose.
var allKinds = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99}

// measures that every agency of the sample may carry out.
var allMeasures = []string{"M01", "M07", "M08", "M12"}

// Genesis of the sample consortium.
func (c *Cluster) Genesis() *pb.Genesis {
	secret := sha256.Sum256([]byte("apptest secret"))
	g := &pb.Genesis{Secret: secret[:], LegalOrigin: c.legal, ClockRate: rate}
	henan.Catalogue(g)
	validator := 0
	for _, a := range agencies {
		uscc := a.uscc
		if len(uscc) < 18 {
			uscc = USCC(uscc[:8], uscc[8:])
		}
		actor := Actor{Name: a.name, USCC: uscc, Key: keyOf(a.name)}
		c.Actors[a.name] = actor
		m := pb.Member{
			Uscc: uscc, Level: a.level, Name: "示例机关" + a.name,
			Keys: []*pb.MemberKey{{Address: actor.Address(), Roles: a.roles, Name: a.name}}, System: a.system,
		}
		if a.region != "" {
			m.Regions = []string{a.region}
		}
		if len(a.competent) > 0 {
			m.Competences = []*pb.Competence{{
				PenaltyKinds: allKinds, Regions: a.competent, Lists: a.lists, Measures: allMeasures, Incentives: []string{"HN28"}, Abnormal: true, Other: true,
			}}
		}
		if a.roles[0] == pb.ROLE_GOVERNOR {
			m.ValidatorKey, m.ValidatorPower = c.set.Validators[validator].PubKey.Bytes(), 10
			validator++
		}
		g.Members = append(g.Members, m)
	}
	for _, issuer := range []string{"zz-scjg", "gy-scjg", "js-rsj"} {
		g.Mandates = append(g.Mandates, pb.Mandate{
			Issuer: c.Actors[issuer].USCC, Submitter: c.Actors["ops"].USCC,
			Kinds: []pb.MandateKind{pb.MANDATE_PENALTY, pb.MANDATE_PUBLISH, pb.MANDATE_COMMITMENT, pb.MANDATE_FULFILLMENT, pb.MANDATE_DISHONESTY},
		})
	}
	return g
}

// Today is the legal day of the next block.
func (c *Cluster) Today() calendar.Date { return calendar.Of(c.legalNow()) }

func (c *Cluster) legalNow() int64 { return c.legal + int64(c.now.Sub(c.start)/time.Second)*rate }

// GoTo moves the clock so that the next block falls on a legal day, at 08:00.
func (c *Cluster) GoTo(d calendar.Date) {
	c.tb.Helper()
	days := int64(d) - int64(c.opts.Start)
	at := c.start.Add(time.Duration(days) * time.Second)
	if at.Before(c.now) {
		c.tb.Fatalf("the clock does not go back: next block is on %s", c.Today())
	}
	c.now = at
}

// Height of the newest block.
func (c *Cluster) Height() int64 { return c.height }

// Sign makes a transaction of an actor.
func (c *Cluster) Sign(by string, msgs ...pb.Msg) []byte {
	c.tb.Helper()
	a, ok := c.Actors[by]
	if !ok {
		c.tb.Fatalf("no actor is called %q", by)
	}
	c.nonce++
	body := pb.Encode(&pb.Body{
		ChainId: c.Chain, Signer: a.Address(), Suite: pb.SuiteSecp256k1, ExpiresAt: c.now.Unix() + 300, Nonce: c.nonce, Messages: msgs,
	})
	digest := pb.SignBytes(c.Chain, body)
	sig, err := crypto.Sign(digest[:], a.Key)
	must(c.tb, err)
	return pb.Encode(&pb.Tx{Body: body, Signature: sig})
}

// Block makes the next block of the transactions that pass the gate, and returns the results of those in it.
func (c *Cluster) Block(txs ...[]byte) []*abci.ExecTxResult {
	c.tb.Helper()
	ctx := context.Background()
	prep, err := c.Apps[0].PrepareProposal(ctx, &abci.RequestPrepareProposal{
		Txs: txs, MaxTxBytes: pb.BlockBytesMax, Height: c.height + 1, Time: c.now,
	})
	must(c.tb, err)
	return c.Deliver(prep.Txs)
}

// Deliver makes the next block of just these transactions, whether they pass the gate or not.
func (c *Cluster) Deliver(txs [][]byte) []*abci.ExecTxResult {
	c.tb.Helper()
	ctx := context.Background()
	b := c.makeBlock(txs)
	parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
	must(c.tb, err)
	var first *abci.ResponseFinalizeBlock
	for i, a := range c.Apps {
		resp, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Txs: txs, Hash: b.Hash(), Height: b.Height, Time: b.Time})
		must(c.tb, err)
		if first == nil {
			first = resp
		} else if !bytes.Equal(first.AppHash, resp.AppHash) {
			c.tb.Fatalf("height %d: application %d has app hash %x, application 0 has %x", b.Height, i, resp.AppHash, first.AppHash)
		}
		_, err = a.Commit(ctx, &abci.RequestCommit{})
		must(c.tb, err)
	}
	c.height, c.AppHash, c.Results, c.txs = b.Height, first.AppHash, first.TxResults, txs
	c.Blocks, c.lastID = append(c.Blocks, b), cmttypes.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
	c.now = c.now.Add(10 * time.Millisecond) // block time rises; the legal second may stay
	if c.opts.Checks {
		must(c.tb, c.Apps[0].CheckState(ctx))
	}
	return first.TxResults
}

// Trust is a trust file that pins the cluster's validators from height 1.
func (c *Cluster) Trust() *attest.Trust {
	h := &c.Blocks[0].Header
	return &attest.Trust{
		ChainID: c.Chain, Anchor: attest.Anchor{Height: 1, HeaderHash: attest.Hash(h.Hash())},
		Validators: c.set.Trusted(1, 0), NotAfter: c.start.AddDate(10, 0, 0),
	}
}

// Bundle proves subjects at the height before the newest block, whose header carries that height's app hash.
func (c *Cluster) Bundle(subjects ...string) []byte {
	c.tb.Helper()
	p, err := c.Apps[0].Prove(c.height-1, subjects)
	must(c.tb, err)
	for i, a := range c.Apps[1:] {
		other, err := a.Prove(c.height-1, subjects)
		must(c.tb, err)
		if d := cmp.Diff(p, other); d != "" {
			c.tb.Fatalf("applications 0 and %d prove height %d differently: %s", i+1, c.height-1, d)
		}
	}
	trimmed, err := c.set.Trim(c.header(), c.Commit())
	must(c.tb, err)
	header := attesttest.HeaderPB(c.header())
	return attest.EncodeBundle(&pb.Bundle{
		Header: &header, Commit: trimmed, Validators: c.set.PB(), Catalog: p.Catalog, Log: p.LogHash, Pack: p.Pack,
		Entries: p.Entries, Shape: p.Shape, Hashes: p.Hashes,
	})
}

// Verify checks a bundle as a lender would, a second after the newest header.
func (c *Cluster) Verify(bundle []byte, subject, claim string) (*attest.Verdict, error) {
	c.tb.Helper()
	cl, err := attest.ParseClaim(claim)
	must(c.tb, err)
	return attest.Verify(bundle, c.Trust(), attest.Policy{Subject: subject, Claim: cl, MaxAge: time.Hour, Now: c.header().Time.Add(time.Second)})
}

// Read runs fn over the newest state of application 0.
func (c *Cluster) Read(fn func(r x.Reader)) {
	c.tb.Helper()
	must(c.tb, c.Apps[0].Read(func(r x.Reader) error { fn(r); return nil }))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// errorf is what a script command answers when it is not understood.
func errorf(format string, args ...any) string { return fmt.Sprintf("error: "+format, args...) }
