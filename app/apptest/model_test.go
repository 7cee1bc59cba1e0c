package apptest

import (
	"fmt"
	"maps"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/henan"
)

// model is §11 of the domain rules once more, written from their tables and from nothing of package x: maps, days as numbers since 1970, and what is in
// force computed from what is recorded. It knows the firms, agencies and parameters of the sample consortium. This file holds commitments (§11.1),
// repairs (§11.4) and the days; its neighbours hold records (§11.2), measures and lists (§11.3, §11.5), objections and authorisations (§11.6) and who sees what.
type model struct {
	today       int
	firms       map[string]bool // enrolled
	removed     map[string]bool // agencies that have left
	mandated    map[string]bool // agencies for which ops acts
	commitments map[string]mCommitment
	records     map[string]mRecord    // by issuer/number/firm
	repairs     map[string]mRepair    // by application/record
	measures    map[string]mMeasure   // by record|item|implementer
	listings    map[string]mListing   // by notice
	objections  map[string]mObjection // by number
	plans       map[string]mPlan      // by firm/case
	cases       map[string]mCase      // by firm/act
	lists       map[string]mList      // of 信用中国, by firm
	copies      map[string]mCopies    // by record
	repairBars  map[string]int        // firm → last day
	alarms      map[string]int        // what|which duty|day → day on which it was raised
	destroying  map[string]int        // record → day from which governance destroys it

	status         map[string]int            // of firms: 1 active, 2 deregistered, 3 revoked
	deregistered   map[string]bool           // firms
	keys           map[string]mKey           // of firms, by word
	authorisations map[string]mAuthorisation // by firm/number
	grades         map[string]mGrade         // by firm
	anchors        map[string][]mAnchor      // by gateway
}

type mCommitment struct {
	firm, acceptor string
	kind, public   int
	made, until    int
	state          string
	hidden         bool
	breachedOn     int
	liftedByCure   bool
	hadLinked      bool // a record punished the breach that counts
	accepted       int  // day
	acceptBy       int
	checkBy        int
	assessBy       int
	mendBy         int // 0 = no report of mending waits
	mendEvidence   int
	assessed       string // which assessment counts
	marks          int    // objections that wait
}

type mRepair struct {
	firm, target, commitment string
	state                    string
	supplemented             bool
	supplementBy             int
	simple                   bool // of a minor record: decided in one step
	applied, supplementedOn  int
	acceptBy, decideBy       int
	totalBy                  int
	executeBy, trackBy       int
	extended                 bool
	executed, tracked        bool
}

func (a mRepair) open() bool {
	return a.state == "pending" || a.state == "supplement" || a.state == "accepted"
}

// limits are the days by which somebody must do something about an application.
func (a mRepair) limits() map[string]int {
	switch {
	case a.state == "pending" && a.simple:
		return map[string]int{"decide": a.decideBy, "answer": a.totalBy}
	case a.state == "pending":
		return map[string]int{"accept": a.acceptBy, "answer": a.totalBy}
	case a.state == "accepted":
		return map[string]int{"decide": a.decideBy, "answer": a.totalBy}
	case a.state == "effective":
		after := map[string]int{"execute": a.executeBy, "track": a.trackBy}
		if a.executed {
			delete(after, "execute")
		}
		if a.tracked {
			delete(after, "track")
		}
		return after
	}
	return nil
}

func newModel() *model {
	return &model{
		firms: map[string]bool{}, removed: map[string]bool{}, mandated: map[string]bool{"zz-scjg": true, "gy-scjg": true, "js-rsj": true},
		commitments: map[string]mCommitment{}, records: map[string]mRecord{}, repairs: map[string]mRepair{}, measures: map[string]mMeasure{},
		listings: map[string]mListing{}, objections: map[string]mObjection{}, plans: map[string]mPlan{}, cases: map[string]mCase{}, lists: map[string]mList{}, copies: map[string]mCopies{},
		repairBars: map[string]int{}, alarms: map[string]int{}, destroying: map[string]int{},
		status: map[string]int{}, deregistered: map[string]bool{}, keys: map[string]mKey{}, authorisations: map[string]mAuthorisation{}, grades: map[string]mGrade{},
		anchors: map[string][]mAnchor{},
	}
}

