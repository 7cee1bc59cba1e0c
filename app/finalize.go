package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// block is a block that is executed and not yet written.
type block struct {
	height   int64
	appHash  tree.Hash
	info     *pb.BlockInfo
	chain    *x.Chain
	txs      [][32]byte // SHA-256 of each transaction
	ids      [][32]byte
	expires  []int64 // when each of them expires
	outcomes []*pb.TxOutcome
	messages int     // that took effect
	looked   *looked // rows that its messages had rules look through
	results  []*abci.ExecTxResult
	updates  []abci.ValidatorUpdate
	rows     *overlay               // what it writes, while it is executed
	changes  *changes               // the same, in order, while the next block may stand on them
	logged   [][32]byte             // leaves for the global log, in order of execution
	logs     bool                   // rows of members, governance or catalogue changed
	backlog  bool                   // timers that end visibility are left over
	left     [len(pb.PackSets)]bool // sets of the packs that somebody left
}

// ground is what a block is executed on.
type ground struct {
	chain *x.Chain
	rows  x.Reader // as the block before left them
	// aside opens another reader of the same rows, for a goroutine beside; nil: there is none.
	aside   func() (r x.Reader, done func())
	sigs    *signatures
	workers int
	before  int64    // time of the block before; 0: not known
	spare   *changes // empty ones whose memory the block may use; nil: there are none
}

// newCtx is what rules see at a height.
func newCtx(s x.State, chain *x.Chain, height, blockTime int64) *x.Ctx {
	legal := chain.LegalTime(blockTime)
	return &x.Ctx{
		State: s, Chain: chain, Height: height, BlockTime: blockTime, LegalTime: legal, Today: calendar.Of(legal),
		Touched: map[string]struct{}{},
	}
}

// FinalizeBlock implements abci.Application. It reads the state of the height before and this block, and nothing else, and changes nothing
// that another reader sees. A crash here leaves the state folder as it was.
func (a *App) FinalizeBlock(_ context.Context, req *abci.RequestFinalizeBlock) (_ *abci.ResponseFinalizeBlock, err error) {
	defer a.halt(fmt.Sprintf("block %d", req.Height), &err)
	height, _ := a.newest()
	switch {
	case req.Height != height+1:
		return nil, a.report("finalize", fmt.Errorf("block %d was delivered after block %d", req.Height, height))
	case len(req.Hash) != pb.DigestBytes: // draws read it: without it this node would compute another state than the others
		return nil, a.report("finalize", fmt.Errorf("block %d was delivered with a hash of %d bytes", req.Height, len(req.Hash)))
	}
	txs := a.proposal.parse(req.Txs, a.pool)
	var on ground
	if req.Height == 1 {
		if a.genesis == nil {
			return nil, a.report("finalize", errors.New("block 1 was delivered before genesis"))
		}
		on = ground{chain: a.genesis.chain, rows: a.genesis.rows, sigs: a.sigs, workers: a.opts.Workers}
	} else {
		var base *Snapshot
		if on, base, err = a.ground(); err != nil {
			return nil, a.report("finalize", err)
		}
		defer base.Close()
		a.readAhead(base, txs)
	}
	b, err := execute(on, heading{req.Height, req.Hash, req.Time}, txs)
	if err != nil {
		return nil, a.report("validators", err)
	}
	a.proposal = proposal{} // what was kept for this height

	// 7. The global event log.
	end := closeLog(b, endOfLog(b.rows))

	// 8. Write set → tree → app hash. The block before must be on disk: the tree changes in the order of the blocks.
	if err := a.Settle(); err != nil {
		return nil, err
	}
	root, err := a.store.Stage(uint64(req.Height), a.writeSet(b.rows))
	if err != nil {
		return nil, a.report("stage", err)
	}
	b.appHash = appHash(b.rows, b.chain.Secret, root, end.Frontier)
	b.info.AppHash = b.appHash[:]
	resp := &abci.ResponseFinalizeBlock{TxResults: b.results, ValidatorUpdates: b.updates, AppHash: b.appHash[:]}
	if a.opts.Overlap || a.standings != nil {
		b.rows.arrange() // reading changes nothing from here on
		b.changes = b.rows.changes
	}
	b.rows, b.results = nil, nil // staged, or the engine's
	a.next = b
	if b.backlog {
		a.log.Warn("timers that end visibility are behind", "height", req.Height)
	}
	return resp, nil
}

// heading is what rules see of a block's header.
type heading struct {
	height int64
	hash   []byte
	at     time.Time
}

