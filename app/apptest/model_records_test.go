package apptest

import (
	"fmt"
	"slices"
	"strings"
)

// Dishonesty records, by the table of §11.2: penalties, entries in lists, entries of abnormal operation, other dishonesty.

type mRecord struct {
	kind               string // penalty, list, abnormal, other
	firm, issuer, no   string
	class              int
	state              string
	decided, publishBy int
	recorded           int
	min, max           int
	published, ended   int
	breachOf           string
	content            string // what the command said of it
	was                []string
	necessary          bool
	act                string // of a penalty with a fine
	list               string
	measures           []string // that the decision calls for
	basis              string   // penalty that an entry in a list rests on
	kinds              []uint32 // of a penalty

	held      bool // 信用中国 does not show it
	answerBy  int
	revokedOn int
	leaveBy   int // last day of its withdrawal; 0 = none asked for
	lookBy    int // last day to say what becomes of an entry whose penalty was withdrawn
	doneOn    int // duties fulfilled
	extended  bool
	finalOn   int
	ground    int
	plan      string
	version   int // how often it was corrected
	destroyed bool
	marks     int    // objections that wait
	verifier  string // who verifies it before publication
}

// rows of §11.2: from which states an event may come. Where a table of the rules says "any live", these are the four.
var liveStates = []string{"registered", "published", "unpublished", "shielded"}

func live(state string) bool { return slices.Contains(liveStates, state) }

// public says whether everybody is told of a record: 公示中, and 信用中国 shows it.
func (p mRecord) public() bool { return p.state == "published" && !p.held }

// repairable: 公示中 or 不公示.
func (p mRecord) repairable() bool { return p.state == "published" || p.state == "unpublished" }

// archived: 30 days after a record has ended it goes to the archive.
func (p mRecord) archived(today int) bool { return !live(p.state) && p.ended+30 < today }

// says is what of a record an objection is against.
func (p mRecord) says() string { return fmt.Sprint(p.content, p.class, p.min, p.max) }

// terms are the shortest and the longest publicity in months, by kind and class.
func (p mRecord) terms() (lo, hi int) {
	switch {
	case p.kind == "list":
		return 12, 36
	case p.kind == "abnormal":
		return 0, 12
	}
	t := [4][2]int{1: {0, 3}, 2: {3, 12}, 3: {12, 36}}[p.class]
	return t[0], t[1]
}

// dated sets the days that follow from the decision.
func (p mRecord) dated() mRecord {
	lo, hi := p.terms()
	p.publishBy, p.min, p.max = plusWorking(p.decided, 7), plusMonths(p.decided, lo), plusMonths(p.decided, hi)
	return p
}

// holds: beyond its term a list entry or an entry of abnormal operation stays until its duties are fulfilled.
func (p mRecord) holds() bool {
	return (p.kind == "list" || p.kind == "abnormal") && p.state != "unpublished" && p.doneOn == 0
}

// set writes a record and what follows from it in the same block: what rests on it, and the boards of court plans.
func (m *model) set(key string, p mRecord) {
	old, had := m.records[key]
	if p.state != "published" {
		p.held, p.answerBy = false, 0
	}
	if !live(p.state) {
		p.extended = false
	}
	m.records[key] = p
	if p.breachOf != "" && live(p.state) && (!had || !live(old.state) || old.breachOf != p.breachOf) {
		m.link(p.breachOf)
	}
	if had {
		m.follow(key, old, p)
		switch was, is := old.public(), p.public(); {
		case was && !is && (p.state == "repaired" || p.state == "withdrawn" || p.state == "shielded"):
			m.letGo(key)
		case is && !was:
			c := m.copies[key]
			c.waiting = false
			m.copies[key] = c
		}
	}
	m.board(key, old, p)
}

// record is `record` of the table.
func (m *model) record(key string, p mRecord, atHome bool) string {
	if old, found := m.records[key]; found {
		if !old.destroyed && (old.content == p.content || slices.Contains(old.was, p.content)) {
			return again
		}
		return "E_RECORDED_DIFFERENTLY"
	}
	switch {
	case !m.firms[p.firm]:
		return "E_SUBJECT_UNKNOWN"
	case p.decided > m.today:
		return no
	}
	if r := m.fits(key, p, "", atHome); r != ok {
		return r
	}
	p.recorded, p.state = m.today, "registered"
	if p.class == 1 && !p.necessary && p.kind != "abnormal" {
		p.state = "unpublished"
	}
	m.set(key, p.dated())
	m.decideCase(key, p)
	return ok
}