func (m *model) clone() *model {
	c := *m
	c.firms, c.removed, c.mandated = maps.Clone(m.firms), maps.Clone(m.removed), maps.Clone(m.mandated)
	c.commitments, c.records, c.repairs, c.measures = maps.Clone(m.commitments), maps.Clone(m.records), maps.Clone(m.repairs), maps.Clone(m.measures)
	c.listings, c.objections, c.cases, c.lists = maps.Clone(m.listings), maps.Clone(m.objections), maps.Clone(m.cases), maps.Clone(m.lists)
	c.copies = maps.Clone(m.copies)
	c.repairBars, c.alarms, c.destroying = maps.Clone(m.repairBars), maps.Clone(m.alarms), maps.Clone(m.destroying)
	c.status, c.deregistered, c.keys = maps.Clone(m.status), maps.Clone(m.deregistered), maps.Clone(m.keys)
	c.authorisations, c.grades, c.anchors = maps.Clone(m.authorisations), maps.Clone(m.grades), maps.Clone(m.anchors)
	c.plans = map[string]mPlan{}
	for name, plan := range m.plans {
		plan.due = maps.Clone(plan.due)
		c.plans[name] = plan
	}
	return &c
}

// acts says whether a signer may speak in the name of an agency: itself, or ops by its mandate where the matter is one that a mandate reaches.
func (m *model) acts(signer, as string, byMandate bool) bool {
	return !m.removed[as] && !m.removed[signer] && (signer == as || signer == "ops" && byMandate && m.mandated[as])
}

// --- calendar, by the standard library ---

var exceptions = func() map[int]bool {
	out := map[int]bool{}
	for _, e := range henan.CalendarExceptions() {
		out[int(e.Date)] = e.Working
	}
	return out
}()

func dayOf(d int) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func dayName(d int) string { return dayOf(d).Format("2006-01-02") }

func working(d int) bool {
	if w, ok := exceptions[d]; ok {
		return w
	}
	wd := dayOf(d).Weekday()
	return wd != time.Saturday && wd != time.Sunday
}

// plusWorking is the n-th working day after a day.
func plusWorking(d, n int) int {
	for n > 0 {
		if d++; working(d) {
			n--
		}
	}
	return d
}

// plusMonths is the same day of a later month, or that month's last.
func plusMonths(d, n int) int {
	t := dayOf(d)
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return int(first.AddDate(0, 0, min(t.Day(), last)-1).Unix() / 86400)
}

// --- what follows from the tables ---

func (c mCommitment) visible() bool { return c.public == 1 && !c.hidden }

// breachBar: in force while a record that punishes the breach lives; without any such record, until it is cured and a public type-4 commitment
// stands.
func (m *model) breachBar(code string) bool {
	c := m.commitments[code]
	for _, p := range m.records {
		if p.breachOf == code && live(p.state) {
			return true
		}
	}
	return (c.state == "breached" || c.state == "cured") && !c.hadLinked && !c.liftedByCure
}

func (m *model) barred(firm string) bool {
	for _, p := range m.records {
		if p.firm == firm && p.public() && p.class == 3 {
			return true
		}
	}
	for code, c := range m.commitments {
		if c.firm == firm && m.breachBar(code) {
			return true
		}
	}
	return false
}

func (m *model) mayPromise(firm string) bool {
	for _, p := range m.records {
		if p.firm == firm && p.public() && p.class == 3 {
			return false
		}
	}
	for code, c := range m.commitments {
		if c.firm == firm && c.visible() && (c.state == "breached" || c.state == "cured" && !m.mendedInPublic(code)) {
			return false
		}
	}
	return true
}

// mendedInPublic: a breach that is cured counts no more once a public type-4 commitment was accepted after it, and while no published record
// punishes it. What is not public has no part in it.
func (m *model) mendedInPublic(code string) bool {
	c := m.commitments[code]
	for _, p := range m.records {
		if p.breachOf == code && p.public() {
			return false
		}
	}
	for _, p := range m.commitments {
		accepted := p.state != "pending" && p.state != "rejected" && p.state != "withdrawn"
		if p.firm == c.firm && p.kind == 4 && p.visible() && accepted && p.made >= c.breachedOn {
			return true
		}
	}
	return false
}