// execute carries out a block, up to the rows that it writes and the leaves that it adds to the log. Nodes and auditors call it.
func execute(on ground, h heading, txs []*parsed) (*block, error) {
	rows := newOverlay(on.rows)
	if on.spare != nil {
		rows.changes = on.spare
	}
	rows.grow(txs)
	ctx := newCtx(rows, on.chain, h.height, h.at.Unix())
	ctx.BlockHash = h.hash
	b := &block{height: h.height, chain: on.chain, rows: rows}

	// 1. Transactions that can no longer come leave the seen-set.
	dropSeen(ctx, on.before, ctx.BlockTime, sweepLeast+len(txs))

	// 2. Timers that are due, before the transactions: what ends visibility first.
	x.KeepMoments(ctx)
	b.backlog = runTimers(ctx)
	rows.settle()

	// 3. The transactions, each through the gate and then through the rules.
	b.run(ctx, on.sigs, txs)

	// 4. What hangs on the records that left publicity or came back, then the standings of the subjects that were touched.
	repair.Settle(ctx)
	x.SettleDuties(ctx)
	x.SettleTimers(ctx)
	rows.settle()
	b.left = refresh(ctx, on, rows)
	b.logged = ctx.Logged

	// 5. Who validates from now on. It follows from the rows of members alone, which few blocks write.
	if rows.wrote(member.Prefix) {
		var err error
		if b.updates, err = validatorUpdates(validatorPowers(on.rows), validatorPowers(rows)); err != nil {
			return nil, err
		}
	}

	// 6. What answers need and no rule reads.
	b.info = &pb.BlockInfo{
		Height: h.height, TimeSeconds: h.at.Unix(), TimeNanos: int32(h.at.Nanosecond()),
		LegalTime: ctx.LegalTime, CatalogVersion: catalog.Version(rows).Version,
	}
	for i, o := range b.outcomes {
		if o != nil {
			outcomes.Put(ctx, o, b.ids[i][:])
		}
	}
	blockInfos.Put(ctx, b.info, be64(uint64(h.height)))
	return b, nil
}

// writeSet is what the block writes. The first block carries genesis.
func (a *App) writeSet(rows *overlay) *state.WriteSet {
	w := state.NewWriteSet()
	w.Grow(rows.len())
	add := func(c change) {
		if c.deleted {
			w.Delete(c.key)
		} else {
			w.Set(c.key, c.value)
		}
	}
	if a.genesis != nil {
		a.genesis.rows.each(add)
	}
	rows.each(add)
	return w
}

// closeLog adds the events of a block to the global log: versions of records in order of execution, then changed rows of members, governance and
// catalogue by key. It gives the new end.
func closeLog(b *block, end logEnd) logEnd {
	leaves := b.logged
	b.rows.eachOf(firstLogged, lastLogged, func(c change) {
		b.logs = true
		leaves = append(leaves, rowLeaf(b.height, c))
	})
	return appendLog(b.rows, end, leaves)
}

// run executes the transactions of a block in order.
func (b *block) run(ctx *x.Ctx, sigs *signatures, txs []*parsed) {
	sigs.warm(txs)
	expiring := seenBuckets{}
	b.looked = newLooked(ctx, txs)
	g := newBlockGate(ctx, ctx.Chain, ctx.BlockTime, sigs)
	b.results = make([]*abci.ExecTxResult, len(txs))
	b.txs, b.ids, b.outcomes = make([][32]byte, len(txs)), make([][32]byte, len(txs)), make([]*pb.TxOutcome, len(txs))
	b.expires = make([]int64, len(txs))
	for i, p := range txs {
		b.txs[i] = p.hash
		uscc, r := g.pass(p)
		if r != nil {
			// Only a proposer that breaks the rules brings such a transaction here. It leaves no trace: it may still come in its own right.
			b.results[i] = &abci.ExecTxResult{Code: r.Number, Codespace: r.Code, Log: r.Error()}
			continue
		}
		b.rows.settle()
		ctx.Signer, ctx.Member = p.body.Signer, uscc
		b.outcomes[i], b.results[i] = runTx(ctx, b.rows, p, i, b.looked)
		ctx.Signer, ctx.Member = nil, ""
		if b.outcomes[i] == nil {
			continue // it waits for a later block: this one leaves no trace of it
		}
		b.ids[i], b.expires[i] = p.id, p.body.ExpiresAt
		expiring.mark(ctx, p.id, p.body.ExpiresAt)
		if b.results[i].Code == 0 {
			b.messages += len(p.body.Messages)
		}
	}
	expiring.put(ctx)
}

// looked is how many rows of subjects the messages of a block have had rules look through.
type looked struct {
	by    map[string]int64 // the member whose messages asked for it
	all   int64
	share int64 // as many as a member may have
	most  int64 // as many as all together may have, beyond what each has its part of
	part  int64 // of a member, which the others cannot take: the members of the block together have most once more
}

func newLooked(r x.Reader, txs []*parsed) *looked {
	signers, members := map[string]struct{}{}, map[string]struct{}{}
	for _, p := range txs {
		if p.err != nil {
			continue
		}
		if _, known := signers[string(p.body.Signer)]; known {
			continue // of thousands of transactions a few keys have signed
		}
		signers[string(p.body.Signer)] = struct{}{}
		if m, _, ok := member.ByAddress(r, p.body.Signer); ok {
			members[m.Uscc] = struct{}{}
		}
	}
	l := &looked{by: map[string]int64{}, most: catalog.Int(r, "rows_per_block")}
	// A share beyond what the block holds would have a transaction wait for ever.
	l.share, l.part = min(catalog.Int(r, "member_rows_per_block"), l.most), l.most/int64(max(1, len(members)))
	return l
}

