package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

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
	j, err := receipt.OpenSealed(dir, []byte(word))
	if err != nil {
		return nil, receiptsError(err)
	}
	return &lender{Lending: gateway.Lending{Member: s.Member, Journal: j}, key: key}, nil
}

func receiptsError(err error) error {
	if errors.Is(err, vault.ErrPassphrase) {
		return fmt.Errorf("the journal of receipts: lending.passphrase must be that under which its key was sealed: %w", err)
	}
	return err
}

// receiptsCmd has the verbs of a lenders' gateway over its journal of receipts.
func receiptsCmd() *cobra.Command {
	return group("receipts", "The journal of receipts of a lenders' gateway", receiptsRekeyCmd())
}

func receiptsRekeyCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "rekey", Short: "Put the journal of receipts under a new key, on a stopped node", Args: cobra.NoArgs,
		Long: `Put the journal of receipts under a new key, on a stopped node: every receipt, use and anchor is encrypted anew, none is lost or changed, and the blocks of the old
file are overwritten. The new key is sealed under lending.passphrase; where the key before was sealed under another one, --was names the file that holds it.

A crash at any moment leaves a whole journal under one of the two keys, and a start finds which. For a while the disk holds the journal twice. Back up both files of
data/receipts afterwards. Who has a copy of the old file and of its key can still read that copy. Run it as the user that the node runs as: the files are its own.

Exit codes: 0 done, 1 damaged, no room or another passphrase, 2 the call was wrong, 3 in use or unreadable.`,
	}
	home := homeFlag(c)
	was := c.Flags().String("was", "", "file with the passphrase of the key before, if it is not lending.passphrase")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := node.LoadConfig(*home)
		if err != nil {
			return exitWith(exitUnreadable, err)
		}
		s := cfg.Settings.Lending
		if s.Member == "" {
			return usagef("%s is the home of no lenders' gateway: lending.member is empty", *home)
		}
		now, err := keys.ReadPassphrase(under(cfg.Home, s.Passphrase))
		if err != nil {
			return exitWith(exitUnreadable, fmt.Errorf("lending.passphrase: %w", err))
		}
		before := now
		if *was != "" {
			if before, err = keys.ReadPassphrase(*was); err != nil {
				return usagef("--was: %w", err)
			}
		}
		total := 0
		bar := newProgress("receipts", func() int { return total })
		err = receipt.Rekey(filepath.Join(cfg.Home, node.ReceiptsDir), []byte(before), []byte(now), func(done, of int) { total = of; bar.at(done) })
		bar.done()
		if err != nil {
			return rekeyRefusal(err)
		}
		sayf(c, c.OutOrStdout(), "the journal of receipts is under a new key")
		return nil
	}
	return c
}

// rekeyRefusal gives an error of a change of key its exit code.
func rekeyRefusal(err error) error {
	switch {
	case errors.Is(err, vault.ErrPassphrase):
		return exitWith(exitDamaged, fmt.Errorf("the journal of receipts: its key was sealed under another passphrase; --was names the file that holds it: %w", err))
	case errors.Is(err, receipt.ErrKey):
		return exitWith(exitDamaged, err)
	case errors.Is(err, receipt.ErrInUse), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return exitWith(exitUnreadable, err)
	}
	return exitWith(exitDamaged, err)
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
		Journal: l.Journal, App: n.App(), Key: l.key, Member: l.Member, Log: log.With("module", "receipts"), Current: n.Current,
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
