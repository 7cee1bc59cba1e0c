package gateway

import (
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Who may be told of a record (INV-01). This file is the only way by which a record becomes an answer: handlers read records, hand
// them to one of the show… functions below, and write what these return. "hidden" means no trace: the reader gets exactly what it would
// get had the record never been.

// audience is a column of the table (谁可以知道). Everybody who asks about a record stands in one column.
type audience int

const (
	aPublic     audience = iota // 公众
	aLender                     // 金融机构: as the public here; what a firm has authorised it asks for at /v1/queries
	aAgency                     // 其他机关 (政务共享)
	aDuty                       // an agency with a duty in the matter (履职需要): acts for the recogniser by mandate, or filed the application that waits
	aRecogniser                 // 认定单位
	aSubject                    // 信用主体 itself, by a key that the registry has entered for it
	aAuditor                    // 审计 (with warrant)
	audiences
)

// view is how much of a record a reader gets.
type view int

const (
	hidden    view = iota // no trace
	published             // the form that stands in the standing
	full                  // the whole record
)

// dishonestyView is the table for dishonesty records of all four kinds: state × audience.
var dishonestyView = map[pb.RecordState][audiences]view{
	//                        public     lender     agency     duty    recogniser  subject  auditor
	pb.RECORD_REGISTERED:  {hidden, hidden, hidden, full, full, full, full},
	pb.RECORD_PUBLISHED:   {published, published, published, full, full, full, full},
	pb.RECORD_UNPUBLISHED: {hidden, hidden, hidden, full, full, full, full},
	pb.RECORD_REPAIRED:    {hidden, hidden, hidden, hidden, full, full, full},
	pb.RECORD_EXPIRED:     {hidden, hidden, hidden, hidden, full, full, full},
	pb.RECORD_WITHDRAWN:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.RECORD_CORRECTED:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.RECORD_SHIELDED:    {hidden, hidden, hidden, full, full, full, full}, // duty: who has a part in the same plan
	pb.RECORD_ARCHIVED:    {hidden, hidden, hidden, hidden, full, full, full},
	pb.RECORD_DESTROYED:   {hidden, hidden, hidden, hidden, full, full, full},
}

// commitmentState is what of a commitment decides who sees it.
type commitmentState int

const (
	commitmentPublic     commitmentState = iota + 1 // 公开
	commitmentRestricted                            // 特定范围公开, 不公开
	commitmentHidden                                // 信用修复型 whose repair has taken effect
)

var commitmentView = map[commitmentState][audiences]view{
	commitmentPublic:     {published, published, published, full, full, full, full},
	commitmentRestricted: {hidden, hidden, hidden, full, full, full, full},
	commitmentHidden:     {hidden, hidden, hidden, hidden, full, full, full},
}

// repairView is the table for applications for repair. They are never public: that one exists tells of its record.
var repairView = map[pb.RepairState][audiences]view{
	pb.REPAIR_PENDING:      {hidden, hidden, hidden, full, full, full, full},
	pb.REPAIR_SUPPLEMENT:   {hidden, hidden, hidden, full, full, full, full},
	pb.REPAIR_ACCEPTED:     {hidden, hidden, hidden, full, full, full, full},
	pb.REPAIR_REFUSED:      {hidden, hidden, hidden, full, full, full, full},
	pb.REPAIR_NOT_ACCEPTED: {hidden, hidden, hidden, full, full, full, full},
	pb.REPAIR_EFFECTIVE:    {hidden, hidden, hidden, hidden, full, full, full},
	pb.REPAIR_REVOKED:      {hidden, hidden, hidden, hidden, full, full, full},
	pb.REPAIR_MOOT:         {hidden, hidden, hidden, hidden, full, full, full},
}

// Of duties, alarms, bars and the entries of a file there is one state each.
var (
	dutyView  = [audiences]view{aDuty: full, aRecogniser: full, aAuditor: full}
	alarmView = [audiences]view{aRecogniser: full, aAuditor: full}
	// A plan is the business of who filed it and of those whose records it covers; the copies of a record are its recogniser's.
	planView = [audiences]view{aDuty: full, aSubject: full, aAuditor: full}
	// A published record that 信用中国 does not show (INV-42).
	heldView = [audiences]view{aDuty: full, aRecogniser: full, aSubject: full, aAuditor: full}
	// A case is that of the agency that filed it; others learn that it is taken when they file. A decision without a penalty is told to agencies that decide
	// under the same power. Attention rests on published facts alone, and agencies inspect by it; once it has ended they are told no more of it.
	caseView        = [audiences]view{aRecogniser: full, aSubject: full, aAuditor: full}
	noPenaltyView   = [audiences]view{aDuty: full, aRecogniser: full, aSubject: full, aAuditor: full}
	attentionView   = [audiences]view{aAgency: full, aDuty: full, aRecogniser: full, aSubject: full, aAuditor: full}
	endedAttention  = [audiences]view{aSubject: full, aAuditor: full}
	reconcileView   = [audiences]view{aDuty: full, aSubject: full, aAuditor: full} // duty: who speaks for 信用中国
	propagationView = [audiences]view{aRecogniser: full, aSubject: full, aAuditor: full}
	barView         = [audiences]view{aAuditor: full}
	fileView        = [audiences]view{aAuditor: full}
	// An authorisation is the business of the firm, of the lender that it names and of its gateway; a grade that of the firm and of who recorded it.
	authorisationView = [audiences]view{aLender: full, aDuty: full, aSubject: full, aAuditor: full}
	gradeView         = [audiences]view{aRecogniser: full, aSubject: full, aAuditor: full}
	keyView           = [audiences]view{aDuty: full, aSubject: full, aAuditor: full}
)

// A state that a table does not name is hidden from all: a map gives the zero row.

// columnOf finds the column of a reader: uscc is whose record it is, recogniser whose to decide on, duty says whether the reader is bound by one. A firm is
// the subject of what is its own, and the public to everything else.
func columnOf(who *caller, uscc, recogniser string, duty func() bool) audience {
	switch {
	case who == nil:
		return aPublic
	case who.firm != "":
		if who.firm == uscc {
			return aSubject
		}
		return aPublic
	case who.auditor:
		return aAuditor
	case who.lender:
		return aLender
	case who.recognises(recogniser):
		return aRecogniser
	case duty != nil && duty():
		return aDuty
	}
	return aAgency
}

// mandated says whether the reader acts for an agency by a mandate in force that names one of the kinds.
func mandated(r x.Reader, who *caller, issuer string, kinds ...pb.MandateKind) bool {
	m, ok := member.MandateOf(r, issuer, who.member.Uscc)
	if !ok || !member.InWindow(who.today, m.ValidFrom, m.ValidTo) {
		return false
	}
	for _, have := range m.Kinds {
		for _, k := range kinds {
			if have == k {
				return true
			}
		}
	}
	return false
}

// showDishonesty is the answer about a dishonesty record; nil: no trace.
func showDishonesty(r x.Reader, who *caller, d *pb.Dishonesty) *recordJSON {
	recorder := pb.MANDATE_DISHONESTY
	if d.Kind == pb.DISHONESTY_PENALTY {
		recorder = pb.MANDATE_PENALTY
	}
	column := columnOf(who, sanction.Of(d).Subject, sanction.Of(d).Issuer, func() bool {
		if d.State == pb.RECORD_SHIELDED {
			p, ok := sanction.GetPlan(r, d.Plan)
			return ok && inPlan(who, p)
		}
		return mandated(r, who, sanction.Of(d).Issuer, recorder, pb.MANDATE_PUBLISH) || filedFor(r, who, d)
	})
	state := dishonestyView[d.State]
	if d.Held { // 信用中国 does not show it: nobody learns of it from here whom it would not tell (INV-42)
		state = heldView
	}
	see := state[column]
	if see == hidden && (column == aAgency || column == aDuty) && sanction.Shared(r, d) {
		see = published
	}
	switch see {
	case published:
		return publishedForm(d)
	case full:
		return fullForm(d)
	}
	return nil
}

// inPlan says whether a reader has a part in a court's plan: it filed it, or has records that the plan covers.
func inPlan(who *caller, p *pb.CourtPlan) bool {
	return p.Agent == who.member.Uscc || slices.ContainsFunc(p.Parties, func(q pb.PlanParty) bool { return q.Recogniser == who.member.Uscc })
}

// showCourtPlan is the answer about a court's plan; nil: no trace.
func showCourtPlan(who *caller, p *pb.CourtPlan) *recordJSON {
	if planView[columnOf(who, p.Subject, "", func() bool { return inPlan(who, p) })] != full {
		return nil
	}
	return &recordJSON{Kind: "court_plan", ID: hexOf(p.Id), Subject: p.Subject, View: "full", CourtPlan: fullCourtPlan(p)}
}

// showCase is the answer about a case; nil: no trace.
func showCase(who *caller, c *pb.Case) *actJSON {
	if caseView[columnOf(who, c.Subject, c.Issuer, nil)] != full {
		return nil
	}
	return fullAct(c)
}

// showNoPenalty is the answer about a decision without a penalty; nil: no trace. One that was withdrawn is its own agency's.
func showNoPenalty(who *caller, n *pb.NoPenalty) *recordJSON {
	column := columnOf(who, n.Content.Subject, n.Content.Issuer, func() bool {
		return leniency.Stands(n) && slices.ContainsFunc(who.member.Competences, func(c *pb.Competence) bool {
			return len(c.PenaltyKinds) > 0 && c.PowerCode == n.Content.PowerCode && member.InWindow(who.today, c.ValidFrom, c.ValidTo)
		})
	})
	if noPenaltyView[column] != full {
		return nil
	}
	return &recordJSON{Kind: "no_penalty", ID: hexOf(n.Id), Subject: n.Content.Subject, View: "full", NoPenalty: fullNoPenalty(n)}
}

// showAttention is the answer about attention; nil: no trace.
func showAttention(who *caller, a *pb.Attention) *attentionJSON {
	table := attentionView
	if a.EndedOn != 0 {
		table = endedAttention
	}
	if table[columnOf(who, a.Subject, "", nil)] != full {
		return nil
	}
	return fullAttention(a)
}

// showReconciliation is the answer about what 信用中国 showed; nil: no trace.
func showReconciliation(who *caller, c *pb.Reconciliation) *reconciliationJSON {
	if reconcileView[columnOf(who, c.Subject, "", func() bool { return who.member.CreditChina })] != full {
		return nil
	}
	return fullReconciliation(c)
}

// showPropagation is the answer about what holders owe of a record; nil: no trace. A holder learns of its own part as a duty.
func showPropagation(r x.Reader, who *caller, p *pb.Propagation) *propagationJSON {
	d, ok := sanction.Get(r, p.Record)
	if !ok || propagationView[columnOf(who, sanction.Of(d).Subject, sanction.Of(d).Issuer, nil)] != full {
		return nil
	}
	return fullPropagation(p)
}

// filedFor says whether the reader filed an application that waits for a decision on the record.
func filedFor(r x.Reader, who *caller, p *pb.Dishonesty) (filed bool) {
	repair.Each(r, sanction.Of(p).Subject, func(a *pb.Repair) bool {
		filed = a.Agent == who.member.Uscc && repair.Open(a) && string(a.Target) == string(p.Id)
		return !filed
	})
	return filed
}

func stateOf(c *pb.Commitment) commitmentState {
	switch {
	case commitment.Public(c):
		return commitmentPublic
	case c.Hidden:
		return commitmentHidden
	}
	return commitmentRestricted
}

// showCommitment is the answer about a commitment; nil: no trace.
func showCommitment(r x.Reader, who *caller, c *pb.Commitment) *recordJSON {
	column := columnOf(who, c.Content.Subject, c.Content.Acceptor, func() bool {
		return mandated(r, who, c.Content.Acceptor, pb.MANDATE_COMMITMENT, pb.MANDATE_FULFILLMENT)
	})
	id := hexOf(commitment.ID(&c.Content))
	switch commitmentView[stateOf(c)][column] {
	case published:
		return &recordJSON{Kind: "commitment", ID: id, Subject: c.Content.Subject, View: "published", PublishedCommitment: publicCommitment(c)}
	case full:
		return &recordJSON{Kind: "commitment", ID: id, Subject: c.Content.Subject, View: "full", Commitment: fullCommitment(c)}
	}
	return nil
}

// showPublicCommitment is the answer to the public look-up, whoever asks; nil: no trace.
func showPublicCommitment(c *pb.Commitment) *publicCommitmentJSON {
	if commitmentView[stateOf(c)][aPublic] == hidden {
		return nil
	}
	return &publicCommitmentJSON{CommitmentJSON: *publicCommitment(c), Subject: c.Content.Subject}
}

// showRepair is the answer about an application; nil: no trace. Who filed one that was refused knows of it as long as of its record.
func showRepair(r x.Reader, who *caller, a *pb.Repair) *recordJSON {
	column := columnOf(who, a.Subject, a.Issuer, func() bool {
		record, ok := sanction.Get(r, a.Target)
		return a.Agent == who.member.Uscc && ok && sanction.Repairable(record)
	})
	if repairView[a.State][column] != full {
		return nil
	}
	return &recordJSON{Kind: "repair", ID: hexOf(a.Id), Subject: a.Subject, View: "full", Repair: fullRepair(a)}
}

// showAlarm is the answer about an alarm; nil: no trace. Who owed something of another agency's record is told while it may see that record whole:
// the alarm stays for ever, and must not tell of a record that has left.
func showAlarm(r x.Reader, who *caller, a *pb.Alarm) *alarmJSON {
	column := columnOf(who, a.Subject, a.Issuer, nil)
	if alarmView[column] != full {
		return nil
	}
	if d, ok := sanction.Get(r, a.Record); ok && column == aRecogniser && sanction.Of(d).Issuer != a.Issuer {
		if v := showDishonesty(r, who, d); v == nil || v.View != "full" {
			return nil
		}
	}
	return &alarmJSON{Record: recordName(a.Record), Kind: a.Kind, Due: day(a.Due), Happened: day(a.Happened), Issuer: a.Issuer}
}

// showDuty is the answer about a duty; nil: no trace. Who acts for its owner by mandate is told where it may see the matter whole.
func showDuty(r x.Reader, who *caller, d x.Duty) *dutyJSON {
	column := columnOf(who, d.Subject, d.Owner, func() bool {
		rec := showRecord(r, who, d.Record)
		return rec != nil && rec.View == "full"
	})
	if dutyView[column] != full {
		return nil
	}
	return dutyOf(r, d)
}

func showBar(who *caller, b *pb.PromiseBar) *barJSON {
	if barView[columnOf(who, b.Subject, "", nil)] != full {
		return nil
	}
	return fullBar(b)
}

// wholeFile says whether a reader gets the entries, size and root of a file: their number tells how much there is that it may not see.
func wholeFile(who *caller) bool { return fileView[columnOf(who, "", "", nil)] == full }

// showKey is the answer about a firm's key; nil: no trace. The registry, which enters keys, is told of them.
func showKey(who *caller, k *pb.SubjectKey) *keyJSON {
	if keyView[columnOf(who, k.Subject, "", func() bool { return member.HasRole(who.key, pb.ROLE_REGISTRY) })] != full {
		return nil
	}
	return fullKey(k)
}

// showRecord finds a record of any kind by its id, or a commitment by its code, and shows it; nil: there is none, or none for this reader.
func showRecord(r x.Reader, who *caller, id []byte) *recordJSON {
	if len(id) != pb.DigestBytes {
		if row, ok := commitment.Get(r, string(id)); ok {
			return showCommitment(r, who, row)
		}
		return nil
	}
	if row, ok := commitment.GetByID(r, id); ok {
		return showCommitment(r, who, row)
	}
	if p, ok := sanction.Get(r, id); ok {
		return showDishonesty(r, who, p)
	}
	if n, ok := leniency.Get(r, id); ok {
		return showNoPenalty(who, n)
	}
	if p, ok := sanction.GetPlan(r, id); ok {
		return showCourtPlan(who, p)
	}
	if a, ok := repair.Get(r, id); ok {
		return showRepair(r, who, a)
	}
	if m, ok := measure.Get(r, id); ok {
		return showMeasure(r, who, m)
	}
	if l, ok := sanction.GetListing(r, id); ok {
		return showListing(r, who, l)
	}
	if i, ok := inspection.Find(r, id); ok {
		return showInspection(who, i)
	}
	if o, ok := objection.Get(r, id); ok {
		return showObjection(r, who, o)
	}
	if i, ok := incentive.Get(r, id); ok {
		return showIncentive(r, who, i)
	}
	if a, ok := consent.Get(r, id); ok {
		return showAuthorisation(who, a)
	}
	return nil
}
