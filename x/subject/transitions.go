package subject

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
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
	old, known := Get(ctx, m.Subject.Uscc)
	if known && *old == m.Subject {
		return x.Done{Note: x.AlreadyRecorded}, nil
	}
	done, err := checkOrg(ctx, m.Subject.Uscc, known)
	if err != nil {
		return x.Done{}, err
	}
	if known {
		if err := AdmitOwn(ctx, m.Subject.Uscc, 1); err != nil {
			return x.Done{}, err
		}
	}
	s := m.Subject
	put(ctx, &s)
	return done, nil
}

// What uscc_inner_check says of a wrong check character inside a code.
const (
	orgCheckOff    = 0
	orgCheckRefuse = 2
)

// checkOrg warns of a code whose inner check character is wrong, or refuses it, as governance has it. What is enrolled stays.
func checkOrg(ctx *x.Ctx, uscc string, known bool) (x.Done, error) {
	switch how := catalog.Int(ctx, "uscc_inner_check"); {
	case code.OrgCheckOK(uscc) || how == orgCheckOff:
		return x.Done{}, nil
	case how == orgCheckRefuse && !known:
		return x.Done{}, ErrOrgCheck
	}
	return x.Done{Note: code.WarnUSCCOrgCheck}, nil
}
