package sanction

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// decision is what the decisions behind records of all kinds have in common, as the agency states it.
type decision struct {
	Facts
	served       int32
	twoDocuments bool   // 两书同达
	region       string // place of the violation, or of the fact that the record rests on
	sector       string
	designation  string
	text         []byte
}

// checkParties refuses who and which number are not well formed.
func checkParties(f *Facts) error {
	if err := x.CheckUSCC(f.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckUSCC(f.Subject, "subject"); err != nil {
		return err
	}
	if err := code.CheckDocNo(f.DocNo); err != nil {
		return ErrDocNo.With("%s", x.Why(err))
	}
	return nil
}

// checkDecision refuses what is wrong with a decision whatever the state.
func checkDecision(d *decision) error {
	if err := checkParties(&d.Facts); err != nil {
		return err
	}
	if err := x.CheckDate(d.DecidedOn, "the day of the decision", false); err != nil {
		return err
	}
	if err := x.CheckDate(d.served, "served_on", false); err != nil {
		return err
	}
	if d.served < d.DecidedOn {
		return ErrServed.With("served on %s, decided on %s", calendar.Date(d.served), calendar.Date(d.DecidedOn))
	}
	return checkPlace(d)
}

// checkPlace refuses place, tokens and digest that are not well formed.
func checkPlace(d *decision) error {
	if err := code.CheckRegion(d.region); err != nil {
		return ErrRegion.With("%s", x.Why(err))
	}
	for _, t := range []struct{ s, field string }{
		{d.PowerCode, "power_code"}, {d.sector, "sector"}, {d.designation, "designation"},
	} {
		if err := x.CheckToken(t.s, t.field, true); err != nil {
			return err
		}
	}
	if d.BreachOf != "" {
		if err := code.CheckCommitmentCode(d.BreachOf); err != nil {
			return ErrBreachOf.With("%s", x.Why(err))
		}
	}
	return x.CheckDigest(d.text, "text_digest", false)
}

// checkSeverity refuses a stated class that is not defined, and necessity without its reason.
func checkSeverity(stated pb.Severity, necessary bool, reason []byte) error {
	if stated < 0 || stated > pb.SEVERITY_SERIOUS {
		return ErrClass.With("severity is 1 轻微, 2 一般 or 3 严重")
	}
	return x.CheckDigest(reason, "necessity_digest", !necessary)
}

// begin holds a new record against what stands, who signs, the firm, the days and the place: whatever its kind asks for beyond that is asked
// afterwards. It gives the record, to be completed, and the agency, to be looked at alone. Without a record there is nothing to do: it stands with
// the same content, or it is refused.
func begin(ctx *x.Ctx, kind pb.DishonestyKind, f *decision, content interface{ Marshal() ([]byte, error) }, mandate pb.MandateKind) (*pb.Dishonesty, *pb.Member, x.Done, error) {
	id := ID(kind, f.Issuer, f.DocNo, f.Subject)
	done := x.Done{Record: id[:]}
	issuer, err := member.Act(ctx, f.Issuer, pb.ROLE_RECORD, mandate)
	if err != nil {
		return nil, nil, done, err
	}
	if old, ok := Get(ctx, id[:]); ok {
		if stated := x.EncodeRow(content); bytes.Equal(contentOf(old), stated) || stoodOnce(ctx, old, stated) {
			done.Note = x.AlreadyRecorded
			return nil, nil, done, nil
		}
		return nil, nil, done, x.ErrDifferently.With("%s against %s stands with other content", f.DocNo, f.Subject)
	}
	if err := subject.Enrolled(ctx, f.Subject); err != nil {
		return nil, nil, done, err
	}
	if err := checkNow(ctx, f); err != nil {
		return nil, nil, done, err
	}
	d := &pb.Dishonesty{Id: id[:], Kind: kind, RecordedOn: int32(ctx.Today), Submitter: ctx.Member}
	if ctx.Member != f.Issuer && member.Mandated(ctx, f.Issuer, ctx.Member, pb.MANDATE_PUBLISH) {
		d.Verifier = ctx.Member
	}
	return d, issuer, done, nil
}

// checkNow refuses what the day and the tables do not allow.
func checkNow(ctx *x.Ctx, f *decision) error {
	decided := calendar.Date(f.DecidedOn)
	switch {
	case decided > ctx.Today:
		return ErrWindow.With("decided on %s, which is after today (%s)", decided, ctx.Today)
	case f.served > int32(ctx.Today):
		return ErrServed.With("served on %s, which is after today (%s)", calendar.Date(f.served), ctx.Today)
	case !f.twoDocuments && catalog.Bool(ctx, "require_two_documents"):
		return ErrTwoDocuments
	}
	// INV-05: the place of the violation decides, on the day of the decision; never where the firm is registered (INV-43).
	if _, ok := catalog.Region(ctx, f.region, decided); !ok {
		return ErrRegion.With("region %s is not in the region table on %s", f.region, decided)
	}
	return nil
}

// checkBreachOf refuses a breach that is not one of the subject's, or that too many records speak of. What a record is known to punish it may go on to.
func checkBreachOf(ctx *x.Ctx, codeOf, uscc, known string) error {
	if codeOf == known {
		return nil
	}
	if codeOf == "" {
		return nil
	}
	b, ok := commitment.Get(ctx, codeOf)
	if !ok || b.Content.Subject != uscc || (b.State != pb.COMMITMENT_BREACHED && b.State != pb.COMMITMENT_CURED) {
		return ErrBreachOf.With("commitment %s is not a breached one of %s", codeOf, uscc)
	}
	if commitment.LinkedTo(ctx, b) >= pb.LinkedMax {
		return x.ErrTooMany.With("%d records punish the breach of commitment %s already", pb.LinkedMax, codeOf)
	}
	return nil
}

// classified sets the dates of a record that has its class, and the state in which it begins: a 轻微 one that need not be published is kept out of
// publicity (P2).
func classified(ctx *x.Ctx, d *pb.Dishonesty, necessary bool) {
	d.State = pb.RECORD_REGISTERED
	if d.Class == pb.SEVERITY_MINOR && !necessary && !catalog.Bool(ctx, "minor_publish") {
		d.State = pb.RECORD_UNPUBLISHED
	}
	setDates(ctx, d)
}
