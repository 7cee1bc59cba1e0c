package state

// Limits on what one block may hand to the store. They are far above what the rules allow and exist so that a bug
// above this package becomes an error here instead of a Badger surprise on disk.
const (
	// maxKeyLen bounds row keys and leaf keys.
	maxKeyLen = 1024
	// maxValueLen keeps every value below Badger's value threshold: values stay in the LSM tree, the value log stays
	// empty and needs no garbage collection, and the in-memory mode accepts the same values as the disk.
	maxValueLen = 1<<20 - 1
	// maxMetaLen bounds the part of the marker that is opaque to the store.
	maxMetaLen = 64 << 10
	// maxChainIDLen bounds the folder identity (CometBFT's own limit is 50).
	maxChainIDLen = 128
	// maxWindow bounds the heights whose proofs stay in memory.
	maxWindow = 1 << 16
	// maxFloorStride bounds how far the floor may lag behind Retain. See (*Store).moveFloor.
	maxFloorStride = 1024

	// A block is split into writes of at most this size. Badger's own bound is 15 % of the memtable
	// (9.6 MB of 64 MB, about 100,000 entries); ours is reached first, so the split depends on the block alone.
	defaultTxnBytes   = 8 << 20
	defaultTxnEntries = 60_000
	// From so many entries on, a step writes its rows in their order (writeRows).
	defaultInOrder         = 200
	defaultTxnBytesInRAM   = 512 << 10
	defaultTxnEntriesInRAM = 10_000

	defaultWindow        = 1024
	defaultWindowBytes   = 256 << 20
	defaultMemTable      = 64 << 20
	defaultMemTableInRAM = 8 << 20
)
