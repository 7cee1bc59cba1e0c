package incentive

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Import: a chain starts without incentives; its lists are the catalogue's.
func Import(*x.Ctx, *pb.Genesis) error { return nil }

// Export: incentives are history, not genesis.
func Export(x.Reader, *pb.Genesis) {}
