package apptest

import (
	"slices"
	"strings"
)

// Sanction measures, by the table of §11.5. A measure is named record|item|implementer; without an implementer it is the call on all.

type mMeasure struct {
	state      string // announced, applied, lifted, expired, corrected
	until      int
	feedbackBy int
	outcome    int // 0 = not reported
	evidence   string
	acted      bool // it was carried out since it was called for
}

func (s mMeasure) running() bool { return s.state == "announced" || s.state == "applied" }

// carries: measures may rest on a record in publicity, or on its way there.
func carries(p mRecord) bool { return p.state == "registered" || p.public() }

// follow: in the block in which a record leaves publicity all that rests on it is lifted; it is called for again when the record stands again.
func (m *model) follow(key string, old, now mRecord) {
	was, is := carries(old), carries(now)
	if was == is {
		return
	}
	for name, s := range m.measures {
		if !strings.HasPrefix(name, key+"|") {
			continue
		}
		switch {
		case was && s.running():
			s.state = "lifted"
		case is && s.state == "lifted":
			s = mMeasure{state: "announced"}
		}
		m.measures[name] = s
	}
}

// suits: the sample's items rest on records of every kind, of class 一般 at least; M13 is the market's own.
func suits(item string, p mRecord) bool {
	return slices.Contains([]string{"M07", "M08", "M12"}, item) && p.class >= 2
}

// implements: the three agencies may carry out the items; one that has left may not.
func (m *model) implements(who string) bool {
	return slices.Contains(simAgencies, who) && !m.removed[who]
}

func (m *model) announce(by, key, item, to string) string {
	p, found := m.records[key]
	if !found || p.issuer != by {
		return no
	}
	switch s, stands := m.measures[key+"|"+item+"|"+to]; {
	case stands && s.running():
		return again
	case stands, !p.public(), !suits(item, p), to != "" && !m.implements(to):
		return no
	}
	m.measures[key+"|"+item+"|"+to] = mMeasure{state: "announced"}
	return ok
}

func (m *model) applyMeasure(by, key, item string, until int) string {
	p, found := m.records[key]
	own, named := m.measures[key+"|"+item+"|"+by]
	call := m.measures[key+"|"+item+"|"]
	switch {
	case !found || !m.implements(by):
		return no
	case own.state == "applied":
		return again
	case named && own.state != "announced":
		return no
	case !p.public() && p.issuer != by: // of which it is told nothing
		return no
	case !named && call.state != "announced":
		return "E_MEASURE_UNANNOUNCED"
	case !p.public(), !suits(item, p):
		return no
	case p.finalOn == 0:
		return "E_NOT_FINAL"
	case until != 0 && until < m.today:
		return no
	}
	m.measures[key+"|"+item+"|"+by] = mMeasure{state: "applied", until: until, feedbackBy: plusWorking(m.today, 10), acted: true}
	return ok
}

func (m *model) feedback(by, name, to string, outcome int, evidence string) string {
	s, found := m.measures[name]
	switch {
	case !found || to != by || s.state != "applied":
		return no
	case s.outcome == outcome && s.evidence == evidence:
		return again
	}
	s.outcome, s.evidence = outcome, evidence
	m.measures[name] = s
	return ok
}

func (m *model) correctMeasure(by, name, issuer, to string) string {
	s, found := m.measures[name]
	switch {
	case !found || by != issuer && by != to:
		return no
	case s.state == "corrected":
		return again
	case !s.running():
		return no
	}
	s.state = "corrected"
	m.measures[name] = s
	return ok
}

// beginMeasures: what the days bring to measures.
func (m *model) beginMeasures() {
	for name, s := range m.measures {
		if s.state != "applied" {
			continue
		}
		ends := s.until != 0 && s.until < m.today
		if s.outcome == 0 && (!ends || s.feedbackBy <= s.until) {
			m.alarm(name, "feedback", s.feedbackBy)
		}
		if ends {
			s.state = "expired"
			m.measures[name] = s
		}
	}
}

