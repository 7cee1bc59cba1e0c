package app_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/fulfillment"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

func enrol(c *apptest.Cluster, n int) pb.Msg {
	return pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
		Issuer:  c.Actors["registry"].USCC,
		Subject: pb.Subject{Uscc: apptest.USCC("91410100", fmt.Sprintf("Y%05d", n)), Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
	}}}
}

// line carries out a command of the scripts' language.
func line(t testing.TB, s *apptest.Script, text string) string {
	t.Helper()
	cmd, args, err := datadriven.ParseLine(text)
	must(t, err)
	return strings.TrimSpace(s.Run(&datadriven.TestData{Cmd: cmd, CmdArgs: args}))
}

// TestAppHash pins the app hash after each command of a fixed story, and with it every byte that the state binds. A difference is a fork of every
// chain that runs: ask for a second reader before updating.
func TestAppHash(t *testing.T) {
	var s *apptest.Script
	datadriven.RunTest(t, filepath.Join("testdata", "apphash", "v1.txt"), func(t *testing.T, d *datadriven.TestData) string {
		if s == nil {
			s = apptest.NewScript(t, apptest.Options{Apps: 1, Checks: true})
		}
		out := strings.TrimSpace(s.Run(d))
		if out != "" {
			out += "\n"
		}
		return fmt.Sprintf("%s%d %x\n", out, s.Height(), s.AppHash)
	})
}

// TestProposals: what PrepareProposal makes fits the block and ProcessProposal accepts it; in the block nothing of it fails the gate; what fits
// and is good is not left out.
func TestProposals(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Apps: 1})
	ctx := context.Background()
	var old [][]byte
	n := 1000
	rapid.Check(t, func(rt *rapid.T) {
		now := c.GenesisDoc().GenesisTime
		if c.Height() > 0 {
			now = c.Blocks[c.Height()-1].Time.Add(10 * time.Millisecond)
		}
		var pool [][]byte
		good := 0
		for range rapid.IntRange(0, 12).Draw(rt, "txs") {
			n++
			tx := c.Sign("registry", enrol(c, n))
			switch rapid.IntRange(0, 7).Draw(rt, "kind") {
			case 0: // a byte is wrong
				i := rapid.IntRange(0, len(tx)-1).Draw(rt, "at")
				tx[i] ^= byte(rapid.IntRange(1, 255).Draw(rt, "flip"))
			case 1: // cut short
				tx = tx[:rapid.IntRange(0, len(tx)-1).Draw(rt, "cut")]
			case 2: // twice
				pool = append(pool, tx)
				good++
			case 3: // again
				if len(old) > 0 {
					tx = old[rapid.IntRange(0, len(old)-1).Draw(rt, "old")]
				}
			case 4: // large
				tx = c.Sign("ops", slices.Repeat([]pb.Msg{enrol(c, n)}, 900)...)
				good++
			default:
				good++
			}
			pool = append(pool, tx)
		}
		limit := int64(rapid.IntRange(0, 200_000).Draw(rt, "limit"))
		roomy := rapid.Bool().Draw(rt, "roomy")
		if roomy {
			limit = pb.BlockBytesMax
		}
		height := c.Height() + 1
		prep, err := c.Apps[0].PrepareProposal(ctx, &abci.RequestPrepareProposal{Txs: pool, MaxTxBytes: limit, Height: height, Time: now})
		must(t, err)
		if size := cmttypes.ComputeProtoSizeForTxs(cmttypes.ToTxs(prep.Txs)); size > limit {
			rt.Fatalf("the proposal has %d bytes, the block has room for %d", size, limit)
		}
		if roomy && len(prep.Txs) < good {
			rt.Fatalf("%d transactions are good, the proposal takes %d", good, len(prep.Txs))
		}
		proc, err := c.Apps[0].ProcessProposal(ctx, &abci.RequestProcessProposal{Txs: prep.Txs, Height: height, Time: now})
		must(t, err)
		if proc.Status != abci.ResponseProcessProposal_ACCEPT {
			rt.Fatal("a proposal that this application made is refused")
		}
		for i, r := range c.Deliver(prep.Txs) {
			if r.Code/100 == 2 {
				rt.Fatalf("transaction %d of a proposal fails the gate: %s", i, r.Log)
			}
		}
		old = append(old, prep.Txs...)
	})
}