// lift is asked when a breach is cured and when a public type-4 commitment begins to stand.
func (m *model) lift(firm string) {
	for code, c := range m.commitments {
		if c.firm != firm || c.state != "cured" || !m.breachBar(code) {
			continue
		}
		for _, p := range m.commitments {
			kept := p.state == "supervised" || p.state == "due" || p.state == "fulfilled"
			if p.firm == firm && p.kind == 4 && p.visible() && kept && p.made >= c.breachedOn && !c.hadLinked {
				c.liftedByCure = true
			}
		}
		m.commitments[code] = c
	}
}

// begin is a block on a day: what falls due without anybody's act. What ends publicity comes first, then what governance decided, then the rest.
func (m *model) begin(today int) {
	m.today = today
	for k, p := range m.records {
		m.expire(k, p)
	}
	m.beginConsent()
	for k, on := range m.destroying {
		if on <= today {
			m.destroy(k)
			delete(m.destroying, k)
		}
	}
	for k, p := range m.records {
		m.late(k, p)
	}
	for name, plan := range m.plans {
		open, shielded := m.counts(name)
		for who, due := range plan.due {
			if plan.state == "running" && open[who] > 0 || plan.state != "running" && shielded[who] > 0 {
				m.alarm(name+"/"+who, plan.state, due)
			}
		}
	}
	for k, c := range m.copies {
		if c.waiting {
			m.alarm(k, "acknowledge", c.due)
		}
	}
	for k, c := range m.cases {
		if c.state == "open" {
			m.alarm(k, "decide", c.decideBy)
		}
	}
	for k, l := range m.listings {
		if l.state == "verifying" {
			m.alarm(k, "verify", l.verifyBy)
		}
	}
	for k, o := range m.objections {
		m.lateObjection(k, o)
	}
	m.beginMeasures()
	for k, c := range m.commitments {
		switch {
		case c.state == "pending":
			m.alarm(k, "accept", c.acceptBy)
		case c.state == "supervised" && c.checkBy < today:
			c.state, c.assessBy = "due", plusWorking(max(c.checkBy, c.accepted), 20)
			m.commitments[k] = c
		case c.state == "due":
			m.alarm(k, "assess", c.assessBy)
		}
		m.alarm(k, "mend", c.mendBy)
	}
	for k, a := range m.repairs {
		for what, by := range a.limits() {
			m.alarm(k, what, by)
		}
		if a.state == "supplement" && a.supplementBy < today {
			a.state = "not accepted"
			m.repairs[k] = a
			m.review(a.commitment, a.supplementBy) // what falls due on later days comes after it
		}
	}
}

// review takes a commitment out of view or brings it back: out of it when no open application names it and one took effect, or no record that
// they speak of is published.
func (m *model) review(code string, on int) {
	named, open, effect, published := false, false, false, false
	for _, a := range m.repairs {
		if a.commitment == code {
			named, open, effect = true, open || a.open(), effect || a.state == "effective"
			published = published || m.records[a.target].public()
		}
	}
	if c := m.commitments[code]; named {
		if hidden := !open && (effect || !published); hidden != c.hidden {
			if c.checkBy <= on {
				m.lateAssessment(code, c)
			}
			c.hidden = hidden
			m.commitments[code] = c
		}
	}
}

// end is the end of a block: applications on records that have left otherwise have ended, and promises go with them.
func (m *model) end() {
	for k, a := range m.repairs {
		if a.open() && !m.records[a.target].repairable() {
			a.state = "moot"
			m.repairs[k] = a
		}
	}
	for _, a := range m.repairs {
		m.review(a.commitment, m.today)
	}
}

// alarm: a day has passed unmet. 0 is no day.
func (m *model) alarm(what, duty string, due int) {
	if due != 0 && due < m.today {
		m.alarmNow(what + "|" + duty + "|" + dayName(due))
	}
}

// alarmNow is once for all.
func (m *model) alarmNow(name string) {
	if m.alarms[name] == 0 {
		m.alarms[name] = m.today
	}
}

// lateAssessment: whatever is written into a commitment whose assessment is overdue raises the alarm with it.
func (m *model) lateAssessment(code string, c mCommitment) {
	if c.state == "due" {
		m.alarm(code, "assess", c.assessBy)
	}
}

// accept opens the time in which a commitment is to be checked.
func (m *model) accept(c mCommitment) mCommitment {
	c.state, c.accepted, c.checkBy = "supervised", m.today, c.until
	if c.checkBy == 0 {
		c.checkBy = plusMonths(m.today, 12)
		for !working(c.checkBy) {
			c.checkBy++
		}
	}
	return c
}

