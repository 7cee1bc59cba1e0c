package gateway

import (
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Every bound on what comes in and goes out over HTTP.
const (
	headerBytesMax = 16 << 10 // request line and headers
	targetBytesMax = 2 << 10  // request target
	batchBodyMax   = 512 << 10
	ackBodyMax     = 2 << 20
	batchMax       = pb.BundleEntriesMax // subjects of one bundle

	pageDefault = 100
	pageMax     = 1000
	fileMax     = 5000 // records of each kind in the answer about a file

	authAge     = 60 * time.Second // ± of an Authorization header
	authSeenMax = 1 << 18          // headers remembered; when full, members wait
	authSeenOne = authSeenMax / 8  // of them, of one key: some 500 a second, as a peer's rate is

	packsAtWork    = 64 // requests for packs and deltas: who waits for one that is being made keeps nobody else out
	watchesAtWork  = 8  // requests about watches: each may hold a list of 100,000 firms in memory, and waits for the disk
	ownerAtWork    = 2  // of them, of one lender
	receiptsAtWork = 8  // pages of receipts
	lenderShares   = 8  // a lender has as many queries at work as one part in eight of their places: they share writes to disk, and wait for those
	bodyShares     = 8  // a peer that is not on this machine sends as many bodies at a time as one part in eight of all

	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	writeSlack        = 30 * time.Second // beyond the longest wait for a block

	peersMax = 1 << 16 // peers whose rate is counted

	// An answer on its way to its reader is in memory. The bound on all is as much as a node gives to proofs at older heights (state.proof_window_mb), and room
	// for sixteen of the largest bundles; an eighth of it is two of them for each peer.
	sendingMax = 256 << 20
	sendShares = 8
	sendFree   = 16 << 10         // an answer up to this is not counted: the system takes it before anybody reads, and a bundle of one subject is less
	sendSlack  = 10 * time.Second // an answer that is counted may take this long to be read, and a second more for each sendRate bytes of it
	sendRate   = 256 << 10        // 2 Mbit/s: the least of a line on which somebody works
)
