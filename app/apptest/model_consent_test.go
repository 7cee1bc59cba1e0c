package apptest

import (
	"slices"
	"strings"
)

// Keys of firms, what firms sign with them, grades, and anchors of receipts, by the line of §11.6 (生效 → 用尽, 到期, 撤回, 主体注销; never revived), §13
// (auth_max_validity_months) and INV-22. Where several reasons stand against something the model names all of them, and the ledger gives one.

type mKey struct {
	firm, paper string
	state       string // in force, rotated, lost, returned
	registered  int
	ended       int
	endPaper    string
}

type mAuthorisation struct {
	firm, to, via string
	purpose       int
	classes       []int
	on, until     int // days; the last one counts
	uses          int // 0 = as often as the lender likes
	key           string
	state         string // live, used up, expired, withdrawn, deregistered
	recorded      int
	ended         int
}

func (a mAuthorisation) says(b mAuthorisation) bool {
	return a.firm == b.firm && a.to == b.to && a.via == b.via && a.purpose == b.purpose && slices.Equal(a.classes, b.classes) && a.on == b.on && a.until == b.until && a.uses == b.uses
}

type mGrade struct {
	grade, result, basis string
	found, until         int
	recorded             int
	ended                int // 0 = stands
	reason               string
}

type mAnchor struct {
	hour   int64
	root   string
	usedUp string // firm and numbers, as sent
}

// Who may do what here: the registry enters keys, an evaluating body grades, a gateway anchors; agents, gateways and lenders bring what a firm signed.
var (
	simGateways = []string{"gw", "gw2"}
	simLenders  = []string{"bank", "bank2"}
	simBringers = []string{"bank", "bank2", "gw", "gw2", "ops"}
)

// refusals gathers what stands against something.
type refusals []string

func (a *refusals) when(stands bool, reason string) {
	if stands && !slices.Contains(*a, reason) {
		*a = append(*a, reason)
	}
}

// answer is OK where nothing stands against it, else one of the reasons.
func (a refusals) answer() string {
	if len(a) == 0 {
		return ok
	}
	return strings.Join(a, "|")
}

// holdsKey: an act of a firm needs a key of that firm that has not ended, and a firm that is.
func (m *model) holdsKey(a *refusals, firm, word string) {
	k, known := m.keys[word]
	a.when(!m.firms[firm], "E_SUBJECT_UNKNOWN")
	a.when(!known || k.firm != firm, "E_KEY_UNKNOWN")
	a.when(known && k.firm == firm && k.state != "in force", "E_KEY_ENDED")
}

// registerKey gives a firm a key. An address serves one firm, once; at most eight are in force; the new key has signed that it is this firm's.
func (m *model) registerKey(by, firm, word, replaces, paper string, proven bool) string {
	var not refusals
	not.when(by != "registry", "E_ROLE")
	not.when(!m.firms[firm], "E_SUBJECT_UNKNOWN")
	old, known := m.keys[word]
	gone := m.keys[replaces]
	if known && len(not) == 0 && old.firm == firm && old.state == "in force" && old.paper == paper &&
		(replaces == "" || gone.firm == firm && gone.state == "rotated" && gone.endPaper == paper) {
		return again
	}
	not.when(known || word == "zz-scjg", "E_KEY_USED") // of a member, too
	not.when(m.deregistered[firm], "E_SUBJECT_DEREGISTERED")
	not.when(!proven, "E_KEY_PROOF")
	n := 0
	for w, k := range m.keys {
		if k.firm == firm && k.state == "in force" && w != replaces {
			n++
		}
	}
	not.when(n >= 8, "E_LIMIT")
	if replaces != "" {
		not.when(gone.firm != firm, "E_KEY_UNKNOWN")
		not.when(gone.firm == firm && gone.state != "in force", "E_KEY_ENDED")
	}
	if len(not) == 0 {
		m.keys[word] = mKey{firm: firm, paper: paper, state: "in force", registered: m.today}
		if replaces != "" {
			gone.state, gone.ended, gone.endPaper = "rotated", m.today, paper
			m.keys[replaces] = gone
		}
	}
	return not.answer()
}

// endKey ends a key that was lost or returned.
func (m *model) endKey(by, firm, word, how, paper string) string {
	var not refusals
	k, known := m.keys[word]
	not.when(by != "registry", "E_ROLE")
	if known && len(not) == 0 && k.firm == firm && k.state == how && k.endPaper == paper {
		return again
	}
	m.holdsKey(&not, firm, word)
	if len(not) == 0 {
		k.state, k.ended, k.endPaper = how, m.today, paper
		m.keys[word] = k
	}
	return not.answer()
}

// enter changes the status of a firm. All that a firm which is deregistered (注销) has authorised ends, for good.
func (m *model) enter(firm string, status int) string {
	if m.status[firm] == status {
		return again
	}
	m.status[firm], m.deregistered[firm] = status, status == 2
	for name, a := range m.authorisations {
		if a.firm == firm && a.state == "live" && status == 2 {
			m.endAuthorisation(name, "deregistered")
		}
	}
	return ok
}

func (m *model) endAuthorisation(name, how string) {
	a := m.authorisations[name]
	a.state, a.ended = how, m.today
	m.authorisations[name] = a
}

