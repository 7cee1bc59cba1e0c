package subject

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
)

// Import enters the subjects of genesis.
func Import(ctx *x.Ctx, g *pb.Genesis) error {
	for i := range g.Subjects {
		s := g.Subjects[i]
		if err := CheckEnrol(&pb.EnrolSubject{Subject: s}); err != nil {
			return fmt.Errorf("subject %d: %w", i, err)
		}
		if _, ok := catalog.Region(ctx, s.Region, ctx.Today); !ok {
			return fmt.Errorf("subject %d: %w", i, ErrRegion.With("region %q is not in the region table on %s", s.Region, ctx.Today))
		}
		if _, ok := Get(ctx, s.Uscc); ok {
			return fmt.Errorf("subject %d: %s stands twice", i, s.Uscc)
		}
		put(ctx, &s)
	}
	return nil
}

// Export gives the subjects as genesis has them.
func Export(r x.Reader, g *pb.Genesis) {
	List(r, "", func(s *pb.Subject) bool {
		g.Subjects = append(g.Subjects, *s)
		return true
	})
}