// --- the procedure that leads to an entry in a list, by §11.3 ---

type mListing struct {
	issuer, firm, list string
	state              string // notified, verifying, heard, dropped, decided
	served             int
	statementBy        int
	statement          int
	stated, verified   int
	verifyBy           int
	consentBy          string
	consentOn          int
	filed              bool // ops filed what the subject stated
	reason             string
}

func (l mListing) open() bool {
	return l.state == "notified" || l.state == "verifying" || l.state == "heard"
}

func (m *model) notify(name string, l mListing) string {
	if old, found := m.listings[name]; found {
		if old.served == l.served {
			return again
		}
		return "E_RECORDED_DIFFERENTLY"
	}
	switch {
	case !m.firms[l.firm]:
		return "E_SUBJECT_UNKNOWN"
	case l.served > m.today:
		return no
	}
	l.state, l.statementBy = "notified", plusWorking(l.served, 5)
	m.listings[name] = l
	return ok
}

// list does what somebody does in a procedure.
func (m *model) list(verb, by, name string, arg int) string {
	l, found := m.listings[name]
	if !found {
		return no
	}
	switch verb {
	case "state-listing": // 1 objected, 2 waived
		switch {
		case by != l.issuer && by != "ops":
			return no
		case l.statement == arg:
			return again
		case l.state != "notified":
			return no
		}
		l.statement, l.stated, l.state, l.filed = arg, m.today, "heard", by == "ops"
		if arg == 1 {
			l.state, l.verifyBy = "verifying", plusWorking(m.today, 7)
		}
	case "verify-listing": // 1 founded
		if by != l.issuer || l.state != "verifying" {
			return no
		}
		m.alarm(name, "verify", l.verifyBy)
		if l.verified, l.state = m.today, "heard"; arg == 1 {
			l.state = "dropped"
		}
	case "consent":
		switch {
		case by == l.issuer, by != "gov1" && (by != "zz-scjg" || l.issuer != "gy-scjg"), m.removed[by]:
			return no
		case l.consentBy == by:
			return again
		case !l.open(), l.consentBy != "":
			return no
		}
		l.consentBy, l.consentOn = by, m.today
	case "drop-listing":
		switch {
		case by != l.issuer:
			return no
		case l.state == "dropped" && l.reason == "dropped":
			return again
		case !l.open():
			return no
		}
		l.state, l.reason = "dropped", "dropped"
	default:
		panic(verb)
	}
	m.listings[name] = l
	return ok
}

// decideListing is 列入决定: the notice, the subject heard, the level above, what it rests on.
func (m *model) decideListing(by, key, name string, p mRecord, basis string) string {
	if old, found := m.records[key]; found {
		if old.content == p.content && !old.destroyed {
			return again
		}
		return "E_RECORDED_DIFFERENTLY"
	}
	l, found := m.listings[name]
	switch {
	case !m.firms[p.firm]:
		return "E_SUBJECT_UNKNOWN"
	case !found, l.issuer != by, !l.open(), m.today <= l.served, l.state == "notified" && m.today <= l.statementBy, l.state == "verifying":
		return no
	}
	if p.list == "SC" {
		if l.consentBy == "" {
			return "E_UPPER_CONSENT"
		}
		if b := m.records[basis]; b.kind != "penalty" || b.firm != p.firm || !live(b.state) {
			return "E_LIST_BASIS"
		}
	}
	for _, o := range m.records {
		if o.kind == "list" && o.firm == p.firm && o.list == p.list && live(o.state) {
			return "E_LISTED"
		}
	}
	p.recorded, p.state = m.today, "registered"
	m.set(key, p.dated())
	for _, item := range p.measures {
		m.measures[key+"|"+item+"|"] = mMeasure{state: "announced"}
	}
	l.state = "decided"
	m.listings[name] = l
	return ok
}
