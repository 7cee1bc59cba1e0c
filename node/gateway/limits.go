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
	authSeenMax = 1 << 17          // headers remembered; when full, members wait

	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	writeSlack        = 30 * time.Second // beyond the longest wait for a block

	peersMax = 1 << 16 // peers whose rate is counted
)
