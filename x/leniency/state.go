package leniency

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Decisions without a penalty, subject ‖ id.
	rows = subject.NewRecords[pb.NoPenalty](0x6d, "no penalty uscc[18] record[32]")
	// Which subject a decision belongs to. Follows from the decisions.
	byID = x.Declare(x.TableInfo{Prefix: 0x6e, Layout: "no penalty record[32] → uscc", Binding: x.Derived})
)

// ID is the id of a decision.
func ID(issuer, docNo, uscc string) [32]byte { return x.RecordID("no-penalty", issuer, docNo, uscc) }

// Get reads a decision by its id.
func Get(r x.Reader, id []byte) (*pb.NoPenalty, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := x.Peek(r, x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	return rows.Get(r, string(uscc), id)
}

// Each visits a subject's decisions by id.
func Each(r x.Reader, uscc string, fn func(n *pb.NoPenalty) (more bool)) { rows.Each(r, uscc, fn) }

// Stands says whether the decision was not withdrawn.
func Stands(n *pb.NoPenalty) bool { return n.WithdrawnOn == 0 }

// put writes a decision. No standing knows of it.
func put(ctx *x.Ctx, n *pb.NoPenalty) { rows.PutAside(ctx, n.Content.Subject, n.Id, n) }

// Derive gives the rows of the index by id: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	rows.All(r, func(uscc string, n *pb.NoPenalty) bool {
		emit(x.Key(byID.Prefix, n.Id), []byte(uscc))
		return true
	})
}