// Answers of the model: OK, AGAIN (recorded already), NO, or a refusal that must be just that one.
const (
	ok    = "OK"
	again = "AGAIN"
	no    = "NO"
)

func (m *model) commit(code string, c mCommitment, accepted bool) string {
	if old, found := m.commitments[code]; found {
		if old.firm == c.firm && old.kind == c.kind && old.public == c.public && old.until == c.until && old.acceptor == c.acceptor {
			if !accepted || old.state != "pending" {
				return again
			}
			if (old.kind == 1 || old.kind == 3) && m.barred(old.firm) {
				return "E_PROMISE_BAR"
			}
			m.commitments[code] = m.accept(old)
			if old.kind == 4 && old.public == 1 {
				m.lift(old.firm)
			}
			return ok
		}
		return no
	}
	switch {
	case !m.firms[c.firm]:
		return "E_SUBJECT_UNKNOWN"
	case (c.kind == 1 || c.kind == 3) && m.barred(c.firm):
		return "E_PROMISE_BAR"
	}
	c.state, c.made, c.acceptBy = "pending", m.today, plusWorking(m.today, 1)
	if accepted {
		c = m.accept(c)
	}
	m.commitments[code] = c
	if accepted && c.kind == 4 && c.public == 1 {
		m.lift(c.firm)
	}
	return ok
}

// tend does what an acceptor does to a commitment. evidence tells one report or assessment from another.
func (m *model) tend(verb, by, code string, evidence int) string {
	c, found := m.commitments[code]
	if !found || c.acceptor != by {
		return no
	}
	barred := m.breachBar(code)
	was := c.state
	switch verb + "/" + c.state {
	case "accept-commitment/pending":
		if (c.kind == 1 || c.kind == 3) && m.barred(c.firm) {
			return "E_PROMISE_BAR"
		}
		m.commitments[code] = m.accept(c)
		if c.kind == 4 && c.public == 1 {
			m.lift(c.firm)
		}
		return ok
	case "accept-commitment/supervised", "cure/cured", "reject-commitment/rejected", "withdraw-commitment/withdrawn":
		return again
	case "mend/supervised", "mend/due", "mend/breached":
		switch {
		case c.mendBy != 0 && c.mendEvidence == evidence:
			return again
		case c.mendBy != 0:
			return "E_RECORDED_DIFFERENTLY"
		}
		m.lateAssessment(code, c)
		c.mendBy, c.mendEvidence = plusWorking(m.today, 20), evidence
		m.commitments[code] = c
		return ok
	case "refuse-mend/supervised", "refuse-mend/due", "refuse-mend/breached":
		if c.mendBy == 0 {
			return "E_MEND"
		}
		m.lateAssessment(code, c)
		c.mendBy = 0
		m.commitments[code] = c
		return ok
	case "reject-commitment/pending":
		c.state = "rejected"
	case "withdraw-commitment/pending", "withdraw-commitment/supervised", "withdraw-commitment/due",
		"withdraw-commitment/fulfilled", "withdraw-commitment/breached", "withdraw-commitment/cured":
		c.state = "withdrawn"
	case "fulfil/supervised", "fulfil/due", "refulfil/fulfilled", "refulfil/breached", "refulfil/cured":
		c.state, c.assessed = "fulfilled", fmt.Sprint(verb, evidence, m.today)
	case "breach/supervised", "breach/due", "rebreach/fulfilled", "rebreach/breached", "rebreach/cured":
		c.state, c.assessed = "breached", fmt.Sprint(verb, evidence, m.today)
		if !barred && (was != "breached" && was != "cured" || was == "cured" && !c.hadLinked) {
			c.breachedOn, c.liftedByCure, c.hadLinked = m.today, false, false
		}
	case "cure/breached":
		c.state, c.mendBy = "cured", 0
		m.commitments[code] = c
		m.lift(c.firm)
		return ok
	default:
		return no
	}
	if was == "due" {
		m.alarm(code, "assess", c.assessBy)
	}
	c.mendBy = 0
	m.commitments[code] = c
	return ok
}