// TestSignaturesOnce: from the pool over a proposal, its check and a look into the pool again to the block, a signature is recovered once, by whichever of these is the first to see it;
// also where the block is executed again, and where a transaction came in no order.
func TestSignaturesOnce(t *testing.T) { // not beside others: it is told of every recovery
	c := apptest.New(t, apptest.Options{Apps: 1})
	c.Block()
	a, ctx := c.Apps[0], context.Background()
	var (
		mu    sync.Mutex
		times = map[[32]byte]int{} // guarded by mu
	)
	app.OnRecovery(func(digest [32]byte) {
		mu.Lock()
		defer mu.Unlock()
		times[digest]++
	})
	defer app.OnRecovery(nil)
	check := func(txs [][]byte, kind abci.CheckTxType) {
		for _, tx := range txs {
			if r, err := a.CheckTx(ctx, &abci.RequestCheckTx{Tx: tx, Type: kind}); err != nil || r.Code != 0 {
				t.Fatalf("%v %v", r, err)
			}
		}
	}
	const each = 40
	for i, first := range []string{"pool", "proposal of its own", "proposal of others", "block"} {
		var txs [][]byte
		for n := range each {
			txs = append(txs, c.Sign("registry", enrol(c, 1000*i+n)))
		}
		now, height := c.Blocks[c.Height()-1].Time.Add(10*time.Millisecond), c.Height()+1
		switch first {
		case "pool":
			check(txs, abci.CheckTxType_New)
			check(txs, abci.CheckTxType_New) // as from another peer
			check(txs, abci.CheckTxType_Recheck)
			fallthrough
		case "proposal of its own":
			for range 2 { // as in two rounds
				r, err := a.PrepareProposal(ctx, &abci.RequestPrepareProposal{Txs: txs, MaxTxBytes: pb.BlockBytesMax, Height: height, Time: now})
				must(t, err)
				if len(r.Txs) != each {
					t.Fatalf("%d transactions are proposed", len(r.Txs))
				}
			}
			fallthrough
		case "proposal of others":
			for range 2 {
				r, err := a.ProcessProposal(ctx, &abci.RequestProcessProposal{Txs: txs, Height: height, Time: now})
				must(t, err)
				if r.Status != abci.ResponseProcessProposal_ACCEPT {
					t.Fatal("the proposal is refused")
				}
			}
		}
		_, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Txs: txs, Height: height, Time: now}) // a block that was not decided after all
		must(t, err)
		for _, r := range c.Deliver(txs) {
			if r.Code != 0 {
				t.Fatal(r.Log)
			}
		}
		for _, tx := range txs {
			id, err := app.TxID(tx)
			must(t, err)
			if n := times[id]; n != 1 {
				t.Fatalf("first seen in the %s: a signature is recovered %d times", first, n)
			}
		}
	}
	if len(times) != 4*each {
		t.Errorf("%d signatures are recovered, %d were made", len(times), 4*each)
	}
}

// FinalizeBlock may be called again for a height, with other calls between: it answers the same bytes, and Commit takes the last.
func TestFinalizeTwice(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Apps: 1})
	ctx := context.Background()
	a := c.Apps[0]
	for i := range 4 {
		now := c.GenesisDoc().GenesisTime
		if c.Height() > 0 {
			now = c.Blocks[c.Height()-1].Time.Add(10 * time.Millisecond)
		}
		good, bad := c.Sign("registry", enrol(c, 100+i)), c.Sign("ops", enrol(c, 200+i))
		req := &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Txs: [][]byte{good, bad, []byte("noise"), good}, Height: c.Height() + 1, Time: now}
		other := &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Txs: [][]byte{c.Sign("registry", enrol(c, 300+i))}, Height: c.Height() + 1, Time: now.Add(time.Second)}
		first, err := a.FinalizeBlock(ctx, req)
		must(t, err)
		_, err = a.CheckTx(ctx, &abci.RequestCheckTx{Tx: good})
		must(t, err)
		_, err = a.FinalizeBlock(ctx, other) // a block that was not decided after all
		must(t, err)
		again, err := a.FinalizeBlock(ctx, req)
		must(t, err)
		x, err := first.Marshal()
		must(t, err)
		y, err := again.Marshal()
		must(t, err)
		if !bytes.Equal(x, y) {
			t.Fatalf("height %d: two answers to one block", req.Height)
		}
		c.Deliver(req.Txs)
		if !bytes.Equal(c.AppHash, first.AppHash) {
			t.Fatalf("height %d: a third answer", req.Height)
		}
	}
	if err := a.Fsck(ctx); err != nil {
		t.Error(err)
	}
	// A height that is not the next is a fault of the machine, never a result.
	if _, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Height: 9, Time: time.Unix(1_800_000_000, 0)}); err == nil || a.Fault() == nil {
		t.Error("block 9 was executed after block 4")
	}
}

