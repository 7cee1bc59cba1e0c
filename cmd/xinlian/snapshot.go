package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/join"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// headersFile lies in a snapshot's folder: what a home that is made from it must know of the chain. A node that makes snapshots for its peers writes none:
// they ask gateways.
const headersFile = "headers"

const trustBytesMax = 1 << 20

func snapshotCmd() *cobra.Command {
	return group("snapshot", "Make, list and restore snapshots of the ledger's state", snapshotCreateCmd(), snapshotListCmd(), snapshotRestoreCmd())
}

// snapshotView is a snapshot for people and programs.
type snapshotView struct {
	Dir     string `json:"dir"`
	ChainID string `json:"chain_id"`
	Height  int64  `json:"height"`
	AppHash string `json:"app_hash"`
	Chunks  int    `json:"chunks"`
	Bytes   int64  `json:"bytes"`
	Hash    string `json:"hash"`
	Headers bool   `json:"headers"` // restore needs no gateway
}

func viewSnapshot(i app.SnapshotInfo) snapshotView {
	_, err := os.Stat(filepath.Join(i.Dir, headersFile))
	return snapshotView{
		Dir: i.Dir, ChainID: i.ChainID, Height: i.Height, AppHash: fmt.Sprintf("%x", i.AppHash), Chunks: i.Chunks, Bytes: i.Bytes,
		Hash: fmt.Sprintf("%x", i.Hash), Headers: err == nil,
	}
}

func (v snapshotView) String() string {
	return fmt.Sprintf("height %d of chain %s, app hash %s, %d chunks, %d bytes: %s", v.Height, v.ChainID, v.AppHash, v.Chunks, v.Bytes, v.Dir)
}

func snapshotCreateCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "create", Short: "Make a snapshot of a stopped node's state", Args: cobra.NoArgs,
		Long: `Make a snapshot of a stopped node's state, of the height before its newest block: the block after it carries the app hash. It comes with the
headers that a home needs to be made from it. A running node makes its own, every state.snapshot_every heights, and serves them to its peers.

A snapshot holds the chain's secret, as the state does: it is for members and warranted auditors. It holds records and the heads of the logs; outcomes of
older transactions and older parts of the event log stay with the nodes that have them.

Exit codes: 0 done, 1 the state is damaged or there is no room, 2 the call was wrong, 3 in use or unreadable.`,
	}
	home, asJSON := homeFlag(c), jsonFlag(c)
	out := c.Flags().String("out", "", "folder for snapshots (default: snapshots in the home)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		info, err := snapshotCreate(c.Context(), *home, *out)
		if err != nil {
			return err
		}
		if v := viewSnapshot(info); *asJSON {
			return printJSON(c.OutOrStdout(), v)
		} else {
			fmt.Fprintln(c.OutOrStdout(), v)
		}
		return nil
	}
	return c
}

func snapshotCreate(ctx context.Context, home, out string) (info app.SnapshotInfo, err error) {
	cfg, chainID, err := loadHome(home)
	if err != nil {
		return info, err
	}
	engine, err := openEngineStores(cfg.Engine)
	if err != nil {
		return info, err
	}
	defer engine.close()
	a, err := app.New(app.Options{Dir: filepath.Join(cfg.Home, node.StateDir), ReadOnly: true, ChainID: chainID})
	if err != nil {
		return info, stateRefusal(err)
	}
	defer a.Close()
	if out == "" {
		out = filepath.Join(cfg.Home, node.SnapshotDir)
	}
	height := min(a.Status().Height, engine.blocks.Height()-1)
	if height < 1 {
		return info, exitWith(exitUnreadable, errors.New("the home has no two blocks yet: let the node run"))
	}
	if info, err = a.MakeSnapshot(ctx, height, out); err != nil {
		return info, err
	}
	headers := join.Stores{Block: engine.blocks, State: engine.states}
	next, err := headers.Signed(ctx, height+1)
	if err != nil {
		return info, exitWith(exitDamaged, err)
	}
	if !bytes.Equal(next.AppHash, info.AppHash) {
		return info, exitWith(exitDamaged, fmt.Errorf("the state of height %d makes app hash %x, block %d carries %x: run fsck", height, info.AppHash, height+1, next.AppHash))
	}
	return info, join.WriteHeaders(ctx, filepath.Join(info.Dir, headersFile), headers, height)
}

func snapshotListCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the snapshots of a home", Args: cobra.NoArgs,
		Long: `List the snapshots of a home, the newest first. The node may run.

Exit codes: 0 done, 1 a snapshot is damaged, 2 the call was wrong, 3 no home, or unreadable.`,
	}
	home, asJSON := homeFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, _, err := loadHome(*home) // a folder that is no home has no snapshots either, and the question was another
		if err != nil {
			return err
		}
		list, err := app.ListSnapshots(filepath.Join(cfg.Home, node.SnapshotDir))
		if err != nil {
			return err
		}
		views := []snapshotView{}
		for _, i := range list {
			views = append(views, viewSnapshot(i))
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), views)
		}
		for _, v := range views {
			fmt.Fprintln(c.OutOrStdout(), v)
		}
		return nil
	}
	return c
}

func snapshotRestoreCmd() *cobra.Command {
	var s session
	c := &cobra.Command{
		Use: "restore", Short: "Fill an empty home from a snapshot", Args: cobra.NoArgs,
		Long: `Fill an empty home, made by 'xinlian init' with the chain's genesis file, from a snapshot. The node then starts at the snapshot's height.

Nothing in the snapshot is believed. Its app hash must be in a header that more than two thirds of the power of a trusted validator set have signed: the
set of the trust file (--trust) or, without one, of the genesis file. The header comes from the snapshot's own folder, where 'snapshot create' puts it, or
from a member's gateway (--node, --key). Every row is checked against that hash before any of it can be read; a false chunk is named and nothing of the
snapshot can be read. After a crash or an interruption, run it again: it goes on from its last whole chunk. Of a trust file the anchor and the windows of
time hold as well; witnesses and time stamps that it asks for are not asked for here.

Exit codes: 0 done, 1 refused or no room, 2 the call was wrong, 3 in use or unreadable.`,
	}
	home := homeFlag(c)
	from := c.Flags().String("from", "", "the snapshot's folder (default: the newest in snapshots of the home)")
	trust := c.Flags().String("trust", "", "trust file with the validators that are believed (default: those of the genesis file)")
	s.addNode(c, time.Minute)
	s.addKey(c, false)
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx := c.Context()
		var gateway join.Headers
		if s.key != "" {
			cl, err := s.open(ctx)
			if err != nil {
				return err
			}
			defer cl.Close()
			gateway = join.FromGateway(cl)
		}
		defer whileRoom(*home, leastRoom, endNow(c))()
		info, err := snapshotRestore(ctx, *home, *from, *trust, gateway, func(witnesses, stamps int) {
			sayf(c, c.ErrOrStderr(), "the trust file asks for %d witnesses and time stamps of %d authorities: neither is asked for here; compare the app hash with another member", witnesses, stamps)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "restored: %s\n", viewSnapshot(info))
		return nil
	}
	return c
}