func (l *looked) add(uscc string, rows int64) {
	l.by[uscc] += rows
	l.all += rows
}

// usedUp says whether a member has had its share: what it sends beyond it is refused.
func (l *looked) usedUp(uscc string) bool { return l.by[uscc] >= l.share }

// full says whether the block holds no more work of a member. The others have used it up, so its transaction waits for a later block. Who asks for little is
// not kept out by those who ask for much: it has its part.
func (l *looked) full(uscc string) bool { return l.all >= l.most && l.by[uscc] >= l.part }

// runTx executes one transaction: all of its messages, or none. After a refusal the rest is still checked, so that the sender learns everything
// that is wrong at once.
//
// A message may have its rule look through all rows of a subject, and a standing is made of them: who has had the block look through as many as its share is
// refused the rest. Where the members together have had it look through as many as a block holds, the transaction is undone and waits for a later block: it has
// no outcome. What was undone was looked through all the same.
func runTx(ctx *x.Ctx, rows *overlay, p *parsed, index int, l *looked) (*pb.TxOutcome, *abci.ExecTxResult) {
	start, loggedBefore, touchedBefore, movedBefore := rows.mark(), len(ctx.Logged), ctx.Touched, len(ctx.Moved)
	ctx.Touched = map[string]struct{}{} // of this transaction: a subject whose enrolment is undone was not touched
	var (
		first *x.Rejection
		res   pb.TxResult
		out   = &pb.TxOutcome{Height: ctx.Height, Index: uint32(index), Signer: p.body.Signer}
	)
	n := len(p.body.Messages)
	res.Results, out.Results = make([]pb.MsgResult, 0, n), make([]pb.MsgOutcome, 0, n)
	for i := range p.body.Messages {
		mark, loggedMark, movedMark, lookedBefore := rows.mark(), len(ctx.Logged), len(ctx.Moved), ctx.Looked
		var done x.Done
		var err error
		switch {
		case l.usedUp(ctx.Member):
			err = x.ErrRows.With("the block has looked through %d rows of subjects for %s", l.by[ctx.Member], ctx.Member)
		case l.full(ctx.Member):
			rows.revert(start)
			ctx.Logged, ctx.Moved, ctx.Touched = ctx.Logged[:loggedBefore], ctx.Moved[:movedBefore], touchedBefore
			rows.settle()
			r := ErrWork.With("the block has looked through %d rows of subjects, %d of them for %s", l.all, l.by[ctx.Member], ctx.Member)
			return nil, &abci.ExecTxResult{Code: r.Number, Codespace: r.Code, Log: r.Error()}
		default:
			ctx.Sound = p.sound[i]
			done, err = Dispatch(ctx, &p.body.Messages[i])
		}
		l.add(ctx.Member, ctx.Looked-lookedBefore)
		r := pb.MsgResult{Index: uint32(i), Record: done.Record, Note: done.Note}
		o := pb.MsgOutcome{Index: r.Index, Record: r.Record, Note: r.Note}
		if err != nil {
			rej := rejection(err)
			if first == nil {
				first = rej
			}
			r.Code, r.Note = rej.Number, ""
			o.Code, o.Note, o.Reason, o.Rule = rej.Number, "", rej.Error(), rej.Rule
			if rej.PassesOn != 0 {
				o.PassesOn = rej.PassesOn.String()
			}
			rows.revert(mark)
			ctx.Logged, ctx.Moved = ctx.Logged[:loggedMark], ctx.Moved[:movedMark]
		}
		res.Results = append(res.Results, r)
		out.Results = append(out.Results, o)
	}
	result := &abci.ExecTxResult{Data: x.EncodeRow(&res)}
	if first != nil {
		rows.revert(start)
		ctx.Logged, ctx.Moved = ctx.Logged[:loggedBefore], ctx.Moved[:movedBefore]
		result.Code, result.Codespace, result.Log = first.Number, first.Code, first.Error()
		out.Code, out.Reason, out.Rule = first.Number, first.Error(), first.Rule
		if first.PassesOn != 0 {
			out.PassesOn = first.PassesOn.String()
		}
	}
	if first == nil {
		for s := range ctx.Touched { // DETERMINISM: a sum, in any order
			if _, ok := touchedBefore[s]; !ok {
				l.add(ctx.Member, int64(subject.FileSize(ctx, s)))
			}
		}
		maps.Copy(touchedBefore, ctx.Touched)
	}
	ctx.Touched = touchedBefore
	rows.settle()
	return out, result
}

// rejection takes what a transition returned. Anything but a Rejection is a bug in the rules.
func rejection(err error) *x.Rejection {
	var r *x.Rejection
	if !errors.As(err, &r) {
		panic(fmt.Sprintf("a transition returned an error that is no refusal: %v", err))
	}
	if len(r.Text) > reasonMax {
		r = r.With("%s…", strings.ToValidUTF8(r.Text[:reasonMax], ""))
	}
	return r
}

// reasonMax bounds the text of a refusal. Many quote what was sent, and a field may be as long as its transaction: it must not come back several
// times over in outcomes and results. The text is no part of consensus.
const reasonMax = 512