// fits is what is asked of the content of a record, new or corrected. known is the breach that it punishes already.
func (m *model) fits(key string, p mRecord, known string, atHome bool) string {
	if !atHome {
		return "E_JURISDICTION"
	}
	if p.breachOf != "" && p.breachOf != known {
		if c := m.commitments[p.breachOf]; c.firm != p.firm || c.state != "breached" && c.state != "cured" {
			return "E_BREACH_OF"
		}
	}
	if r := m.mayFine(key, p); r != ok {
		return r
	}
	if p.necessary && p.class != 1 {
		return "E_CLASS"
	}
	return ok
}

// link: a live record punishes the breach of a commitment.
func (m *model) link(code string) {
	if c, found := m.commitments[code]; found {
		c.hadLinked = true
		m.commitments[code] = c
	}
}

// late raises the alarms of what should have been done with a record by now.
func (m *model) late(key string, p mRecord) {
	if p.state == "registered" {
		m.alarm(key, "publish", p.publishBy)
		m.alarm(key, "verify", plusWorking(p.recorded, 5))
	}
	m.lateLeave(key, p)
}

func (m *model) lateLeave(key string, p mRecord) {
	if live(p.state) {
		m.alarm(key, "withdraw", p.leaveBy)
		m.alarm(key, "reexamine", p.lookBy)
	}
	if p.held {
		m.alarm(key, "answer hold", p.answerBy)
	}
}

// above: the city's bureau is above the county's, and the province's credit authority above all three.
func above(upper, lower string) bool {
	return upper == "zz-scjg" && lower == "gy-scjg" || upper == "gov1" && upper != lower
}

// expire is `max_reached`: nobody has to act.
func (m *model) expire(key string, p mRecord) {
	if (p.state == "published" || p.state == "unpublished" || p.state == "shielded") && p.max < m.today && !p.extended {
		if p.holds() {
			p.extended = true
		} else {
			p.state, p.ended = "expired", m.today
		}
		m.set(key, p)
	}
}

// change does what an agency does to a record that stands. by is in whose name.
func (m *model) change(verb, by, key string, a mArgs) string {
	p, found := m.records[key]
	if !found || p.state == "corrected" {
		return no
	}
	switch verb {
	case "withdraw":
		if by != p.issuer && !above(by, p.issuer) {
			return no
		}
	case "report-revoked":
		if by != p.issuer && !above(by, p.issuer) && by != "ops" {
			return no
		}
	default:
		if by != p.issuer {
			return no
		}
	}
	gone := p.state == "withdrawn"
	switch verb {
	case "publish":
		switch {
		case p.state == "published":
			return again
		case p.state != "registered":
			return no
		case m.today > p.max:
			return "E_TERM_PASSED"
		}
		m.late(key, mRecord{state: p.state, publishBy: p.publishBy, recorded: p.recorded})
		p.state, p.published = "published", m.today
	case "withdraw", "remove-listed":
		switch {
		case verb == "remove-listed" && p.kind != "list":
			return no
		case gone:
			return again
		case !live(p.state), a.on != 0 && (a.on < p.decided || a.on > m.today):
			return no
		}
		if verb == "withdraw" {
			if p.revokedOn == 0 {
				p.revokedOn = m.today
				if a.on != 0 {
					p.revokedOn = a.on
				}
				p.leaveBy = plusWorking(p.revokedOn, 3)
			}
			m.alarm(key, "withdraw", p.leaveBy)
		}
		m.alarm(key, "reexamine", p.lookBy)
		p.state, p.ended = "withdrawn", m.today
	case "report-revoked":
		switch {
		case p.revokedOn == a.on:
			return again
		case !live(p.state), p.revokedOn != 0, a.on < p.decided, a.on > m.today:
			return no
		}
		p.revokedOn, p.leaveBy = a.on, plusWorking(a.on, 3)
	case "release":
		if !live(p.state) || p.revokedOn == 0 && !p.held && p.lookBy == 0 {
			return no
		}
		m.lateLeave(key, p)
		p.revokedOn, p.leaveBy, p.lookBy, p.held, p.answerBy = 0, 0, 0, false, 0
	case "final":
		switch {
		case p.finalOn != 0 && p.finalOn == a.on && p.ground == a.n:
			return again
		case p.finalOn != 0, !live(p.state), a.on < p.decided, a.on > m.today:
			return no
		case a.n == 1 && a.on <= plusMonths(p.decided, 6):
			return "E_FINALITY"
		}
		p.finalOn, p.ground = a.on, a.n
	case "fulfil":
		switch {
		case p.doneOn == a.on:
			return again
		case !live(p.state), a.on < p.decided, a.on > m.today:
			return no
		}
		if p.doneOn = a.on; p.extended {
			p.state, p.ended = "expired", m.today
		}
	case "remove-abnormal":
		switch {
		case p.kind != "abnormal":
			return no
		case p.state == "repaired":
			return again
		case !live(p.state):
			return no
		case m.today < p.min:
			return "E_REMOVAL"
		}
		p.state, p.ended = "repaired", m.today
	default:
		panic(verb)
	}
	m.set(key, p)
	if verb == "withdraw" {
		m.withdrawn(key, p)
	}
	return ok
}

