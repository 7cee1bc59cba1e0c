package governance

import (
	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Import begins without proposals: genesis is what all members agreed on outside the chain.
func Import(*x.Ctx, *pb.Genesis) error { return nil }

// Export leaves proposals behind. A chain that begins from an export begins with what was in force, and what was still under vote
// or notice has to be proposed there again, because the heights and the days of its notice are those of the old chain.
func Export(x.Reader, *pb.Genesis) {}