// TestRestarts lives a story on disk beside an application in memory. The one on disk is closed and opened between blocks, and at times between
// execution and commit, where a crash leaves the height before.
func TestRestarts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 0))
		t.Logf("seed %d", seed)
		s := apptest.NewScript(t, apptest.Options{Dirs: []string{t.TempDir(), t.TempDir()}})
		for _, text := range restartStory {
			if day, ok := strings.CutPrefix(text, "on "); ok {
				line(t, s, "on "+day)
				continue
			}
			switch r.IntN(4) {
			case 0:
				if s.Height() > 0 {
					s.Reopen(0)
				}
			case 1: // executed, not written
				if s.Height() > 0 {
					last := s.Blocks[s.Height()-1]
					_, err := s.Apps[0].FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{
						Hash: make([]byte, 32), Txs: [][]byte{s.Sign("registry", enrol(s.Cluster, 900))}, Height: s.Height() + 1, Time: last.Time.Add(time.Millisecond),
					})
					must(t, err)
					s.Reopen(0)
				}
			}
			if out := line(t, s, text); out != "OK" && out != "" {
				t.Fatalf("%s: %s", text, out)
			}
		}
		s.Reopen(0)
		for _, a := range s.Apps {
			if err := a.Fsck(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
	}
}

var restartStory = []string{
	"enrol firm=A",
	"enrol firm=B",
	"record by=ops issuer=zz-scjg firm=A no=1 fine=1000",
	"commit by=zz-scjg firm=A code=41010020260715000001 type=4 accepted",
	"propose by=gov1 param=general_max_months value=6",
	"vote by=gov2 proposal=1",
	"vote by=gov3 proposal=1",
	"on 2026-07-25",
	"publish by=ops issuer=zz-scjg firm=A no=1",
	"on 2026-10-15",
	"apply by=ops issuer=zz-scjg firm=A no=1 application=A-1 commitment=41010020260715000001",
	"accept-repair by=zz-scjg issuer=zz-scjg firm=A no=1 application=A-1",
	"approve by=zz-scjg issuer=zz-scjg firm=A no=1 application=A-1",
	"record by=ops issuer=zz-scjg firm=B no=2 kinds=1",
	"on 2027-03-01",
	"block",
}

// TestCheckWhileWriting offers a transaction again, new and to be rechecked, while the block that it is in is not written: it is known all the same.
func TestCheckWhileWriting(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{})
	c.Block()
	c.Block()
	tx := c.Sign("registry", enrol(c, 900))
	c.Block(tx)
	late := c.Apps[1]
	if got := late.Status().Height; got != c.Height()-1 {
		t.Fatalf("the application that writes late is at height %d of %d", got, c.Height())
	}
	for _, kind := range []abci.CheckTxType{abci.CheckTxType_New, abci.CheckTxType_Recheck} {
		if resp, err := late.CheckTx(bg, &abci.RequestCheckTx{Tx: tx, Type: kind}); err != nil || resp.Code == 0 {
			t.Errorf("%v: %v, %v", kind, resp, err)
		}
	}
}

// TestCheckAfterRestart offers a transaction again to an application that was opened after it was executed, and one that is in no block.
func TestCheckAfterRestart(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Dirs: []string{t.TempDir(), t.TempDir()}})
	tx, other := c.Sign("registry", enrol(c, 900)), c.Sign("registry", enrol(c, 901))
	c.Block(tx)
	check := func(tx []byte) uint32 {
		resp, err := c.Apps[0].CheckTx(bg, &abci.RequestCheckTx{Tx: tx})
		must(t, err)
		return resp.Code
	}
	for range 3 {
		if code := check(tx); code != app.ErrSeen.Number {
			t.Errorf("what was executed: code %d", code)
		}
		if code := check(other); code != 0 {
			t.Errorf("what is new: code %d", code)
		}
		c.Reopen(0)
		c.Block()
	}
}

