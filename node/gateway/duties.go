package gateway

import (
	"encoding/hex"
	"net/http"
	"strconv"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// dutiesJSON is the answer to "what must this agency do by when" (待办), a page at a time, the earliest day first.
type dutiesJSON struct {
	Agency string      `json:"agency"`
	Duties []*dutyJSON `json:"duties"`
	Next   *string     `json:"next"` // to be sent as after; null at the end
	AsOf   asOf        `json:"as_of"`
	// CalendarUntil is as in statusJSON: a day beyond it, and working days up to it, were counted without holidays.
	CalendarUntil *string `json:"calendar_until"`
}

// dutyJSON is one duty with the progress of its case. Days count from the legal day of the answer; they are negative once the day has passed.
type dutyJSON struct {
	Kind            string    `json:"kind"`
	Label           string    `json:"label"`
	Rule            string    `json:"rule"`
	Due             *string   `json:"due"` // null: the law sets no day
	DaysLeft        *int      `json:"days_left"`
	WorkingDaysLeft *int      `json:"working_days_left"`
	Alarmed         bool      `json:"alarmed"`
	Subject         string    `json:"subject"`
	Record          string    `json:"record"`
	Case            *caseJSON `json:"case"` // null where the matter has no record that readers may ask for
}

// caseJSON is how far a matter has come.
type caseJSON struct {
	Kind  string      `json:"kind"`
	ID    string      `json:"id"`
	State string      `json:"state"`
	DocNo string      `json:"doc_no"` // decision, application or commitment by the number that people use
	Done  []stepJSON  `json:"done"`
	Left  []*leftJSON `json:"left"`
}

type stepJSON struct {
	Step string `json:"step"`
	On   string `json:"on"`
}

type leftJSON struct {
	Kind    string  `json:"kind"`
	Label   string  `json:"label"`
	Owner   string  `json:"owner"`
	Due     *string `json:"due"`
	Alarmed bool    `json:"alarmed"`
}

// dutiesScanned bounds the duties that one page is chosen from: what is not shown costs as well.
const dutiesScanned = 20 * pageMax

// duties answers an agency about what it must do. Who acts for it by mandate is told of the matters that it may see whole, auditors of all.
func (c *call) duties() error {
	agency := c.who.member.Uscc
	if s, ok := c.form["agency"]; ok {
		if agency = s[0]; x.CheckUSCC(agency, "agency") != nil {
			return badInput(x.CheckUSCC(agency, "agency"))
		}
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	var after []byte
	if s, ok := c.form["after"]; ok {
		if after, err = hex.DecodeString(s[0]); err != nil || len(after) == 0 || len(after) > 128 {
			return refuse(http.StatusBadRequest, ErrQuery.With("after is the next of an earlier answer"))
		}
	}
	v := dutiesJSON{Agency: agency, Duties: []*dutyJSON{}}
	err = c.newest(func(r x.Reader, as asOf) error {
		if !mayAskDuties(r, c.who, agency) {
			return refuse(http.StatusForbidden, ErrDuties)
		}
		v.AsOf, v.CalendarUntil = as, day(int32(catalog.CalendarUntil(r, c.who.today)))
		cal, seen := catalog.Calendar(r), 0
		var last []byte
		x.Duties(r, agency, after, func(d x.Duty) bool {
			if len(v.Duties) == limit || seen == dutiesScanned {
				next := hexOf(last)
				v.Next = &next
				return false
			}
			seen, last = seen+1, d.Place()
			if j := showDuty(r, c.who, d); j != nil {
				j.count(cal, c.who.today, d.Due)
				v.Duties = append(v.Duties, j)
			}
			return true
		})
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// limit reads how long a page is wanted.
func (c *call) limit() (int, error) {
	s, ok := c.form["limit"]
	if !ok {
		return pageDefault, nil
	}
	n, err := strconv.Atoi(s[0])
	if err != nil || n < 1 || n > pageMax {
		return 0, refuse(http.StatusBadRequest, ErrQuery.With("limit is a number from 1 to %d", pageMax))
	}
	return n, nil
}

// count says how much time is left: whole days, and working days by the legal calendar. The last day itself counts.
func (j *dutyJSON) count(cal calendar.Calendar, today, due calendar.Date) {
	if due == 0 {
		return
	}
	days, working := int(due)-int(today), cal.WorkingDays(today, due)
	if days < 0 {
		working = -cal.WorkingDays(due, today)
	}
	j.DaysLeft, j.WorkingDaysLeft = &days, &working
}

// mayAskDuties says whether a reader has any business with an agency's duties: its own, those of one that has left and whose powers it carries on, those of an agency whose mandate it holds, or all for auditors.
func mayAskDuties(r x.Reader, who *caller, agency string) bool {
	if who.auditor || who.recognises(agency) {
		return true
	}
	m, ok := member.MandateOf(r, agency, who.member.Uscc)
	return ok && member.InWindow(who.today, m.ValidFrom, m.ValidTo)
}

func dutyOf(r x.Reader, d x.Duty) *dutyJSON {
	info := d.Kind.Info()
	j := &dutyJSON{
		Kind: info.Token, Label: info.Label, Rule: info.Rule, Due: day(int32(d.Due)), Alarmed: subject.Missed(r, d),
		Subject: d.Subject, Record: recordName(d.Record), Case: caseOf(r, d),
	}
	return j
}

// recordName writes the key of a record as the routes take it: a commitment by its code, all others by their id.
func recordName(key []byte) string {
	if len(key) == pb.DigestBytes {
		return hexOf(key)
	}
	return string(key)
}

// caseOf finds the record that lays a duty on its owner and tells how far it has come; nil: it has no state of its own.
func caseOf(r x.Reader, d x.Duty) *caseJSON {
	switch d.Kind {
	case sanction.DutyAcknowledge:
		return caseOfCopy(r, d)
	case sanction.DutyDecide:
		return caseOfAct(r, d)
	case sanction.DutyShield, sanction.DutyEndShield:
		return caseOfCourtPlan(r, d)
	}
	if p, ok := sanction.Get(r, d.Record); ok {
		return caseOfDishonesty(r, p)
	}
	if a, ok := repair.Get(r, d.Record); ok {
		return caseOfRepair(r, a)
	}
	if m, ok := measure.Get(r, d.Record); ok {
		return caseOfMeasure(r, m)
	}
	if l, ok := sanction.GetListing(r, d.Record); ok {
		return caseOfListing(r, l)
	}
	if i, ok := inspection.Find(r, d.Record); ok {
		return caseOfInspection(r, i)
	}
	if o, ok := objection.Get(r, d.Record); ok {
		return caseOfObjection(r, o)
	}
	if i, ok := incentive.Get(r, d.Record); ok {
		return caseOfIncentive(r, i)
	}
	if m, ok := commitment.Get(r, string(d.Record)); ok {
		return caseOfCommitment(r, m)
	}
	return nil
}

func caseOfDishonesty(r x.Reader, d *pb.Dishonesty) *caseJSON {
	f := sanction.Of(d)
	v := &caseJSON{Kind: word(dishonestyKinds, int32(d.Kind)), ID: hexOf(d.Id), State: word(recordStates, int32(d.State)), DocNo: f.DocNo}
	v.done(step{"decided", f.DecidedOn}, step{"recorded", d.RecordedOn}, step{"published", d.PublishedOn}, step{"ended", d.EndedOn})
	v.left(r, sanction.DutiesOf(d))
	return v
}

// caseOfCopy names a record to who keeps a copy of it. How the record left is not told: a repaired one must look like a withdrawn one.
func caseOfCopy(r x.Reader, duty x.Duty) *caseJSON {
	d, ok := sanction.Get(r, duty.Record)
	if !ok {
		return nil
	}
	v := &caseJSON{Kind: word(dishonestyKinds, int32(d.Kind)), ID: hexOf(d.Id), State: "left", DocNo: sanction.Of(d).DocNo}
	if sanction.Public(d) { // it was corrected: the copy takes the new version
		v.State = "published"
	}
	v.done()
	return v
}

// caseOfAct is how far an agency is with an act that it has claimed.
func caseOfAct(r x.Reader, duty x.Duty) *caseJSON {
	c, ok := sanction.CaseOf(r, duty.Subject, duty.Record)
	if !ok {
		return nil
	}
	v := &caseJSON{Kind: "case", ID: hexOf(c.ActDigest), State: word(caseStates, int32(c.State))}
	v.done(step{"filed", c.FiledOn}, step{"ended", c.EndedOn})
	v.left(r, sanction.DutiesOfCase(c))
	return v
}

// caseOfCourtPlan is the board of a court's plan: what is left for each recogniser.
func caseOfCourtPlan(r x.Reader, duty x.Duty) *caseJSON {
	p, ok := sanction.GetPlan(r, duty.Record)
	if !ok {
		return nil
	}
	v := &caseJSON{Kind: "court_plan", ID: hexOf(p.Id), State: word(courtPlanStates, int32(p.State)), DocNo: p.CaseNo}
	v.done(step{"ruled", p.RuledOn}, step{"filed", p.FiledOn}, step{"ended", p.EndedOn})
	v.left(r, sanction.DutiesOfPlan(p))
	return v
}

func caseOfRepair(r x.Reader, a *pb.Repair) *caseJSON {
	v := &caseJSON{Kind: "repair", ID: hexOf(a.Id), State: word(repairStates, int32(a.State)), DocNo: a.ApplicationNo}
	v.done(step{"applied", a.AppliedOn}, step{"supplemented", a.SupplementedOn}, step{"accepted", a.AcceptedOn}, step{"extended", a.ExtendedOn},
		step{"decided", a.DecidedOn}, step{"executed", a.ExecutedOn}, step{"pushed", a.PushedOn}, step{"tracked", a.TrackedOn}, step{"revoked", a.RevokedOn})
	v.left(r, repair.DutiesOf(a))
	return v
}

func caseOfCommitment(r x.Reader, c *pb.Commitment) *caseJSON {
	v := &caseJSON{Kind: "commitment", ID: c.Content.Code, State: publicCommitment(c).State, DocNo: c.Content.Code}
	v.done(step{"made", c.Content.MadeOn}, step{"recorded", c.RecordedOn}, step{"accepted", c.AcceptedOn}, step{"assessed", c.AssessedOn}, step{"mended", c.MendedOn}, step{"cured", c.CuredOn})
	v.left(r, commitment.DutiesOf(c))
	return v
}

type step struct {
	name string
	on   int32
}

// done lists the steps that have a day.
func (v *caseJSON) done(steps ...step) {
	v.Done, v.Left = []stepJSON{}, []*leftJSON{}
	for _, s := range steps {
		if on := day(s.on); on != nil {
			v.Done = append(v.Done, stepJSON{s.name, *on})
		}
	}
}

// left lists all that the record lays on anybody now.
func (v *caseJSON) left(r x.Reader, duties []x.Duty) {
	for _, d := range duties {
		info := d.Kind.Info()
		v.Left = append(v.Left, &leftJSON{Kind: info.Token, Label: info.Label, Owner: d.Owner, Due: day(int32(d.Due)), Alarmed: subject.Missed(r, d)})
	}
}
