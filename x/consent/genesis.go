package consent

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Import: a chain starts without authorisations.
func Import(*x.Ctx, *pb.Genesis) error { return nil }

// Export: authorisations, grades and anchors are history, not genesis.
func Export(x.Reader, *pb.Genesis) {}