// TestCrashWhileWriting cuts an application off after each Commit, before the block is written: it comes back at the height before, whole, and the engine
// delivers the block again. The application that was not cut off goes on, each time on top of a block that is not written.
func TestCrashWhileWriting(t *testing.T) {
	t.Parallel()
	dirs := []string{"", t.TempDir()}
	s := apptest.NewScript(t, apptest.Options{Dirs: dirs})
	for _, text := range restartStory {
		line(t, s, text)
		h := s.Height()
		if h < 3 {
			continue
		}
		dir := filepath.Join(t.TempDir(), "state")
		must(t, os.CopyFS(dir, os.DirFS(dirs[1])))
		a, err := app.New(app.Options{Dir: dir, ChainID: s.Chain})
		must(t, err)
		if got := a.Status(); got.Height != h-1 {
			t.Fatalf("came back at height %d from a crash while %d was being written", got.Height, h)
		}
		must(t, a.Fsck(bg))
		last := s.Blocks[h-1]
		txs := make([][]byte, len(last.Txs))
		for i, tx := range last.Txs {
			txs[i] = tx
		}
		resp, err := a.FinalizeBlock(bg, &abci.RequestFinalizeBlock{Hash: last.Hash(), Txs: txs, Height: h, Time: last.Time})
		must(t, err)
		if !bytes.Equal(resp.AppHash, s.AppHash) {
			t.Fatalf("height %d run again gives app hash %x, not %x", h, resp.AppHash, s.AppHash)
		}
		if a.Before() != 0 {
			t.Fatalf("a block was executed, not committed: the one before is at %d", a.Before())
		}
		_, err = a.Commit(bg, &abci.RequestCommit{})
		must(t, err)
		if a.Before() != last.Time.Unix() {
			t.Fatalf("height %d was committed: the block before is at %d, not at %d", h, a.Before(), last.Time.Unix())
		}
		must(t, a.Fsck(bg))
		must(t, a.Close())
	}
}

// initChain is the engine's call for a cluster's genesis.
func initChain(c *apptest.Cluster) *abci.RequestInitChain {
	doc := c.GenesisDoc()
	params := doc.ConsensusParams.ToProto()
	req := &abci.RequestInitChain{
		Time: doc.GenesisTime, ChainId: doc.ChainID, InitialHeight: 1, AppStateBytes: slices.Clone(doc.AppState), ConsensusParams: &params,
	}
	for _, v := range doc.Validators {
		req.Validators = append(req.Validators, abci.Ed25519ValidatorUpdate(v.PubKey.Bytes(), v.Power))
	}
	return req
}

// A crash before block 1 is written leaves an empty folder: genesis runs again and gives the same hash.
func TestCrashBeforeFirstBlock(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Apps: 1})
	dir := t.TempDir()
	for range 2 {
		a, err := app.New(app.Options{Dir: dir, ChainID: c.Chain})
		must(t, err)
		resp, err := a.InitChain(context.Background(), initChain(c))
		must(t, err)
		if !bytes.Equal(resp.AppHash, c.AppHash) {
			t.Errorf("genesis has app hash %x, want %x", resp.AppHash, c.AppHash)
		}
		_, err = a.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Height: 1, Time: c.GenesisDoc().GenesisTime})
		must(t, err)
		must(t, a.Close())
	}
}

