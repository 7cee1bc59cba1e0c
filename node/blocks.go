package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/syndtr/goleveldb/leveldb/opt"

	dbm "github.com/cometbft/cometbft-db"
)

// engineStore are settings for CometBFT's stores. Their files stay goleveldb's, which every tool opens. With goleveldb's own settings a node that commits
// small blocks moves its newest blocks about every few seconds, compressing them each time, and its requests wait meanwhile. What the settings cost is
// memory: two write buffers a store at most, of which the two stores that grow fill theirs.
var engineStore = opt.Options{
	// Blocks are hashes and signatures, which do not compress.
	Compression: opt.NoCompression,
	// A quarter as many tables reach the lowest level. A start after a crash reads as much again.
	WriteBuffer: 16 << 20,
	// The keys of each kind (H: P: C: BH: …) lie all over the range, so what comes down is merged with all of the level below: about as much, not ten
	// times as often.
	CompactionTotalSize: 64 << 20,
	CompactionTableSize: 8 << 20,
	// Looking for what is not there is no reason to move what is.
	DisableSeeksCompaction: true,
}

// OpenEngineStore opens one of CometBFT's stores for a node that runs.
func OpenEngineStore(ctx *cmtcfg.DBContext) (dbm.DB, error) {
	if ctx.Config.DBBackend != string(dbm.GoLevelDBBackend) {
		return cmtcfg.DefaultDBProvider(ctx)
	}
	return dbm.NewGoLevelDBWithOpts(ctx.ID, ctx.Config.DBDir(), &engineStore)
}

// CheckEngineStores refuses a home in which one of CometBFT's two stores is gone and the other holds something: opened, the missing one would be an empty one that
// does not fit. A store that is there alone and empty is what a crash left of a first start.
func CheckEngineStores(c *cmtcfg.Config) error {
	ids := []string{"blockstore", "state"}
	dir := func(id string) string { return filepath.Join(c.DBDir(), id+".db") }
	for i, id := range ids {
		other := ids[1-i]
		if _, err := os.Stat(dir(id)); !errors.Is(err, fs.ErrNotExist) || !fileExists(dir(other)) {
			continue
		}
		db, err := cmtcfg.DefaultDBProvider(&cmtcfg.DBContext{ID: other, Config: c})
		if err != nil {
			return nil // whoever opens it next says what is wrong with it
		}
		defer db.Close()
		it, err := db.Iterator(nil, nil)
		if err != nil {
			return nil
		}
		defer it.Close()
		if it.Valid() {
			return fmt.Errorf("%s is missing, and CometBFT's other store is not: restore it; or remove %s and cs.wal too, nothing else, and start with --join", dir(id), dir(other))
		}
	}
	return nil
}

// beginAfterSnapshot tells CometBFT of a home that began with a snapshot and has no block yet. CometBFT goes on from there only where a note beside its state names the
// height; it takes the note away at every start, and its own state sync writes none. A node that ended before its first block never started again.
func beginAfterSnapshot(states sm.Store, blocks *store.BlockStore) error {
	if !blocks.IsEmpty() {
		return nil
	}
	st, err := states.Load()
	if err != nil || st.LastBlockHeight == 0 || blocks.LoadSeenCommit(st.LastBlockHeight) == nil {
		return err
	}
	return states.SetOfflineStateSyncHeight(st.LastBlockHeight)
}

// Blocks reads CometBFT's own stores. It never writes. CometBFT panics where its disk fails; the gateway's one recover answers 503.
type Blocks struct {
	blocks *store.BlockStore
	state  sm.Store
}

// Latest is the newest stored height, 0 before the first block.
func (b *Blocks) Latest() int64 { return b.blocks.Height() }

// Base is the oldest stored height.
func (b *Blocks) Base() int64 { return b.blocks.Base() }

// Block at a height, nil where there is none.
func (b *Blocks) Block(height int64) *types.Block {
	if height <= 0 {
		return nil
	}
	return b.blocks.LoadBlock(height)
}

// Header at a height, nil where there is none. It reads no transactions.
func (b *Blocks) Header(height int64) *types.Header {
	if height <= 0 {
		return nil
	}
	meta := b.blocks.LoadBlockMeta(height)
	if meta == nil {
		return nil
	}
	return &meta.Header
}

// Commit for a height: the one inside the next block, which is the same on every node, and for the newest height the one that
// this node saw, which is as valid and may hold other signatures elsewhere. nil where there is none.
func (b *Blocks) Commit(height int64) *types.Commit {
	if height <= 0 {
		return nil
	}
	if c := b.blocks.LoadBlockCommit(height); c != nil {
		return c
	}
	return b.blocks.LoadSeenCommit(height)
}

// Validators that sign at a height.
func (b *Blocks) Validators(height int64) (*types.ValidatorSet, error) {
	return b.state.LoadValidators(height)
}
