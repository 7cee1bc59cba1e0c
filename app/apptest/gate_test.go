package apptest

import (
	"bytes"
	"context"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// enrolMsg enrols a synthetic firm.
func (c *Cluster) enrolMsg(uscc string) pb.Msg {
	return pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
		Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: uscc, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
	}}}
}

// signBody signs a body as an actor, whatever it says.
func (c *Cluster) signBody(by string, b *pb.Body) *pb.Tx {
	c.tb.Helper()
	raw := pb.Encode(b)
	digest := pb.SignBytes(b.ChainId, raw)
	sig, err := crypto.Sign(digest[:], c.Actors[by].Key)
	must(c.tb, err)
	return &pb.Tx{Body: raw, Signature: sig}
}

func (c *Cluster) body(by string, msgs ...pb.Msg) *pb.Body {
	c.nonce++
	return &pb.Body{
		ChainId: c.Chain, Signer: c.Actors[by].Address(), Suite: pb.SuiteSecp256k1, ExpiresAt: c.now.Unix() + 300, Nonce: c.nonce, Messages: msgs,
	}
}

// refusedEverywhere holds that all four uses of the gate refuse a transaction with one code, and that it leaves no trace.
func refusedEverywhere(t *testing.T, c *Cluster, tx []byte, code string) {
	t.Helper()
	ctx := context.Background()
	a := c.Apps[0]
	check, err := a.CheckTx(ctx, &abci.RequestCheckTx{Tx: tx})
	must(t, err)
	if check.Codespace != code {
		t.Errorf("CheckTx: %q, want %s", check.Log, code)
	}
	prep, err := a.PrepareProposal(ctx, &abci.RequestPrepareProposal{Txs: [][]byte{tx}, MaxTxBytes: pb.BlockBytesMax, Height: c.height + 1, Time: c.now})
	must(t, err)
	if len(prep.Txs) != 0 {
		t.Errorf("%s: the proposal holds it", code)
	}
	proc, err := a.ProcessProposal(ctx, &abci.RequestProcessProposal{Txs: [][]byte{tx}, Height: c.height + 1, Time: c.now})
	must(t, err)
	if proc.Status != abci.ResponseProcessProposal_REJECT {
		t.Errorf("%s: a proposal that holds it is accepted", code)
	}
	r := c.Deliver([][]byte{tx})[0]
	want, _ := x.ByNumber(r.Code)
	if want == nil || want.Code != code || r.Codespace != code || len(r.Data) != 0 {
		t.Errorf("a block answers %d %q, want %s", r.Code, r.Log, code)
	}
	if strings.Contains(r.Log, "\n") || r.Log == "" {
		t.Errorf("%s: %q is not one line", code, r.Log)
	}
}