// repairable is what both application and approval ask of record and commitment.
func (m *model) repairable(firm, key, code string) string {
	p, found := m.records[key]
	switch {
	case !found || !p.repairable():
		return no
	case m.today < p.min:
		return "E_MIN_PERIOD"
	}
	if c, found := m.commitments[code]; !found || c.firm != firm || c.kind != 4 || !c.visible() || c.state != "supervised" || c.made < max(p.recorded, p.decided) {
		return "E_REPAIR_COMMITMENT"
	}
	return ok
}

func (m *model) apply(app string, a mRepair) string {
	if p, found := m.records[a.target]; !found || p.firm != a.firm {
		return no
	}
	if old, found := m.repairs[app]; found {
		if old.target == a.target && old.commitment == a.commitment {
			return again
		}
		return no
	}
	if until := m.repairBars[a.firm]; until >= m.today {
		return "E_REPAIR_BAR"
	}
	if r := m.repairable(a.firm, a.target, a.commitment); r != ok {
		return r
	}
	for _, o := range m.repairs {
		if o.target == a.target && o.open() {
			return no
		}
	}
	a.state, a.simple = "pending", m.records[a.target].class == 1
	a.acceptBy, a.totalBy = plusWorking(m.today, 3), plusWorking(m.today, 10)
	if a.simple {
		a.decideBy, a.totalBy = a.acceptBy, a.acceptBy
	}
	a.applied = m.today
	m.repairs[app] = a
	return ok
}

// decide does what a recogniser, or for refile the agent, does to an application.
func (m *model) decide(verb, by, app string) string {
	a, found := m.repairs[app]
	if !found || verb != "refile" && m.records[a.target].issuer != by {
		return no
	}
	p := m.records[a.target]
	switch verb + "/" + a.state {
	case "accept-repair/pending":
		if a.simple {
			a.simple, a.totalBy = false, plusWorking(a.applied, 10)
		}
		a.state, a.decideBy = "accepted", plusWorking(m.today, 7)
	case "accept-repair/accepted", "approve/effective", "revoke/revoked":
		return again
	case "extend/accepted":
		if a.extended || m.today > a.decideBy {
			return "E_REPAIR_EXTENSION"
		}
		a.extended, a.decideBy, a.totalBy = true, plusWorking(a.decideBy, 5), plusWorking(a.totalBy, 5)
	case "execute/effective":
		if a.executed {
			return again
		}
		a.executed = true
	case "track/effective":
		if a.tracked {
			return again
		}
		a.tracked = true
	case "supplement/pending":
		if a.supplemented {
			return no
		}
		a.state, a.supplemented, a.supplementBy = "supplement", true, plusWorking(m.today, 10)
		a.supplementedOn = m.today
	case "refile/supplement":
		a.state, a.acceptBy = "pending", plusWorking(m.today, 3)
		left := 0
		for d := a.supplementedOn + 1; d <= a.totalBy; d++ {
			if working(d) {
				left++
			}
		}
		a.totalBy = plusWorking(m.today, left)
		if a.simple {
			a.decideBy, a.totalBy = a.acceptBy, a.acceptBy
		}
	case "refuse/pending":
		a.state = "not accepted"
	case "refuse/accepted":
		a.state = "refused"
	case "approve/accepted", "approve/pending":
		if a.state == "pending" && !a.simple {
			return no
		}
		if r := m.repairable(a.firm, a.target, a.commitment); r != ok {
			return r
		}
		a.state, p.state, p.ended = "effective", "repaired", m.today
		a.executeBy, a.trackBy = plusWorking(m.today, 1), plusMonths(m.today, 6)
	case "revoke/effective":
		a.state = "revoked"
		if p.state == "repaired" && !p.destroyed {
			p = m.restored(p)
		}
		m.repairBars[a.firm] = max(m.repairBars[a.firm], plusMonths(m.today, 36))
	default:
		return no
	}
	for what, by := range m.repairs[app].limits() { // done after its day, before its clock had its turn
		if verb != "extend" {
			m.alarm(app, what, by)
		}
	}
	m.repairs[app] = a
	m.set(a.target, p)
	m.review(a.commitment, m.today)
	return ok
}

// restored is `repair_revoked`: the record is back with the dates that it had, and its duties count as not fulfilled.
func (m *model) restored(p mRecord) mRecord {
	p.doneOn = 0
	switch {
	case m.today > p.max:
		p.state = "expired"
	case p.published != 0 && (p.class != 1 || p.necessary):
		p.state, p.ended = "published", 0
	default:
		p.state, p.ended = "unpublished", 0
	}
	return p
}
