package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/receipt"
	"github.com/xinlian-ledger/xinlian/node/vault"
)

// lender is what makes a node's gateway one for lenders: its journal of receipts, and the key that anchors them.
type lender struct {
	gateway.Lending
	key *keys.Key
}

// openLending opens what the settings name; nil: the node is no lenders' gateway.
func openLending(cfg node.Config) (*lender, error) {
	s := cfg.Settings.Lending
	if s.Member == "" {
		return nil, nil
	}
	file := under(cfg.Home, s.Key)
	word, err := keys.ReadPassphrase(under(cfg.Home, s.Passphrase))
	if err != nil {
		return nil, fmt.Errorf("lending.passphrase: %w", err)
	}
	key, err := keys.Open(filepath.Dir(file)).Load(strings.TrimSuffix(filepath.Base(file), ".json"), word)
	if err != nil {
		return nil, fmt.Errorf("lending.key: %w", err)
	}
	dir := filepath.Join(cfg.Home, node.ReceiptsDir)
	secret, err := vault.SealedKey(filepath.Join(dir, receipt.KeyFileName), []byte(word))
	if err != nil {
		return nil, fmt.Errorf("the journal of receipts: lending.passphrase must be that under which its key was sealed: %w", err)
	}
	j, err := receipt.Open(dir, secret)
	if err != nil {
		return nil, err
	}
	return &lender{Lending: gateway.Lending{Member: s.Member, Journal: j}, key: key}, nil
}

func under(home, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(home, path)
}

func (l *lender) options() *gateway.Lending {
	if l == nil {
		return nil
	}
	return &l.Lending
}

// anchor sends the roots of receipts until the context ends.
func (l *lender) anchor(ctx context.Context, n *node.Node, log *slog.Logger) {
	a := &receipt.Anchorer{
		Journal: l.Journal, App: n.App(), Key: l.key, Member: l.Member, Log: log.With("module", "receipts"),
		Submit: func(ctx context.Context, tx []byte) (uint32, string, error) {
			resp, err := n.Submit(ctx, tx)
			switch {
			case errors.Is(err, node.ErrKnown):
				return 0, "", nil
			case err != nil:
				return 0, "", err
			}
			return resp.Code, resp.Log, nil
		},
	}
	a.Run(ctx)
}

func (l *lender) close() {
	if l != nil {
		l.Journal.Close()
	}
}