// TestBadGenesis: what is wrong is named in one line, and the application stays usable.
func TestBadGenesis(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Apps: 1})
	edit := func(fn func(g *pb.Genesis)) func(*abci.RequestInitChain) {
		return func(r *abci.RequestInitChain) {
			g, err := app.ParseGenesis(r.AppStateBytes)
			must(t, err)
			fn(g)
			r.AppStateBytes, err = app.GenesisJSON(g)
			must(t, err)
		}
	}
	for _, tc := range []struct {
		name, want string
		do         func(r *abci.RequestInitChain)
	}{
		{"no state", "app_state of the genesis file", func(r *abci.RequestInitChain) { r.AppStateBytes = nil }},
		{"no JSON", "app_state of the genesis file", func(r *abci.RequestInitChain) { r.AppStateBytes = []byte("{") }},
		{"unknown field", "unknown field \"sekret\"", func(r *abci.RequestInitChain) { r.AppStateBytes = []byte(`{"sekret":"AA=="}`) }},
		{"no secret", "the chain's secret has 0 bytes instead of 32", edit(func(g *pb.Genesis) { g.Secret = nil })},
		{"short secret", "the chain's secret has 31 bytes instead of 32", edit(func(g *pb.Genesis) { g.Secret = g.Secret[1:] })},
		{"fast clock", "only chains whose id begins with demo- or test- may have a legal clock", func(r *abci.RequestInitChain) { r.ChainId = "xinlian-henan-1" }},
		{"clock rate", "clock_rate is -1", edit(func(g *pb.Genesis) { g.ClockRate = -1 })},
		{"furious clock", "clock_rate is 8640001", edit(func(g *pb.Genesis) { g.ClockRate = 8640001 })},
		{"legal origin", "outside the legal calendar", edit(func(g *pb.Genesis) { g.LegalOrigin = 1 })},
		{"no chain id", "the chain id is empty", func(r *abci.RequestInitChain) { r.ChainId = "" }},
		{"long chain id", "or too long", func(r *abci.RequestInitChain) { r.ChainId = "test-" + strings.Repeat("x", 46) }},
		{"initial height", "initial_height is 7", func(r *abci.RequestInitChain) { r.InitialHeight = 7 }},
		{"other rules", "genesis has version.app 2, this binary executes 1", func(r *abci.RequestInitChain) { r.ConsensusParams.Version.App = 2 }},
		{"no rules", "genesis has version.app 0", func(r *abci.RequestInitChain) { r.ConsensusParams.Version = nil }},
		{"a validator more", "validators of the genesis file are not those of its members", func(r *abci.RequestInitChain) {
			r.Validators = append(r.Validators, abci.Ed25519ValidatorUpdate(make([]byte, 32), 10))
		}},
		{"a validator less", "validators of the genesis file are not those of its members", func(r *abci.RequestInitChain) { r.Validators = r.Validators[1:] }},
		{"another power", "validators of the genesis file are not those of its members", func(r *abci.RequestInitChain) { r.Validators[0].Power++ }},
		{"no members", "module member: E_LAST_GOVERNOR", edit(func(g *pb.Genesis) { g.Members = nil })},
		{"no validator", "module member: E_LAST_VALIDATOR", edit(func(g *pb.Genesis) {
			for i := range g.Members {
				g.Members[i].ValidatorPower = 0
			}
		})},
		{"a member twice", "module member: E_MEMBER_FORM", edit(func(g *pb.Genesis) { g.Members = append(g.Members, g.Members[0]) })},
		{"a key twice", "module member: E_KEY_TAKEN", edit(func(g *pb.Genesis) { g.Members[1].Keys = g.Members[0].Keys })},
		{"a mandate of nobody", "module member: E_MEMBER_UNKNOWN", edit(func(g *pb.Genesis) { g.Mandates[0].Issuer = apptest.USCC("91410100", "Y00001") })},
		{"a parameter out of bounds", "module catalog: E_PARAM_RANGE", edit(func(g *pb.Genesis) {
			g.Params = append(g.Params, pb.Param{Name: "general_max_months", Value: 13})
		})},
		{"a region without its parent", "module catalog: E_REGION_ROW", edit(func(g *pb.Genesis) { g.Regions = g.Regions[1:] })},
		{"a person", "module subject: subject 0: E_NATURAL_PERSON", edit(func(g *pb.Genesis) {
			g.Subjects = []pb.Subject{{Uscc: apptest.USCC("91410100", "Y00001"), Region: "410100", Category: 2, Status: pb.SUBJECT_ACTIVE}}
		})},
		{"a subject of nowhere", "module subject: subject 0: E_REGION", edit(func(g *pb.Genesis) {
			g.Subjects = []pb.Subject{{Uscc: apptest.USCC("91410100", "Y00001"), Region: "990000", Category: 1, Status: pb.SUBJECT_ACTIVE}}
		})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := app.New(app.Options{InMemory: true})
			must(t, err)
			defer a.Close()
			req := initChain(c)
			tc.do(req)
			_, err = a.InitChain(context.Background(), req)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v\nwant one line with %q", err, tc.want)
			}
			if a.Fault() != nil {
				t.Errorf("a bad file is no fault of the machine: %v", a.Fault())
			}
			if resp, err := a.InitChain(context.Background(), initChain(c)); err != nil || !bytes.Equal(resp.AppHash, c.AppHash) {
				t.Errorf("the good file after it: %v", err)
			}
		})
	}
	t.Run("a folder with blocks", func(t *testing.T) {
		c.Block()
		if _, err := c.Apps[0].InitChain(context.Background(), initChain(c)); err == nil || !strings.Contains(err.Error(), "holds blocks already") {
			t.Error(err)
		}
	})
}

