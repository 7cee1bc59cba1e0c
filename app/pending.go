package app

import (
	"sync"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// pendingBlocks is how many blocks' worth of its share a member may have waiting in this node's mempool.
const pendingBlocks = 4

// decodedBytes bounds the transactions that pending holds in their decoded form: two full blocks, the next ones to be proposed. Decoded they take
// several times as much.
const decodedBytes = 2 * pb.BlockBytesMax

// pending is what the gate remembers of the transactions that wait in this node's mempool: how much each member has there, so that one importer
// cannot fill it, and what need not be found out twice. It is memory of this node alone; forgetting only costs work.
type pending struct {
	mu    sync.Mutex
	txs   map[[32]byte]waiting  // by SHA-256 of the transaction
	byID  map[[32]byte][32]byte // tx id → SHA-256 of the transaction that came with it first
	share map[string]share      // by member
	most  int                   // transactions in the mempool; 0: as many as come
	held  int64                 // bytes of the transactions whose decoded form is kept
	// executed are the ids of the newest block: it may not be on disk yet, where the gate would find them.
	executed map[[32]byte]struct{}
}

// share is what a member has waiting.
type share struct {
	txs   int
	bytes int64
}

type waiting struct {
	member    string
	bytes     int64
	id        [32]byte
	expiresAt int64
	parsed    *parsed // nil: decoded again when it is needed
}

func newPending(most int) *pending {
	return &pending{txs: map[[32]byte]waiting{}, byID: map[[32]byte][32]byte{}, share: map[string]share{}, most: most}
}

// add counts a transaction that passed the gate unless its member's share is full: of bytes, and of places, of which a member may hold as many as are free.
// Bytes alone would let one member fill every place with small transactions. Alone a member has half of the places, two have a third each: who has few
// waiting finds room however much others send.
func (p *pending) add(tx *parsed, member string, limit int64) bool {
	n := int64(len(tx.raw))
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.txs[tx.hash]; ok {
		return true
	}
	has := p.share[member]
	if has.bytes+n > limit || p.most > 0 && has.txs >= p.most-len(p.txs) {
		return false
	}
	w := waiting{member: member, bytes: n, id: tx.id, expiresAt: tx.body.ExpiresAt}
	if p.held+n <= decodedBytes {
		w.parsed = tx
		p.held += n
	}
	p.txs[tx.hash] = w
	if _, ok := p.byID[w.id]; !ok {
		p.byID[w.id] = tx.hash
	}
	p.share[member] = share{has.txs + 1, has.bytes + n}
	return true
}

// alive says that a transaction passed the gate, has not expired and was in no block since. false says nothing.
func (p *pending) alive(h [32]byte, blockTime int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.txs[h]
	// Under another signature the same transaction has the same id: once that is executed, no entry by id is left.
	return ok && w.expiresAt >= blockTime && p.byID[w.id] == h
}

// justExecuted says whether a transaction is in the newest block.
func (p *pending) justExecuted(id [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.executed[id]
	return ok
}

// decoded gives a transaction in its decoded form if that is held; it is shared, nobody changes it.
func (p *pending) decoded(h [32]byte) *parsed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.txs[h].parsed
}

func (p *pending) drop(h [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropLocked(h)
}

func (p *pending) dropLocked(h [32]byte) {
	w, ok := p.txs[h]
	if !ok {
		return
	}
	delete(p.txs, h)
	if p.byID[w.id] == h {
		delete(p.byID, w.id)
	}
	if w.parsed != nil {
		p.held -= w.bytes
	}
	has := p.share[w.member]
	if has = (share{has.txs - 1, has.bytes - w.bytes}); has.txs == 0 {
		delete(p.share, w.member)
	} else {
		p.share[w.member] = has
	}
}

// committed drops the transactions of a block, and what expired meanwhile. ids are those of the transactions that were executed.
func (p *pending) committed(txs, ids [][32]byte, blockTime int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.executed = make(map[[32]byte]struct{}, len(ids))
	for _, id := range ids {
		delete(p.byID, id)
		p.executed[id] = struct{}{}
	}
	for _, h := range txs {
		p.dropLocked(h)
	}
	for h, w := range p.txs { // DETERMINISM: memory of this node alone, order does not matter
		if w.expiresAt < blockTime {
			p.dropLocked(h)
		}
	}
}
