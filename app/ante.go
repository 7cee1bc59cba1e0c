package app

import (
	"crypto/sha256"
	"sync/atomic"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Refusals of the gate, 201–299. Numbers are permanent.
var (
	ErrMalformed = x.Reject(201, "E_TX_MALFORMED", "WIRE", "the bytes are not a transaction in its one encoding", "encode it as WIRE.md says")
	ErrChain     = x.Reject(202, "E_TX_CHAIN", "design §4", "the transaction is for another chain", "sign for this chain's id")
	ErrSuite     = x.Reject(203, "E_TX_SUITE", "design §4", "the signature suite is not in force", "use suite 1 (secp256k1, Keccak-256)")
	ErrExpired   = x.Reject(204, "E_TX_EXPIRED", "design §4", "the transaction has expired", "sign it again with a later expiry")
	ErrTooEarly  = x.Reject(205, "E_TX_EXPIRY", "design §4", "the transaction expires too far in the future", "choose an expiry within the limit")
	ErrSigner    = x.Reject(206, "E_SIGNER", "INV-15, INV-33", "the signer is not a key in force of a member", "use a key that governance has admitted")
	ErrSignature = x.Reject(207, "E_SIGNATURE", "INV-15", "the signature is not the signer's", "sign the Keccak-256 digest that WIRE.md names; low s, v 0 or 1")
	ErrSeen      = x.Reject(208, "E_TX_SEEN", "design §4", "the transaction was executed already", "look up its outcome by its id")
	ErrShare     = x.Reject(209, "E_SHARE", "design §4", "the member has used up its share", "send the rest after the next blocks")
	ErrTooLarge  = x.Reject(210, "E_TX_SIZE", "design §4", "the transaction is too large", "split it")
	ErrWork      = x.Reject(211, "E_BLOCK_WORK", "design §4", "the block holds no more work", "the transaction goes into a later block")
)

// parsed is a transaction that decodes. What does not depend on state is computed once.
type parsed struct {
	raw  []byte
	hash [32]byte // SHA-256 of raw
	id   [32]byte
	body *pb.Body
	sig  []byte
	err  *x.Rejection

	good  atomic.Bool // the signature was checked and is the signer's
	sound []any       // by message: itself, where it passed what its rule asks whatever the state; nil: its rule has to look
}

// parse decodes strictly. It never fails: what is wrong is in err.
func parse(raw []byte) *parsed {
	p := &parsed{raw: raw, hash: sha256.Sum256(raw)}
	if len(raw) > pb.TxBytesMax {
		p.err = ErrTooLarge.With("the transaction has %d bytes, more than %d", len(raw), pb.TxBytesMax)
		return p
	}
	tx, body, err := pb.DecodeTx(raw)
	if err != nil {
		p.err = ErrMalformed.With("%v", err)
		return p
	}
	p.body, p.sig, p.id = body, tx.Signature, pb.SignBytes(body.ChainId, tx.Body)
	p.look()
	return p
}

// look finds the messages that pass what their rules ask whatever the state, so that they are not looked at where one waits for the other. What does not pass is
// refused by its rule. Penalties alone are worth it: they are most of what comes.
func (p *parsed) look() {
	p.sound = make([]any, len(p.body.Messages))
	for i := range p.body.Messages {
		if m, ok := p.body.Messages[i].Sum.(*pb.Msg_RecordPenalty); ok && sanction.CheckRecord(m.RecordPenalty) == nil {
			p.sound[i] = m.RecordPenalty
		}
	}
}

// gate is what a transaction must pass before any rule sees it. It is the same for CheckTx, PrepareProposal, ProcessProposal and
// FinalizeBlock; only CheckTx has no block yet.
type gate struct {
	state     x.Reader
	chain     *x.Chain
	blockTime int64
	today     calendar.Date
	limits    limits
	sigs      *signatures
	block     *inBlock // nil: a transaction for the mempool, which has no block yet
	done      *recent  // of the mempool's gate; nil: the seen-set alone is asked
}

// inBlock is what the block holds that is being filled, checked or executed.
type inBlock struct {
	ids     map[[32]byte]struct{}
	bytes   map[string]int64 // by member
	msgs    map[string]int64
	allMsgs int64
}

// limits are the parameters that the gate asks for.
type limits struct{ memberBytes, memberMsgs, expiryMax int64 }

func limitsOf(r x.Reader) limits {
	return limits{
		memberBytes: catalog.Int(r, "member_bytes_per_block"),
		memberMsgs:  catalog.Int(r, "member_messages_per_block"),
		expiryMax:   catalog.Int(r, "tx_expiry_max_seconds"),
	}
}

func newGate(r x.Reader, chain *x.Chain, blockTime int64, l limits, sigs *signatures) *gate {
	return &gate{state: r, chain: chain, blockTime: blockTime, today: calendar.Of(chain.LegalTime(blockTime)), limits: l, sigs: sigs}
}

// newBlockGate is the gate of a block.
func newBlockGate(r x.Reader, chain *x.Chain, blockTime int64, sigs *signatures) *gate {
	g := newGate(r, chain, blockTime, limitsOf(r), sigs)
	g.block = &inBlock{ids: map[[32]byte]struct{}{}, bytes: map[string]int64{}, msgs: map[string]int64{}}
	return g
}

// pass lets a transaction through or refuses it. What passes counts against the block.
func (g *gate) pass(p *parsed) (memberUSCC string, r *x.Rejection) {
	// 1. Form and size.
	if p.err != nil {
		return "", p.err
	}
	b := p.body
	// 2. This chain, a suite in force.
	if b.ChainId != g.chain.ID {
		return "", ErrChain.With("the transaction is for chain %q, this is %q", b.ChainId, g.chain.ID)
	}
	if b.Suite != pb.SuiteSecp256k1 {
		return "", ErrSuite.With("suite %d is not in force", b.Suite)
	}
	// 3. Alive: block time rules expiry.
	if b.ExpiresAt < g.blockTime {
		return "", ErrExpired.With("expired at %d, block time is %d", b.ExpiresAt, g.blockTime)
	}
	if b.ExpiresAt > g.blockTime+g.limits.expiryMax {
		return "", ErrTooEarly.With("expires %d seconds ahead, at most %d are allowed", b.ExpiresAt-g.blockTime, g.limits.expiryMax)
	}
	// 4. Replay, against the state and within the block.
	if g.block.holds(p.id) || !g.done.rulesOut(p.id, b.ExpiresAt) && seen(g.state, p.id, b.ExpiresAt) {
		return "", ErrSeen.With("transaction %x was executed already", p.id)
	}
	// 5. Who signs: a member that is not removed, with a key in its window of legal time.
	m, key, ok := member.ByAddress(g.state, b.Signer)
	switch {
	case !ok:
		return "", ErrSigner.With("address %x is no member's key", b.Signer)
	case m.Removed:
		return "", ErrSigner.With("member %s has left the consortium", m.Uscc)
	case !member.InWindow(g.today, key.ValidFrom, key.ValidTo):
		return "", ErrSigner.With("key %q of %s is not in force on %s", key.Name, m.Uscc, g.today)
	}
	// 6. The signature, remembered by the hash of the whole transaction.
	if !g.sigs.valid(p) {
		return "", ErrSignature.With("the signature is not that of %x", b.Signer)
	}
	// 7. Fair share of the block, and the block's own bound of work.
	n := work(b)
	if most := min(g.limits.memberMsgs, pb.BlockMessagesMax); n > most || int64(len(p.raw)) > g.limits.memberBytes {
		// No block to come will take it: "later" would have it sent again for ever.
		return m.Uscc, ErrTooLarge.With("the transaction has %d bytes and counts as %d messages; a member may put %d and %d into a block",
			len(p.raw), n, g.limits.memberBytes, most)
	}
	return m.Uscc, g.block.take(p, m.Uscc, n, g.limits)
}

// holds says whether a transaction is in the block already.
func (b *inBlock) holds(id [32]byte) bool {
	if b == nil {
		return false
	}
	_, ok := b.ids[id]
	return ok
}

// take puts a transaction into the block if it has room.
func (b *inBlock) take(p *parsed, member string, n int64, l limits) *x.Rejection {
	size := int64(len(p.raw))
	switch {
	case b == nil:
		return nil
	case b.allMsgs+n > pb.BlockMessagesMax:
		return ErrWork
	case b.bytes[member]+size > l.memberBytes || b.msgs[member]+n > l.memberMsgs:
		return ErrShare.With("%s may put %d bytes and %d messages into a block", member, l.memberBytes, l.memberMsgs)
	}
	b.ids[p.id] = struct{}{}
	b.bytes[member] += size
	b.msgs[member] += n
	b.allMsgs += n
	return nil
}

// governanceWork is for how many messages of a share one of governance counts: it reads proposals and the rows of all members, of which each may be
// as long as a transaction, and no agency has many to send. A court's plan and a list of 信用中国
// count as much: they read all records of their subject.
const governanceWork = 100

// signatureWork is for how many messages one counts that carries a signature of its own: it is recovered while the block is executed.
const signatureWork = 10

// work is how much of the share of messages a transaction takes.
func work(b *pb.Body) (n int64) {
	for i := range b.Messages {
		switch b.Messages[i].Sum.(type) {
		case *pb.Msg_Propose, *pb.Msg_Vote, *pb.Msg_FilePlan, *pb.Msg_Reconcile:
			n += governanceWork
		case *pb.Msg_RegisterKey, *pb.Msg_GrantAuthorisation, *pb.Msg_WithdrawAuthorisation:
			n += signatureWork
		case *pb.Msg_AddCandidates:
			n += int64(max(1, len(b.Messages[i].Sum.(*pb.Msg_AddCandidates).AddCandidates.Candidates)))
		default:
			n++
		}
	}
	return n
}