// mArgs are the arguments of a change.
type mArgs struct{ on, n int }

// correct is `correct`: the version that stood moves aside, the dates run from the decision, publicity stays what it is where the class allows it.
func (m *model) correct(by, key string, q mRecord, atHome bool) string {
	p, found := m.records[key]
	switch {
	case !found || p.destroyed || p.issuer != by || p.state == "corrected" || p.kind != q.kind:
		return no
	case p.content == q.content:
		return again
	case !live(p.state), q.decided > m.today:
		return no
	}
	if r := m.fits(key, q, p.breachOf, atHome); r != ok {
		return r
	}
	old := p
	old.version, old.state, old.ended, old.held, old.revokedOn, old.leaveBy, old.marks, old.plan, old.extended, old.answerBy = p.version+1, "corrected", m.today, false, 0, 0, 0, "", false, 0
	m.records[fmt.Sprintf("%s#v%d", key, old.version)] = old

	now := p
	now.was = append(slices.Clone(p.was), p.content)
	now.class, now.kinds, now.decided, now.content, now.necessary, now.breachOf = q.class, q.kinds, q.decided, q.content, q.necessary, q.breachOf
	now.version, now.extended, now.held, now.answerBy = p.version+1, false, false, 0
	now = now.dated()
	switch {
	case now.class == 1 && !now.necessary && now.kind != "abnormal":
		now.state = "unpublished"
	case p.state == "unpublished":
		now.state = "registered"
	}
	if now.max < m.today && now.state != "registered" {
		if now.holds() {
			now.extended = true
		} else {
			now.state, now.ended = "expired", m.today
		}
	}
	m.set(key, now)
	if p.public() {
		m.letGo(key)
	}
	return ok
}

// --- copies of who holds them (下游, INV-37): ops keeps copies ---

type mCopies struct {
	due                int
	waiting, confirmed bool
}

// letGo: who keeps a copy lets go of what left publicity, or takes the corrected version, and says so within a working day.
func (m *model) letGo(key string) {
	m.copies[key] = mCopies{due: plusWorking(m.today, 1), waiting: true}
}

func (m *model) acknowledge(key string) string {
	c := m.copies[key]
	switch {
	case c.confirmed:
		return again
	case !c.waiting:
		return "E_ACKNOWLEDGE"
	}
	m.alarm(key, "acknowledge", c.due)
	m.copies[key] = mCopies{confirmed: true}
	return ok
}

// destroy is `destroy_key`, by governance.
func (m *model) destroy(key string) bool {
	p, found := m.records[key]
	if !found || p.destroyed || !p.archived(m.today) || p.marks > 0 {
		return false
	}
	m.records[key] = mRecord{kind: p.kind, firm: p.firm, issuer: p.issuer, no: p.no, state: p.state, ended: p.ended, destroyed: true}
	return true
}

