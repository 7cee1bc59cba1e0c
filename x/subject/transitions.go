package subject

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// CheckEnrol refuses what is wrong whatever the state.
func CheckEnrol(m *pb.EnrolSubject) error {
	s := &m.Subject
	if err := x.CheckUSCC(s.Uscc, "uscc"); err != nil {
		return err
	}
	switch s.Category {
	case 1, 4:
	case 2:
		return ErrCategory
	default:
		return x.ErrEnum.With("category %d is not defined", s.Category)
	}
	if s.Status < pb.SUBJECT_ACTIVE || s.Status > pb.SUBJECT_REVOKED {
		return ErrStatus
	}
	return nil
}

// Enrol enters a subject, or changes the row of one that is enrolled. Registry only.
func Enrol(ctx *x.Ctx, m *pb.EnrolSubject) (x.Done, error) {
	if err := CheckEnrol(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REGISTRY, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if _, ok := catalog.Region(ctx, m.Subject.Region, ctx.Today); !ok {
		return x.Done{}, ErrRegion.With("region %q is not in the region table on %s", m.Subject.Region, ctx.Today)
	}
	if old, ok := Get(ctx, m.Subject.Uscc); ok && *old == m.Subject {
		return x.Done{Note: x.AlreadyRecorded}, nil
	}
	s := m.Subject
	put(ctx, &s)
	return x.Done{}, nil
}