func TestGateRefusals(t *testing.T) {
	t.Parallel()
	c := New(t, Options{Checks: true})
	c.Block()
	msg := c.enrolMsg(USCC("91410100", "Y00500"))
	good := func() *pb.Body { return c.body("registry", msg) }
	tx := func(edit func(b *pb.Body)) []byte {
		b := good()
		edit(b)
		return pb.Encode(c.signBody("registry", b))
	}
	sig := func(edit func(s []byte) []byte) []byte {
		s := c.signBody("registry", good())
		s.Signature = edit(s.Signature)
		return pb.Encode(s)
	}
	n := crypto.S256().Params().N
	highS := func(s []byte) []byte { // the other root: valid for the curve, refused here
		v := new(big.Int).Sub(n, new(big.Int).SetBytes(s[32:64])).FillBytes(make([]byte, 32))
		return append(append(bytes.Clone(s[:32]), v...), s[64]^1)
	}
	for _, tc := range []struct {
		name, code string
		tx         []byte
	}{
		{"no bytes", "E_TX_MALFORMED", nil},
		{"noise", "E_TX_MALFORMED", []byte("hello, ledger")},
		{"a byte more", "E_TX_MALFORMED", append(tx(func(*pb.Body) {}), 0)},
		{"an unknown field", "E_TX_MALFORMED", append(tx(func(*pb.Body) {}), 0x1a, 0x00)},
		{"no signature", "E_TX_MALFORMED", sig(func([]byte) []byte { return nil })},
		{"a signature of 64 bytes", "E_TX_MALFORMED", sig(func(s []byte) []byte { return s[:64] })},
		{"no message", "E_TX_MALFORMED", tx(func(b *pb.Body) { b.Messages = nil })},
		{"an empty message", "E_TX_MALFORMED", tx(func(b *pb.Body) { b.Messages = []pb.Msg{{}} })},
		{"1001 messages", "E_TX_MALFORMED", tx(func(b *pb.Body) { b.Messages = slices.Repeat(b.Messages, pb.MessagesMax+1) })},
		{"a signer of 19 bytes", "E_TX_MALFORMED", tx(func(b *pb.Body) { b.Signer = b.Signer[1:] })},
		{"no chain id", "E_TX_MALFORMED", tx(func(b *pb.Body) { b.ChainId = "" })},
		{"too many bytes", "E_TX_SIZE", tx(func(b *pb.Body) {
			long := strings.Repeat("9", 8000)
			m := pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Issuer: long, Code: long}}}
			b.Messages = slices.Repeat([]pb.Msg{m}, 60)
		})},
		{"another chain", "E_TX_CHAIN", tx(func(b *pb.Body) { b.ChainId = "test-other" })},
		{"no suite", "E_TX_SUITE", tx(func(b *pb.Body) { b.Suite = 0 })},
		{"the suite of SM2", "E_TX_SUITE", tx(func(b *pb.Body) { b.Suite = 2 })},
		{"expired", "E_TX_EXPIRED", tx(func(b *pb.Body) { b.ExpiresAt = c.now.Unix() - 1 })},
		{"a negative expiry", "E_TX_EXPIRED", tx(func(b *pb.Body) { b.ExpiresAt = -1 << 63 })},
		{"too far ahead", "E_TX_EXPIRY", tx(func(b *pb.Body) { b.ExpiresAt = c.now.Unix() + pb.ExpiryAheadSeconds + 1 })},
		{"far too far ahead", "E_TX_EXPIRY", tx(func(b *pb.Body) { b.ExpiresAt = 1<<63 - 1 })},
		{"nobody's key", "E_SIGNER", tx(func(b *pb.Body) { b.Signer = bytes.Repeat([]byte{7}, 20) })},
		{"another member's key", "E_SIGNATURE", tx(func(b *pb.Body) { b.Signer = c.Actors["ops"].Address() })},
		{"high s", "E_SIGNATURE", sig(highS)},
		{"v = 27", "E_SIGNATURE", sig(func(s []byte) []byte { s[64] += 27; return s })},
		{"the other v", "E_SIGNATURE", sig(func(s []byte) []byte { s[64] ^= 1; return s })},
		{"r = 0", "E_SIGNATURE", sig(func(s []byte) []byte { return append(make([]byte, 32), s[32:]...) })},
		{"s = 0", "E_SIGNATURE", sig(func(s []byte) []byte { clear(s[32:64]); return s })},
		{"r = n", "E_SIGNATURE", sig(func(s []byte) []byte { return append(n.FillBytes(make([]byte, 32)), s[32:]...) })},
		{"another body under the signature", "E_SIGNATURE", func() []byte {
			a, b := c.signBody("registry", good()), c.signBody("registry", good())
			return pb.Encode(&pb.Tx{Body: a.Body, Signature: b.Signature})
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := c.AppHash
			refusedEverywhere(t, c, tc.tx, tc.code)
			// The app hash binds only what rules read: a refused transaction in a block leaves it as it is.
			if !bytes.Equal(before, c.AppHash) {
				t.Error("a transaction that the gate refused moved the app hash")
			}
		})
	}
	// The same signer, message and chain with nothing wrong pass, at the last moment and as far ahead as allowed.
	for _, at := range []int64{c.now.Unix(), c.now.Unix() + pb.ExpiryAheadSeconds} {
		if r := c.Block(tx(func(b *pb.Body) { b.ExpiresAt = at })); len(r) != 1 || r[0].Code != 0 {
			t.Errorf("expiry at %d: %v", at, r)
		}
	}
}

// A transaction runs once: within a block, across blocks, with another good signature over the same body, whatever became of it; after its
// expiry it is refused as dead, and the seen-set has forgotten it.
func TestReplay(t *testing.T) {
	t.Parallel()
	c := New(t, Options{Checks: true})
	b := c.body("registry", c.enrolMsg(USCC("91410100", "Y00501")))
	tx := pb.Encode(c.signBody("registry", b))
	r := c.Deliver([][]byte{tx, tx})
	if r[0].Code != 0 || r[1].Codespace != "E_TX_SEEN" {
		t.Fatalf("twice in a block: %v", r)
	}
	refusedEverywhere(t, c, tx, "E_TX_SEEN")

	bad := c.body("ops", c.enrolMsg(USCC("91410100", "Y00502"))) // refused by a rule: seen all the same
	rejected := pb.Encode(c.signBody("ops", bad))
	if r := c.Block(rejected); len(r) != 1 || r[0].Codespace != "E_ROLE" {
		t.Fatalf("%v", r)
	}
	refusedEverywhere(t, c, rejected, "E_TX_SEEN")

	// What the gate refused may still come in its own right.
	broken := c.signBody("registry", c.body("registry", c.enrolMsg(USCC("91410100", "Y00503"))))
	fine := pb.Encode(broken)
	broken.Signature = bytes.Clone(broken.Signature)
	broken.Signature[0] ^= 1
	if r := c.Deliver([][]byte{pb.Encode(broken), fine}); r[0].Codespace != "E_SIGNATURE" || r[1].Code != 0 {
		t.Fatalf("%v", r)
	}

	c.now = c.now.Add(299 * time.Second)
	refusedEverywhere(t, c, tx, "E_TX_SEEN")
	for range 3 { // the last second counts as alive, and the bucket lives as long as any second of its minute
		c.now = c.now.Add(time.Minute)
		c.Block()
		refusedEverywhere(t, c, tx, "E_TX_EXPIRED")
	}
}

