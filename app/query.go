package app

import (
	"context"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
)

// Query implements abci.Application. It serves the engine's own question (may this peer connect) and no records: those are the gateway's,
// which knows its audience.
func (a *App) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	if strings.HasPrefix(req.Path, "/p2p/filter/") {
		return &abci.ResponseQuery{Code: abci.CodeTypeOK}, nil
	}
	return &abci.ResponseQuery{Code: ErrMalformed.Number, Log: "records are read through the gateway, which knows who may see what"}, nil
}

// The application mempool of the engine is not used: transactions come through CheckTx.

// InsertTx implements abci.Application.
func (a *App) InsertTx(context.Context, *abci.RequestInsertTx) (*abci.ResponseInsertTx, error) {
	return &abci.ResponseInsertTx{Code: ErrMalformed.Number}, nil
}

// ReapTxs implements abci.Application.
func (a *App) ReapTxs(context.Context, *abci.RequestReapTxs) (*abci.ResponseReapTxs, error) {
	return &abci.ResponseReapTxs{}, nil
}

// Vote extensions are off; a node that asks for one is answered with none.

// ExtendVote implements abci.Application.
func (a *App) ExtendVote(context.Context, *abci.RequestExtendVote) (*abci.ResponseExtendVote, error) {
	return &abci.ResponseExtendVote{}, nil
}

// VerifyVoteExtension implements abci.Application.
func (a *App) VerifyVoteExtension(_ context.Context, req *abci.RequestVerifyVoteExtension) (*abci.ResponseVerifyVoteExtension, error) {
	status := abci.ResponseVerifyVoteExtension_ACCEPT
	if len(req.VoteExtension) > 0 {
		status = abci.ResponseVerifyVoteExtension_REJECT
	}
	return &abci.ResponseVerifyVoteExtension{Status: status}, nil
}
