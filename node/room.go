package node

import (
	"sync/atomic"

	"github.com/cometbft/cometbft/mempool"
)

// room is what the mempool has left for transactions that are being checked. The engine asks for room before a check and once more after it, and drops
// without a word what then has none. What is being checked counts here as if it were in, whether a caller of this node sent it or a peer, so that
// nobody is told that a transaction waits which does not.
type room struct {
	pool  *mempool.CListMempool // set before the node starts
	txs   int64                 // mempool.size
	bytes int64                 // mempool.max_txs_bytes

	checking, checkingBytes atomic.Int64
}

// take says whether a transaction finds room. Who got true leaves when the check is over.
func (r *room) take(n int) bool {
	txs, bytes := r.checking.Add(1), r.checkingBytes.Add(int64(n))
	if txs+int64(r.pool.Size()) <= r.txs && bytes+r.pool.SizeBytes() <= r.bytes {
		return true
	}
	r.leave(n)
	return false
}

func (r *room) leave(n int) {
	r.checking.Add(-1)
	r.checkingBytes.Add(-int64(n))
}