// What the modules export of a state of genesis makes the same state again, root and all.
func TestGenesisExport(t *testing.T) {
	t.Parallel()
	c := apptest.New(t, apptest.Options{Apps: 1})
	g, err := app.ParseGenesis(c.GenesisDoc().AppState)
	must(t, err)
	g.Params = []pb.Param{{Name: "general_max_months", Value: 6}}
	g.SeverityRules = []pb.SeverityRule{{Sector: "FOOD", LargeFineFen: 1, HugeFineFen: 2}}
	g.Templates = []pb.CommitmentTemplate{{Type: 1, Version: 1, TextDigest: make([]byte, 32)}}
	for i := range 5 {
		g.Subjects = append(g.Subjects, pb.Subject{Uscc: apptest.USCC("91410100", fmt.Sprintf("Y%05d", i)), Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE})
	}
	at := c.GenesisDoc().GenesisTime.Unix()
	state, root, err := app.GenesisState(c.Chain, at, g)
	must(t, err)
	again := &pb.Genesis{Secret: g.Secret, LegalOrigin: g.LegalOrigin, ClockRate: g.ClockRate}
	for _, export := range []func(x.Reader, *pb.Genesis){
		member.Export, governance.Export, catalog.Export, subject.Export, commitment.Export, fulfillment.Export, sanction.Export, repair.Export,
	} {
		export(state, again)
	}
	_, root2, err := app.GenesisState(c.Chain, at, again)
	must(t, err)
	if root != root2 {
		t.Errorf("root %x, after export and import %x", root, root2)
	}
	// The order of rows in the file says nothing, but for subjects: their enrolments are events, and events have an order.
	slices.Reverse(again.Members)
	slices.Reverse(again.Regions)
	if _, root3, err := app.GenesisState(c.Chain, at, again); err != nil || root3 != root2 {
		t.Errorf("rows in another order: root %x, want %x: %v", root3, root2, err)
	}
}

// Governance changes who validates: the update leaves in the block in which the proposal takes effect, and holds just the difference.
func TestValidatorUpdates(t *testing.T) {
	t.Parallel()
	s := apptest.NewScript(t, apptest.Options{Apps: 1, Checks: true})
	s.Block()
	keys := map[string]string{}
	s.Read(func(r x.Reader) {
		for _, m := range member.Validators(r) {
			for name, a := range s.Actors {
				if a.USCC == m.Uscc {
					keys[hex.EncodeToString(m.ValidatorKey)] = name
				}
			}
		}
	})
	// next executes the next block, empty, and names the updates in it.
	next := func() string {
		resp, err := s.Apps[0].FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{
			Hash: make([]byte, 32), Height: s.Height() + 1, Time: s.Blocks[s.Height()-1].Time.Add(10 * time.Millisecond),
		})
		must(t, err)
		var out []string
		for _, u := range resp.ValidatorUpdates {
			name, ok := keys[hex.EncodeToString(u.PubKey.GetEd25519())]
			if !ok {
				name = "new"
			}
			out = append(out, fmt.Sprintf("%s=%d", name, u.Power))
		}
		slices.Sort(out)
		s.Block()
		return strings.Join(out, " ")
	}
	pass := func(n int, change string) {
		t.Helper()
		for _, text := range []string{"propose by=gov1 " + change, fmt.Sprintf("vote by=gov2 proposal=%d", n), fmt.Sprintf("vote by=gov3 proposal=%d", n)} {
			if out := line(t, s, text); out != "OK" {
				t.Fatalf("%s: %s", text, out)
			}
		}
	}
	for i, tc := range []struct{ change, want string }{
		{"param=minor_publish value=1", ""},
		{"put=gov4 power=3", "gov4=3"},
		{"put=gov4 named=改名的机关", ""},
		{"put=ops power=5 validator=ops", "new=5"},
		{"put=gov4 power=3 validator=another", "gov4=0 new=3"},
		{"put=ops power=0", "new=0"},
		{"remove=gov4", "new=0"},
		{"remove=zz-scjg", ""},
	} {
		pass(i+1, tc.change)
		if got := next(); got != tc.want {
			t.Errorf("%s: updates %q, want %q", tc.change, got, tc.want)
		}
		if got := next(); got != "" {
			t.Errorf("%s: updates %q in the block after", tc.change, got)
		}
	}
}
