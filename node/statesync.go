package node

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"
)

// ApplySnapshotChunk counts as progress: a node that takes a large snapshot makes no block for a while, and the watchdog must not end it. With the last
// chunk the node is at the snapshot's height.
func (a *metered) ApplySnapshotChunk(ctx context.Context, req *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	resp, err := a.Application.ApplySnapshotChunk(ctx, req)
	if err != nil || resp.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
		return resp, err
	}
	info, err := a.Application.Info(ctx, &abci.RequestInfo{})
	if err != nil {
		return nil, err
	}
	a.risen(info.LastBlockHeight)
	a.m.Height.Set(float64(info.LastBlockHeight))
	return resp, nil
}
