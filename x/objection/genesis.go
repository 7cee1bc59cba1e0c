package objection

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Import: a chain starts without objections.
func Import(*x.Ctx, *pb.Genesis) error { return nil }

// Export: objections are history, not genesis.
func Export(x.Reader, *pb.Genesis) {}