func snapshotRestore(ctx context.Context, home, from, trustFile string, gateway join.Headers, unasked func(witnesses, stamps int)) (info app.SnapshotInfo, err error) {
	cfg, chainID, err := loadHome(home)
	if err != nil {
		return info, err
	}
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return info, exitWith(exitUnreadable, err)
	}
	if from == "" {
		list, err := app.ListSnapshots(filepath.Join(cfg.Home, node.SnapshotDir))
		if err != nil {
			return info, err
		}
		if len(list) == 0 {
			return info, usagef("%s has no snapshot: name one with --from", filepath.Join(cfg.Home, node.SnapshotDir))
		}
		from = list[0].Dir
	}
	if info, err = app.ReadSnapshot(from); errors.Is(err, fs.ErrNotExist) {
		return info, usagef("%s is no snapshot: --from names the folder of one, as `xinlian snapshot list` shows it", from)
	} else if err != nil {
		return info, err
	}
	if info.ChainID != chainID {
		return info, fmt.Errorf("snapshot %s is of chain %s, the home of %s", from, info.ChainID, chainID)
	}
	who, err := whoIsTrusted(doc, trustFile, unasked)
	if err != nil {
		return info, err
	}
	trusted, err := who(info.Height + 1)
	if err != nil {
		return info, fmt.Errorf("snapshot %s: %w", from, err)
	}
	headers := gateway
	if headers == nil {
		if headers, err = join.ReadHeaders(filepath.Join(from, headersFile)); errors.Is(err, fs.ErrNotExist) {
			return info, usagef("snapshot %s has no headers: ask a member's gateway for them with --node and --key", from)
		} else if err != nil {
			return info, err
		}
	}
	st, commit, err := join.State(ctx, headers, doc, trusted, info.Height)
	if err != nil {
		return info, fmt.Errorf("snapshot %s: %w", from, err)
	}
	states, blocks, done, err := newEngineStores(cfg.Engine)
	if err != nil {
		return info, err
	}
	defer done()
	if !blocks.IsEmpty() {
		return info, fmt.Errorf("%s holds blocks up to %d: a snapshot goes into an empty home", cfg.Home, blocks.Height())
	}
	a, err := app.New(app.Options{Dir: filepath.Join(cfg.Home, node.StateDir), ChainID: chainID})
	if err != nil {
		return info, stateRefusal(err)
	}
	defer func() {
		if e := a.Close(); err == nil {
			err = e
		}
	}()
	// The state first. A crash after it leaves a home without blocks, and the same call goes on from here.
	if have := a.Status(); have.Height != info.Height || !bytes.Equal(have.AppHash, st.AppHash) {
		if have.Height != 0 {
			return info, fmt.Errorf("%s is at height %d: a snapshot goes into an empty home", cfg.Home, have.Height)
		}
		if err := a.RestoreSnapshot(ctx, from, st.AppHash, st.LastBlockTime); err != nil {
			return info, err
		}
	}
	return info, join.Prepare(states, blocks, st, commit)
}

// whoIsTrusted says whose word counts for the header at a height: the validators of the trust file, or of the genesis file without one. A trust file may ask for more than their
// word, which nobody has made for the headers of snapshots; unasked is told of that.
func whoIsTrusted(doc *cmttypes.GenesisDoc, trustFile string, unasked func(witnesses, stamps int)) (func(height int64) (*join.Trusted, error), error) {
	if trustFile == "" {
		return func(int64) (*join.Trusted, error) { return join.TrustGenesis(doc), nil }, nil
	}
	raw, err := readFileMax(trustFile, trustBytesMax)
	if err != nil {
		return nil, usage(err)
	}
	t, err := attest.ParseTrust(raw)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", trustFile, err))
	}
	switch {
	case t.ChainID != doc.ChainID:
		return nil, usagef("%s is of chain %s, the home of %s", trustFile, t.ChainID, doc.ChainID)
	case time.Now().After(t.NotAfter):
		return nil, usagef("%s may not be used after %s", trustFile, t.NotAfter.Format(time.RFC3339))
	}
	if w, s := t.Witnesses.Required, t.Stamps.Required; w+s > 0 {
		unasked(w, s)
	}
	return func(height int64) (*join.Trusted, error) { return join.TrustFile(t, height, time.Now()) }, nil
}

// newEngineStores opens CometBFT's databases of a home that has none yet.
func newEngineStores(cfg *cmtcfg.Config) (states sm.Store, blocks *store.BlockStore, done func(), err error) {
	// What is there is opened with the clear lines of the other verbs.
	if _, err := os.Stat(filepath.Join(cfg.DBDir(), "blockstore.db")); err == nil {
		if _, err := os.Stat(filepath.Join(cfg.DBDir(), "state.db")); err == nil {
			e, err := openEngineStores(cfg)
			if err != nil {
				return nil, nil, nil, err
			}
			return e.states, e.blocks, e.close, nil
		}
	}
	if err := node.CheckEngineStores(cfg); err != nil {
		return nil, nil, nil, exitWith(exitDamaged, err)
	}
	e := &engineStores{cfg: cfg}
	for _, id := range engineIDs {
		db, err := cmtcfg.DefaultDBProvider(&cmtcfg.DBContext{ID: id, Config: cfg})
		if err != nil {
			e.close()
			return nil, nil, nil, exitWith(exitUnreadable, fmt.Errorf("make CometBFT's stores: %w", err))
		}
		e.dbs = append(e.dbs, db)
	}
	return sm.NewStore(e.dbs[1], sm.StoreOptions{}), store.NewBlockStore(e.dbs[0]), e.close, nil
}