// grant enters what a firm has signed. name is firm/number.
func (m *model) grant(by, name string, a mAuthorisation, signed bool) string {
	var not refusals
	signed = signed && a.key != "zz-scjg" // whose own key the command does not sign with
	not.when(!slices.Contains(simBringers, by), "E_ROLE")
	old, known := m.authorisations[name]
	brought := len(not) == 0 && signed
	m.holdsKey(&not, a.firm, a.key)
	not.when(m.deregistered[a.firm], "E_SUBJECT_DEREGISTERED")
	if known && brought && old.says(a) && (old.key == a.key || len(not) == 0) {
		return again
	}
	not.when(known, "E_RECORDED_DIFFERENTLY")
	not.when(!slices.Contains(simLenders, a.to) || m.removed[a.to], "E_AUTH_PARTY")
	not.when(!slices.Contains(simGateways, a.via) || m.removed[a.via], "E_AUTH_PARTY")
	not.when(a.on > m.today || a.until < a.on || a.until < m.today || a.until > plusMonths(a.on, 12), "E_AUTH_TERM")
	not.when(!signed, "E_AUTH_SIGNATURE")
	if len(not) == 0 {
		a.state, a.recorded = "live", m.today
		m.authorisations[name] = a
	}
	return not.answer()
}

// withdrawAuthorisation: any key in force of the firm may.
func (m *model) withdrawAuthorisation(by, name, key string, signed bool) string {
	var not refusals
	signed = signed && key != "zz-scjg"
	a, known := m.authorisations[name]
	not.when(!slices.Contains(simBringers, by), "E_ROLE")
	k, has := m.keys[key]
	not.when(!known || has && k.firm != a.firm, "E_AUTH_NONE")
	m.holdsKey(&not, a.firm, key)
	not.when(!signed, "E_AUTH_SIGNATURE")
	if known && len(not) == 0 && a.state == "withdrawn" {
		return again
	}
	not.when(a.state != "live", "E_AUTH_ENDED")
	if len(not) == 0 {
		m.endAuthorisation(name, "withdrawn")
	}
	return not.answer()
}

// recordGrade: a newer finding takes the place of an older one, and one that has ended does not come back.
func (m *model) recordGrade(by, firm string, g mGrade) string {
	var not refusals
	not.when(by != "pj", "E_ROLE")
	not.when(!m.firms[firm], "E_SUBJECT_UNKNOWN")
	old, known := m.grades[firm]
	same := known && old.grade == g.grade && old.result == g.result && old.basis == g.basis && old.found == g.found && old.until == g.until
	if len(not) == 0 && same && old.ended == 0 {
		return again
	}
	not.when(same || known && g.found < old.found || g.found > m.today || g.until < m.today || g.until < g.found, "E_GRADE")
	if len(not) == 0 {
		g.recorded = m.today
		m.grades[firm] = g
	}
	return not.answer()
}

func (m *model) withdrawGrade(by, firm, reason string) string {
	var not refusals
	not.when(by != "pj", "E_ROLE")
	g, known := m.grades[firm]
	if known && len(not) == 0 && g.ended != 0 && g.reason == reason {
		return again
	}
	not.when(!known || g.ended != 0, "E_GRADE_NONE")
	if len(not) == 0 {
		g.ended, g.reason = m.today, reason
		m.grades[firm] = g
	}
	return not.answer()
}

// anchor binds the receipts of a gateway up to the end of an hour, and tells which authorisations were used for the last time (用尽). now is the hour that runs.
func (m *model) anchor(by string, now int64, a mAnchor, firm string, usedUp []string) string {
	var not refusals
	not.when(!slices.Contains(simGateways, by), "E_ROLE")
	live := false
	for _, no := range usedUp {
		auth, known := m.authorisations[firm+"/"+no]
		not.when(!known || auth.via != by, "E_AUTH_NONE")
		not.when(known && auth.uses == 0, "E_AUTH_SCOPE")
		live = live || auth.state == "live"
	}
	for _, old := range m.anchors[by] {
		if old.hour == a.hour && old.root == a.root && !live && len(not) == 0 {
			return again
		}
		not.when(old.hour == a.hour, "E_RECORDED_DIFFERENTLY")
		not.when(old.hour > a.hour, "E_ANCHOR_HOUR")
	}
	not.when(a.hour < 0 || a.hour >= now, "E_ANCHOR_HOUR")
	if len(not) == 0 {
		for _, no := range usedUp {
			if m.authorisations[firm+"/"+no].state == "live" {
				m.endAuthorisation(firm+"/"+no, "used up")
			}
		}
		m.anchors[by] = append(slices.Clip(m.anchors[by]), a)
	}
	return not.answer()
}

// beginConsent: what the days end.
func (m *model) beginConsent() {
	for name, a := range m.authorisations {
		if a.state == "live" && a.until < m.today {
			m.endAuthorisation(name, "expired")
		}
	}
	for firm, g := range m.grades {
		if g.ended == 0 && g.until < m.today {
			g.ended = m.today
			m.grades[firm] = g
		}
	}
}

// mQuery is what a lender asks to be opened.
type mQuery struct {
	firm, by, via  string
	purpose, class int
	used           int // how often the gateway has opened something on it
}

// allows says what stands against opening a class. Who asks by an authorisation that is not for it learns nothing of it.
func (m *model) allows(name string, q mQuery) string {
	a, known := m.authorisations[name]
	if !known || a.firm != q.firm || a.to != q.by {
		return "E_AUTH_NONE"
	}
	var not refusals
	not.when(a.state == "withdrawn", "E_AUTH_REVOKED")
	not.when(a.state == "deregistered", "E_AUTH_DEREGISTERED")
	not.when(a.state == "expired" || a.until < m.today, "E_AUTH_EXPIRED")
	not.when(a.state == "used up" || a.uses != 0 && q.used >= a.uses, "E_AUTH_USED_UP")
	not.when(a.via != q.via, "E_AUTH_GATEWAY")
	not.when(a.purpose != q.purpose, "E_AUTH_PURPOSE")
	not.when(!slices.Contains(a.classes, q.class), "E_AUTH_SCOPE")
	return not.answer()
}
