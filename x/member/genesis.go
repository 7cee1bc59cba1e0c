package member

import (
	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Import writes the members and mandates of genesis. Whether a governor and a validator exist is asked once all are in, since
// the first member alone need be neither.
func Import(ctx *x.Ctx, g *pb.Genesis) error {
	if err := checkCount(len(g.Members)); err != nil {
		return err
	}
	for i := range g.Members {
		m := &g.Members[i]
		if err := CheckMember(m); err != nil {
			return err
		}
		if _, ok := Get(ctx, m.Uscc); ok {
			return ErrForm.With("member %s stands twice", m.Uscc)
		}
		if err := checkUnique(ctx, m); err != nil {
			return err
		}
		put(ctx, m)
	}
	for i := range g.Members {
		m := &g.Members[i]
		if _, ok := Look(ctx, m.Successor); m.Successor != "" && !ok {
			return ErrUnknown.With("member %s is succeeded by %s, which is no member", m.Uscc, m.Successor)
		}
	}
	if len(Governors(ctx, ctx.Today)) == 0 {
		return ErrLastGovernor.With("no member has a governor key in force on the first day")
	}
	if len(Validators(ctx)) == 0 {
		return ErrLastValidator.With("no member runs a validator")
	}
	for i := range g.Mandates {
		m := &g.Mandates[i]
		if err := checkMandate(m); err != nil {
			return err
		}
		if _, ok := MandateOf(ctx, m.Issuer, m.Submitter); ok {
			return ErrMandateForm.With("the mandate from %s to %s stands twice", m.Issuer, m.Submitter)
		}
		for _, party := range []string{m.Issuer, m.Submitter} {
			p, ok := Get(ctx, party)
			if !ok {
				return ErrUnknown.With("a mandate names %s, which is no member", party)
			}
			if p.Removed {
				return ErrRemoved.With("a mandate names %s, which has left", party)
			}
		}
		putMandate(ctx, m)
	}
	return nil
}

// Export gives what Import needs to write the same rows.
func Export(r x.Reader, g *pb.Genesis) {
	g.Members, g.Mandates = nil, nil
	Each(r, func(m *pb.Member) bool {
		g.Members = append(g.Members, *m)
		return true
	})
	EachMandate(r, "", func(m *pb.Mandate) bool {
		g.Mandates = append(g.Mandates, *m)
		return true
	})
}