// --- 信用中国 (INV-42) ---

type mList struct {
	on    int
	shown string
}

// reconcile: what 信用中国 does not show is held back; what it shows and the ledger does not publish is an alarm.
func (m *model) reconcile(firm string, on int, shown []string, text string) string {
	last, had := m.lists[firm]
	switch {
	case !m.firms[firm]:
		return "E_SUBJECT_UNKNOWN"
	case had && last.on == on && last.shown == text:
		return again
	case on < last.on:
		return "E_OLD_LIST"
	case on > m.today:
		return no
	}
	m.lists[firm] = mList{on, text}
	for _, key := range shown {
		if m.records[key].state != "published" {
			m.alarmNow(key + "|shown, not published")
		}
	}
	for key, p := range m.records {
		if p.firm != firm || p.state != "published" {
			continue
		}
		switch here := slices.Contains(shown, key); {
		case here && p.held:
			p.held, p.answerBy = false, 0
		case !here && !p.held && p.published < on:
			p.held, p.answerBy = true, plusWorking(m.today, 3)
			m.alarmNow(key + "|not shown")
		default:
			continue
		}
		m.set(key, p)
	}
	return ok
}

// --- court plans (屏蔽) ---

type mPlan struct {
	firm         string
	ruled, ended int
	state        string         // running, completed, failed
	due          map[string]int // recogniser → last day for what the plan lays on it
}

func (m *model) covers(plan mPlan, p mRecord) bool {
	return p.decided <= plan.ruled && p.firm == plan.firm
}

// counts are how many records of a recogniser a plan finds in publicity, and how many it shields.
func (m *model) counts(name string) (open, shielded map[string]int) {
	open, shielded = map[string]int{}, map[string]int{}
	plan := m.plans[name]
	for _, p := range m.records {
		if plan.state == "running" && p.public() && m.covers(plan, p) {
			open[p.issuer]++
		}
		if p.state == "shielded" && p.plan == name {
			shielded[p.issuer]++
		}
	}
	return open, shielded
}

// board: who has nothing in publicity and gets something has days of its own for it.
func (m *model) board(key string, old, now mRecord) {
	for name, plan := range m.plans {
		if plan.state != "running" || !now.public() || !m.covers(plan, now) || old.public() && m.covers(plan, old) {
			continue
		}
		if open, _ := m.counts(name); open[now.issuer] == 1 {
			plan.due[now.issuer] = plusWorking(m.today, 3)
		}
	}
}

func (m *model) filePlan(name string, ruled int, content string) string {
	firm, _, _ := cut3(name)
	switch old, found := m.plans[name]; {
	case found && old.ruled == ruled:
		return again
	case found:
		return "E_RECORDED_DIFFERENTLY"
	case !m.firms[firm]:
		return "E_SUBJECT_UNKNOWN"
	}
	for _, plan := range m.plans {
		if plan.firm == firm && plan.state == "running" {
			return "E_PLAN"
		}
	}
	if ruled > m.today {
		return no
	}
	m.plans[name] = mPlan{firm: firm, ruled: ruled, state: "running", due: map[string]int{}}
	open, _ := m.counts(name)
	for who := range open {
		m.plans[name].due[who] = plusWorking(m.today, 3)
	}
	return ok
}

func (m *model) endPlan(name string, completed bool, on int) string {
	plan, found := m.plans[name]
	to := "failed"
	if completed {
		to = "completed"
	}
	switch {
	case !found:
		return "E_PLAN"
	case plan.state == to && plan.ended == on:
		return again
	case plan.state != "running":
		return "E_PLAN"
	case on < plan.ruled || on > m.today:
		return no
	}
	plan.state, plan.ended, plan.due = to, on, map[string]int{}
	m.plans[name] = plan
	_, shielded := m.counts(name)
	for who := range shielded {
		plan.due[who] = plusWorking(m.today, 3)
	}
	return ok
}

