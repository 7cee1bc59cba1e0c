package apptest

import (
	"maps"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/henan"
)

// model is §11.1, §11.2 and §11.4 of the domain rules once more, written from their tables and from nothing of package x: maps, days as numbers
// since 1970, and what is in force computed from what is recorded. It knows the firms, agencies and parameters of the sample consortium.
type model struct {
	today       int
	firms       map[string]bool // enrolled
	commitments map[string]mCommitment
	penalties   map[string]mPenalty // by key
	repairs     map[string]mRepair  // by application number
	repairBars  map[string]int      // firm → last day
	alarms      map[string]int      // penalty key, verify: ‖ penalty key, or application and limit → day on which it was raised
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
}

type mPenalty struct {
	firm, issuer, no   string
	class              int
	state              string
	decided, publishBy int
	recorded           int
	min, max           int
	published, ended   int
	breachOf           string
	content            string // what the command said of it
	necessary          bool
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
		firms: map[string]bool{}, commitments: map[string]mCommitment{}, penalties: map[string]mPenalty{}, repairs: map[string]mRepair{},
		repairBars: map[string]int{}, alarms: map[string]int{},
	}
}

func (m *model) clone() *model {
	c := *m
	c.firms, c.commitments, c.penalties = maps.Clone(m.firms), maps.Clone(m.commitments), maps.Clone(m.penalties)
	c.repairs, c.repairBars, c.alarms = maps.Clone(m.repairs), maps.Clone(m.repairBars), maps.Clone(m.alarms)
	return &c
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

func live(state string) bool {
	return state == "registered" || state == "published" || state == "unpublished"
}

// breachBar: in force while a record that punishes the breach lives; without any such record, until it is cured and a public type-4 commitment
// stands.
func (m *model) breachBar(code string) bool {
	c := m.commitments[code]
	for _, p := range m.penalties {
		if p.breachOf == code && live(p.state) {
			return true
		}
	}
	return (c.state == "breached" || c.state == "cured") && !c.hadLinked && !c.liftedByCure
}

func (m *model) barred(firm string) bool {
	for _, p := range m.penalties {
		if p.firm == firm && p.state == "published" && p.class == 3 {
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
	for _, p := range m.penalties {
		if p.firm == firm && p.state == "published" && p.class == 3 {
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
	for _, p := range m.penalties {
		if p.breachOf == code && p.state == "published" {
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

// begin is a block on a day: what falls due without anybody's act.
func (m *model) begin(today int) {
	m.today = today
	for k, p := range m.penalties {
		switch {
		case (p.state == "published" || p.state == "unpublished") && p.max < today:
			p.state, p.ended = "expired", today
		case p.state == "registered":
			m.late(k, p, today)
		}
		m.penalties[k] = p
	}
	for k, c := range m.commitments {
		switch {
		case c.state == "pending" && c.acceptBy < today:
			m.alarm(k, "accept", c.acceptBy)
		case c.state == "supervised" && c.checkBy < today:
			c.state, c.assessBy = "due", plusWorking(max(c.checkBy, c.accepted), 20)
			m.commitments[k] = c
		case c.state == "due" && c.assessBy < today:
			m.alarm(k, "assess", c.assessBy)
		}
		if c.mendBy != 0 && c.mendBy < today {
			m.alarm(k, "mend", c.mendBy)
		}
	}
	for k, a := range m.repairs {
		for what, by := range a.limits() {
			if by < today && m.alarms[k+"/"+what] == 0 {
				m.alarms[k+"/"+what] = today
			}
		}
		if a.state == "supplement" && a.supplementBy < today {
			a.state = "not accepted"
			m.repairs[k] = a
			m.review(a.commitment)
		}
	}
}

// review takes a commitment out of view or brings it back: out of it when no open application names it and one took effect, or no record that
// they speak of is published.
func (m *model) review(code string) {
	named, open, effect, published := false, false, false, false
	for _, a := range m.repairs {
		if a.commitment == code {
			named, open, effect = true, open || a.open(), effect || a.state == "effective"
			published = published || m.penalties[a.target].state == "published"
		}
	}
	if c := m.commitments[code]; named {
		c.hidden = !open && (effect || !published)
		m.commitments[code] = c
	}
}

// end is the end of a block: applications on records that have left otherwise have ended, and promises go with them.
func (m *model) end() {
	for k, a := range m.repairs {
		if st := m.penalties[a.target].state; a.open() && st != "published" && st != "unpublished" {
			a.state = "moot"
			m.repairs[k] = a
		}
	}
	for _, a := range m.repairs {
		m.review(a.commitment)
	}
}

// alarm: a day of a commitment has passed unmet.
func (m *model) alarm(code, what string, due int) {
	if key := code + "/" + what + "/" + dayName(due); m.alarms[key] == 0 {
		m.alarms[key] = m.today
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

// change does what an acceptor does to a commitment. evidence tells one report or assessment from another.
func (m *model) change(verb, by, code string, evidence int) string {
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
		c.mendBy, c.mendEvidence = plusWorking(m.today, 20), evidence
		m.commitments[code] = c
		return ok
	case "refuse-mend/supervised", "refuse-mend/due", "refuse-mend/breached":
		if c.mendBy == 0 {
			return "E_MEND"
		}
		c.mendBy = 0
		m.commitments[code] = c
		return ok
	case "reject-commitment/pending":
		c.state = "rejected"
	case "withdraw-commitment/pending", "withdraw-commitment/supervised", "withdraw-commitment/due",
		"withdraw-commitment/fulfilled", "withdraw-commitment/breached", "withdraw-commitment/cured":
		c.state = "withdrawn"
	case "fulfil/supervised", "fulfil/due", "refulfil/fulfilled", "refulfil/breached", "refulfil/cured":
		c.state = "fulfilled"
	case "breach/supervised", "breach/due", "rebreach/fulfilled", "rebreach/breached", "rebreach/cured":
		c.state = "breached"
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
	if was == "due" && c.assessBy < m.today {
		m.alarm(code, "assess", c.assessBy)
	}
	c.mendBy = 0
	m.commitments[code] = c
	return ok
}

func (m *model) record(key string, p mPenalty, atHome bool) string {
	if old, found := m.penalties[key]; found {
		if old.content == p.content {
			return again
		}
		return "E_RECORDED_DIFFERENTLY"
	}
	switch {
	case !m.firms[p.firm]:
		return "E_SUBJECT_UNKNOWN"
	case p.decided > m.today:
		return no
	case !atHome:
		return "E_JURISDICTION"
	}
	if p.breachOf != "" {
		if c := m.commitments[p.breachOf]; c.firm != p.firm || c.state != "breached" && c.state != "cured" {
			return "E_BREACH_OF"
		}
	}
	if p.necessary && p.class != 1 {
		return "E_CLASS"
	}
	p.recorded, p.publishBy = m.today, plusWorking(p.decided, 7)
	months := [4][2]int{1: {0, 3}, 2: {3, 12}, 3: {12, 36}}[p.class]
	p.min, p.max = plusMonths(p.decided, months[0]), plusMonths(p.decided, months[1])
	p.state = "registered"
	if p.class == 1 && !p.necessary {
		p.state = "unpublished"
	}
	m.penalties[key] = p
	m.link(p.breachOf)
	return ok
}

// link: a live record punishes the breach of a commitment.
func (m *model) link(code string) {
	if c, found := m.commitments[code]; found {
		c.hadLinked = true
		m.commitments[code] = c
	}
}

func (m *model) publish(by, key string) string {
	p, found := m.penalties[key]
	switch {
	case !found || p.issuer != by:
		return no
	case p.state == "published":
		return again
	case p.state != "registered":
		return no
	case m.today > p.max:
		return "E_TERM_PASSED"
	}
	m.late(key, p, m.today)
	p.state, p.published = "published", m.today
	m.penalties[key] = p
	return ok
}

// late raises the alarms of what should have been done with a registered record by now.
func (m *model) late(key string, p mPenalty, today int) {
	for name, by := range map[string]int{key: p.publishBy, "verify:" + key: plusWorking(p.recorded, 5)} {
		if by < today && m.alarms[name] == 0 {
			m.alarms[name] = today
		}
	}
}

// archived: 30 days after a record has ended it goes to the archive.
func (p mPenalty) archived(today int) bool { return !live(p.state) && p.ended+30 < today }

func (m *model) withdraw(by, key string) string {
	p, found := m.penalties[key]
	switch {
	case !found || p.issuer != by && !(p.issuer == "gy-scjg" && by == "zz-scjg"): // the city's bureau is above the county's
		return no
	case p.state == "withdrawn":
		return again
	case !live(p.state):
		return no
	}
	p.state, p.ended = "withdrawn", m.today
	m.penalties[key] = p
	return ok
}

// repairable is what both application and approval ask of record and commitment.
func (m *model) repairable(firm, key, code string) string {
	p, found := m.penalties[key]
	switch {
	case !found || p.state != "published" && p.state != "unpublished":
		return no
	case m.today < p.min:
		return "E_MIN_PERIOD"
	}
	if c, found := m.commitments[code]; !found || c.firm != firm || c.kind != 4 || !c.visible() || c.state != "supervised" || c.made < p.recorded {
		return "E_REPAIR_COMMITMENT"
	}
	return ok
}

func (m *model) apply(app string, a mRepair) string {
	if p, found := m.penalties[a.target]; !found || p.firm != a.firm {
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
	a.state, a.simple = "pending", m.penalties[a.target].class == 1
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
	if !found || verb != "refile" && m.penalties[a.target].issuer != by {
		return no
	}
	p := m.penalties[a.target]
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
		switch {
		case m.today > p.max:
			p.state = "expired"
		case p.published != 0:
			p.state, p.ended = "published", 0
		default:
			p.state, p.ended = "unpublished", 0
		}
		m.repairBars[a.firm] = max(m.repairBars[a.firm], plusMonths(m.today, 36))
	default:
		return no
	}
	m.repairs[app], m.penalties[a.target] = a, p
	m.review(a.commitment)
	if verb == "revoke" && live(p.state) {
		m.link(p.breachOf)
	}
	return ok
}
