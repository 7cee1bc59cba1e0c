package node

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/types"
)

// ErrBusy says that the mempool has no room now. The sender comes back later (HTTP 429 or 503, E_BUSY).
var ErrBusy = errors.New("this node has no room for more transactions now: send again in a moment")

// ErrKnown says that these very bytes have been here lately: in the mempool, or committed. The outcome tells.
var ErrKnown = errors.New("this transaction was submitted before: ask for its outcome")

// ErrTooLarge says that the transaction exceeds the limit.
var ErrTooLarge = errors.New("the transaction is too large")

// Submit hands a transaction to the mempool. A refusal by the gate is an answer (Code ≠ 0), not an error.
func (n *Node) Submit(ctx context.Context, tx []byte) (abci.ResponseCheckTx, error) {
	if err := ctx.Err(); err != nil {
		return abci.ResponseCheckTx{}, err
	}
	if !n.room.take(len(tx)) {
		return abci.ResponseCheckTx{}, ErrBusy
	}
	defer n.room.leave(len(tx))
	var resp *abci.ResponseCheckTx
	// The client is local: the callback has run when CheckTx returns without error.
	err := n.engine.Mempool().CheckTx(types.Tx(tx), func(r *abci.ResponseCheckTx) { resp = r }, mempool.TxInfo{SenderID: mempool.UnknownPeerID})
	var full mempool.ErrMempoolIsFull
	var large mempool.ErrTxTooLarge
	switch {
	case err == nil && resp != nil && resp.Code != codeStopping:
		return *resp, nil
	case err == nil:
		return abci.ResponseCheckTx{}, ErrBusy
	case errors.As(err, &full), errors.Is(err, mempool.ErrRecheckFull):
		return abci.ResponseCheckTx{}, ErrBusy
	case errors.As(err, &large):
		return abci.ResponseCheckTx{}, fmt.Errorf("%w: %d bytes, %d are allowed", ErrTooLarge, large.Actual, large.Max)
	case errors.Is(err, mempool.ErrTxInCache):
		return abci.ResponseCheckTx{}, ErrKnown
	default:
		return abci.ResponseCheckTx{}, fmt.Errorf("submit: %w", err)
	}
}

// again hands what a block had no room to carry out to the mempool once more, in its order. The mempool waits for the commit first, and has forgotten it then.
// Of what finds no room here another member's node may still have it, and who sent it asks for its outcome and sends it again.
func (n *Node) again(txs [][]byte) {
	if n.engine == nil {
		return // what a crash left half done is carried out before there is a mempool
	}
	go func() {
		for _, tx := range txs {
			if _, err := n.Submit(context.Background(), tx); err != nil {
				n.log.Debug("a transaction that waits for a later block", "err", err)
			}
		}
	}()
}