func (m *model) shield(verb, by, key, name string) string {
	p, found := m.records[key]
	plan := m.plans[name]
	if !found || p.state == "corrected" || p.issuer != by || plan.firm != p.firm || !m.covers(plan, p) {
		return no
	}
	mine := p.state == "shielded" && p.plan == name
	if verb == "shield" {
		switch {
		case mine:
			return again
		case p.state != "published":
			return no
		case plan.state != "running":
			return "E_PLAN"
		}
		p.state, p.plan = "shielded", name
		m.set(key, p)
		return ok
	}
	switch {
	case plan.state == "completed" && p.state == "repaired" && p.plan == name, plan.state == "failed" && p.state == "published":
		return again
	case plan.state == "running":
		return "E_PLAN"
	case !mine && (p.state != "published" || plan.state != "completed"):
		return no
	}
	switch {
	case plan.state == "completed":
		p.state, p.ended, p.plan = "repaired", m.today, name
	case p.max < m.today && !p.extended:
		p.state, p.ended = "expired", m.today
	default:
		p.state = "published"
	}
	m.set(key, p)
	return ok
}

// --- one act, no two fines (INV-06), and whose case it is ---

type mCase struct {
	issuer, state, record string // open, penalty, closed
	decideBy              int
}

// fined says whether a fine for an act of a firm stands, other than that of a record. One that was repaired or has expired counts.
func (m *model) fined(firm, act, but string) bool {
	for key, p := range m.records {
		if key != but && p.firm == firm && p.act == act && p.state != "withdrawn" && p.state != "corrected" {
			return true
		}
	}
	return false
}

func (m *model) mayFine(key string, p mRecord) string {
	if p.act == "" {
		return ok
	}
	if m.fined(p.firm, p.act, key) {
		return "E_DOUBLE_FINE"
	}
	if c := m.cases[p.firm+"/"+p.act]; c.state == "open" && c.issuer != p.issuer {
		return "E_CASE"
	}
	return ok
}

// decideCase: the decision on a case is recorded.
func (m *model) decideCase(key string, p mRecord) {
	if c := m.cases[p.firm+"/"+p.act]; p.act != "" && c.state == "open" {
		m.cases[p.firm+"/"+p.act] = mCase{issuer: p.issuer, state: "penalty", record: key, decideBy: c.decideBy}
	}
}

// withdrawn closes the case of a decision that is gone, and asks what becomes of entries in lists that rest on it.
func (m *model) withdrawn(key string, p mRecord) {
	for k, e := range m.records {
		if e.kind == "list" && e.basis == key && live(e.state) && e.lookBy == 0 {
			e.lookBy = plusWorking(m.today, 3)
			m.records[k] = e
		}
	}
	if c := m.cases[p.firm+"/"+p.act]; p.act != "" && c.state == "penalty" && c.record == key {
		c.state = "closed"
		m.cases[p.firm+"/"+p.act] = c
	}
}

func (m *model) fileCase(by, firm, act string) string {
	c := m.cases[firm+"/"+act]
	switch {
	case !m.firms[firm]:
		return "E_SUBJECT_UNKNOWN"
	case c.state == "open" && c.issuer == by:
		return again
	case c.state == "open" || c.state == "penalty":
		return "E_CASE"
	case m.fined(firm, act, ""):
		return "E_DOUBLE_FINE"
	}
	by90 := m.today + 90
	for !working(by90) {
		by90++
	}
	m.cases[firm+"/"+act] = mCase{issuer: by, state: "open", decideBy: by90}
	return ok
}

func (m *model) closeCase(by, firm, act string) string {
	c, found := m.cases[firm+"/"+act]
	switch {
	case !found:
		return "E_CASE"
	case c.issuer != by:
		return no
	case c.state == "closed":
		return again
	case c.state != "open":
		return "E_CASE"
	}
	c.state = "closed"
	m.cases[firm+"/"+act] = c
	return ok
}

// attention (积累关注): three published 一般 records whose decisions are at most a year old.
func (m *model) attention(firm string) bool {
	n := 0
	for _, p := range m.records {
		if p.firm == firm && p.public() && p.class == 2 && plusMonths(p.decided, 12) >= m.today {
			n++
		}
	}
	return n >= 3
}

// cut3 takes a name of three parts apart.
func cut3(name string) (a, b, c string) {
	parts := strings.SplitN(name+"//", "/", 3)
	return parts[0], parts[1], strings.TrimRight(parts[2], "/")
}