// A member has its share of a block, and a block its bound of work; both count messages and bytes, for proposals of others as well.
func TestShares(t *testing.T) {
	t.Parallel()
	c := New(t, Options{Apps: 1})
	c.Block()
	small := pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{}}}
	full := func(by string) []byte { return c.Sign(by, slices.Repeat([]pb.Msg{small}, pb.MessagesMax)...) }

	var txs [][]byte
	for range 11 {
		txs = append(txs, full("ops"))
	}
	r := c.Deliver(txs)
	if r[9].Codespace == "E_SHARE" || r[10].Codespace != "E_SHARE" {
		t.Errorf("the 11th thousand of messages: %s", r[10].Log)
	}
	txs = nil
	for _, by := range []string{"ops", "zz-scjg"} {
		for range 10 {
			txs = append(txs, full(by))
		}
	}
	txs = append(txs, c.Sign("gy-scjg", small))
	r = c.Deliver(txs)
	if r[19].Codespace == "E_BLOCK_WORK" || r[20].Codespace != "E_BLOCK_WORK" {
		t.Errorf("message 20001 of a block: %s", r[20].Log)
	}

	// By bytes: 2 MiB a member and block. The pool of a node takes four blocks' worth.
	wide := pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Code: strings.Repeat("4", 700)}}}
	big := func() []byte { return c.Sign("ops", slices.Repeat([]pb.Msg{wide}, pb.MessagesMax)...) }
	txs = [][]byte{big(), big(), big()}
	if r = c.Deliver(txs); r[1].Codespace == "E_SHARE" || r[2].Codespace != "E_SHARE" {
		t.Errorf("bytes above the share: %s", r[2].Log)
	}
	taken := 0
	for {
		resp, err := c.Apps[0].CheckTx(context.Background(), &abci.RequestCheckTx{Tx: big()})
		must(t, err)
		if resp.Code != 0 {
			if resp.Codespace != "E_SHARE" {
				t.Errorf("pool: %s", resp.Log)
			}
			break
		}
		if taken++; taken > 100 {
			t.Fatal("one member fills the pool without an end")
		}
	}
	if want := 4 * (2 << 20) / len(big()); taken != want {
		t.Errorf("the pool took %d transactions of one member, want %d", taken, want)
	}
	if resp, err := c.Apps[0].CheckTx(context.Background(), &abci.RequestCheckTx{Tx: c.Sign("gov1", small)}); err != nil || resp.Code != 0 {
		t.Errorf("another member is kept out of the pool: %v %v", resp, err)
	}

	// What fits into no block is too large, and not for later. A vote counts as a hundred messages.
	vote := pb.Msg{Sum: &pb.Msg_Vote{Vote: &pb.Vote{}}}
	for votes, want := range map[int]string{100: "", 101: "E_TX_SIZE", 201: "E_TX_SIZE"} {
		tx := c.Sign("gov1", slices.Repeat([]pb.Msg{vote}, votes)...)
		if resp, err := c.Apps[0].CheckTx(context.Background(), &abci.RequestCheckTx{Tx: tx}); err != nil || resp.Codespace != want {
			t.Errorf("%d votes in a transaction: %v %v", votes, resp, err)
		}
	}
}

// Before the first block nothing is checked, and nothing stops.
func TestCheckBeforeFirstBlock(t *testing.T) {
	t.Parallel()
	c := New(t, Options{Apps: 1})
	tx := c.Sign("registry", c.enrolMsg(USCC("91410100", "Y00504")))
	resp, err := c.Apps[0].CheckTx(context.Background(), &abci.RequestCheckTx{Tx: tx})
	must(t, err)
	if resp.Codespace != "E_TX_CHAIN" {
		t.Errorf("%v", resp)
	}
	if r := c.Block(tx); len(r) != 1 || r[0].Code != 0 {
		t.Errorf("block 1: %v", r)
	}
	if _, ok, err := c.Apps[0].Outcome([32]byte{1}); ok || err != nil {
		t.Errorf("outcome of nothing: %v %v", ok, err)
	}
}
