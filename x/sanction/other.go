package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckOther refuses what is wrong whatever the state.
func CheckOther(m *pb.RecordOther) error {
	c := &m.Content
	for _, t := range []struct{ s, field string }{{c.Source, "source"}, {c.Statute, "statute"}} {
		if err := x.CheckToken(t.s, t.field, false); err != nil {
			return err
		}
	}
	if err := checkSeverity(c.Severity, c.Necessary, c.NecessityDigest); err != nil {
		return err
	}
	return checkDecision(otherDecision(c))
}

func otherDecision(c *pb.OtherContent) *decision {
	return &decision{
		Facts:  Facts{Issuer: c.Issuer, Subject: c.Subject, DocNo: c.DocNo, DecidedOn: c.DecidedOn, BreachOf: c.BreachOf, PowerCode: c.PowerCode},
		served: c.ServedOn, twoDocuments: c.RepairNoticeServed, region: c.ViolationRegion, sector: c.Sector, designation: c.Designation, text: c.TextDigest,
	}
}

// RecordOther is P1 and P2 for other dishonesty (其他失信信息).
func RecordOther(ctx *x.Ctx, m *pb.RecordOther) (x.Done, error) {
	if err := CheckOther(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	d, issuer, done, err := begin(ctx, pb.DISHONESTY_OTHER, otherDecision(&c), &c, pb.MANDATE_DISHONESTY)
	if d == nil {
		return done, err
	}
	class, err := otherFits(ctx, issuer, &c, "")
	if err != nil {
		return done, err
	}
	d.Other, d.Class = &c, class
	classified(ctx, d, c.Necessary)
	if err := subject.Admit(ctx, c.Subject, 1); err != nil {
		return done, err
	}
	create(ctx, d)
	return done, nil
}

// otherFits refuses a record for which the agency is not competent (INV-05), and gives its class: the sector's standard classifies, and what is stated may
// be harder, or milder by one step. breach is the one that the record is known to punish already.
func otherFits(ctx *x.Ctx, issuer *pb.Member, c *pb.OtherContent, breach string) (pb.Severity, error) {
	names := func(k *pb.Competence) bool { return k.Other }
	err := member.CompetentFor(issuer, catalog.Ancestors(ctx, c.ViolationRegion), "other dishonesty (其他失信信息)", names,
		c.PowerCode, calendar.Date(c.DecidedOn), c.Designation)
	if err != nil {
		return 0, err
	}
	if err := checkBreachOf(ctx, c.BreachOf, c.Subject, breach); err != nil {
		return 0, err
	}
	computed := catalog.ClassifyOther(ctx, c.Sector)
	class := c.Severity
	switch {
	case class == pb.SEVERITY_UNSET:
		class = computed
	case class == pb.SEVERITY_MINOR && computed == pb.SEVERITY_SERIOUS:
		return 0, ErrClass.With("the sector's standard finds %s, stated is 轻微", code.SeverityName(uint32(computed)))
	}
	if c.Necessary && class != pb.SEVERITY_MINOR {
		return 0, ErrClass.With("only a 轻微 record is published by necessity; this one is %s", code.SeverityName(uint32(class)))
	}
	return class, nil
}
