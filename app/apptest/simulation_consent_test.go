package apptest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// What firms, lenders, gateways, the registry and the evaluating body do in a random story. It is chosen by numbers of its own (s.c), in transactions of its
// own, so that the rest of a story is what it is without it.

// someOf picks one of a list: mostly one that will do; now and then any. "none" is none.
func someOf(r *rand.Rand, list []string, good func(key string) bool) string {
	if r.IntN(12) > 0 {
		var fit []string
		for _, k := range list {
			if good(k) {
				fit = append(fit, k)
			}
		}
		list = fit
	}
	if len(list) == 0 {
		return "none"
	}
	return pick(r, list...)
}

// nextConsent is the next message of this kind.
func (s *sim) nextConsent() do {
	s.cn++
	for {
		var d do
		switch k := s.c.IntN(20); {
		case k < 4:
			d = s.nextKey()
		case k < 6:
			d = s.nextKeyEnd()
		case k < 11:
			d = s.nextGrant()
		case k < 13:
			d = s.nextWithdrawal()
		case k < 16:
			d = s.nextAnchor()
		case k < 18:
			d = s.nextGrade()
		case k < 19:
			d = s.nextGradeEnd()
		default:
			d = s.nextStatus()
		}
		if d.line != "" {
			return d
		}
	}
}

// anyFirm is mostly one of two, so that much happens to each; now and then one that was never enrolled.
func (s *sim) anyFirm() string {
	return pick(s.c, "A", "A", "A", "A", "B", "B", "B", "C", "D", "E", "F", pick(s.c, "F", "F", "G"))
}

// by1 is mostly who may, and now and then another.
func (s *sim) by1(who ...string) string {
	if s.c.IntN(20) == 0 {
		return pick(s.c, "registry", "pj", "gw", "bank", "ops", "zz-scjg")
	}
	return pick(s.c, who...)
}

func (s *sim) inForce(firm string) func(word string) bool {
	return func(word string) bool { k := s.m.keys[word]; return k.firm == firm && k.state == "in force" }
}

func (s *sim) nextKey() do {
	r, by, firm := s.c, s.by1("registry"), s.anyFirm()
	word, replaces, paper, signer := fmt.Sprint("k", s.cn), "", pick(r, "p1", "p2"), ""
	if r.IntN(12) == 0 {
		if word = pick(r, "zz-scjg", someOf(r, s.names["key"], func(string) bool { return true })); word == "none" { // a member's, or one that is registered
			return do{}
		}
	}
	if old := someOf(r, s.names["key"], s.inForce(firm)); r.IntN(3) == 0 && old != "none" {
		replaces = old
	}
	if k, known := s.m.keys[word]; known && r.IntN(3) > 0 { // the same again
		firm, paper, replaces = k.firm, k.paper, ""
		if r.IntN(2) == 0 {
			replaces = someOf(r, s.names["key"], func(w string) bool { return s.m.keys[w].firm == firm && s.m.keys[w].endPaper == paper })
			if replaces == "none" {
				replaces = ""
			}
		}
	}
	line := fmt.Sprintf("register-key by=%s firm=%s key=%s evidence=%s", by, firm, word, paper)
	if replaces != "" {
		line += " replaces=" + replaces
	}
	if r.IntN(15) == 0 || word == "zz-scjg" {
		signer = "another"
		line += " proof=another"
	}
	s.keep("key", word)
	return do{line, by, false, func(m *model) string { return m.registerKey(by, firm, word, replaces, paper, signer == "") }}
}

func (s *sim) nextKeyEnd() do {
	r, by, firm := s.c, s.by1("registry"), s.anyFirm()
	word := someOf(r, s.names["key"], func(w string) bool {
		k := s.m.keys[w]
		return k.firm == firm && (k.state == "in force" || r.IntN(3) == 0)
	})
	how, paper := pick(r, "lost", "returned"), pick(r, "p1", "p2")
	return do{
		fmt.Sprintf("end-key by=%s firm=%s key=%s end=%d evidence=%s", by, firm, word, map[string]int{"lost": 2, "returned": 3}[how], paper), by, false,
		func(m *model) string { return m.endKey(by, firm, word, how, paper) },
	}
}

func (s *sim) nextGrant() do {
	r, m := s.c, s.m
	by := s.by1(simBringers...)
	firm := s.anyFirm()
	if holder, known := s.m.keys[someOf(r, s.names["key"], func(w string) bool { k := m.keys[w]; return k.state == "in force" && !m.deregistered[k.firm] })]; known && r.IntN(5) > 0 {
		firm = holder.firm
	}
	a := mAuthorisation{
		firm: firm, to: pick(r, "bank", "bank", "bank2"), via: pick(r, "gw", "gw", "gw2"), purpose: 1 + r.IntN(6), on: m.today - pick(r, 0, 0, 0, r.IntN(40)),
		uses: pick(r, 0, 0, 1, 2, 3), classes: pick(r, []int{1, 2}, []int{1, 2}, []int{1}, []int{2}),
	}
	a.until = a.on + pick(r, 10, r.IntN(60), 100, 300)
	switch r.IntN(12) { // one thing that does not fit
	case 0:
		a.on = m.today + 1
	case 1:
		a.until = plusMonths(a.on, 12) + r.IntN(3) - 1
	case 2:
		a.until = m.today - 1
	case 3:
		a.to = pick(r, "gw", "ops")
	case 4:
		a.via = pick(r, "bank", "zz-scjg")
	}
	no := strconv.Itoa(s.cn)
	if old := someOf(r, s.names["authorisation"], func(n string) bool { return m.authorisations[n].state != "" }); r.IntN(8) == 0 && old != "none" {
		b, found := m.authorisations[old]
		if !found {
			return do{}
		}
		if r.IntN(3) == 0 {
			b.uses++
		}
		a, no = b, old[2:]
	} else {
		a.key = someOf(r, s.names["key"], s.inForce(a.firm))
	}
	line := fmt.Sprintf("grant by=%s firm=%s key=%s no=%s to=%s via=%s purpose=%d classes=%s on=%s until=%s uses=%d", by, a.firm, a.key, no, a.to, a.via, a.purpose,
		strings.Trim(strings.ReplaceAll(fmt.Sprint(a.classes), " ", ","), "[]"), dayName(a.on), dayName(a.until), a.uses)
	signed := true
	switch r.IntN(30) {
	case 0:
		signed = false
		line += " signed=another"
	case 1:
		signed = false
		line += " signed-no=another"
	}
	name := a.firm + "/" + no
	s.keep("authorisation", name)
	return do{line, by, false, func(m *model) string { return m.grant(by, name, a, signed) }}
}

func (s *sim) nextWithdrawal() do {
	r, by := s.c, s.by1(simBringers...)
	name := someOf(r, s.names["authorisation"], func(n string) bool {
		st := s.m.authorisations[n].state
		return st == "live" || st != "" && r.IntN(4) == 0
	})
	if name == "none" {
		return do{}
	}
	firm, no := name[:1], name[2:]
	key := someOf(r, s.names["key"], s.inForce(firm))
	line := fmt.Sprintf("withdraw-authorisation by=%s firm=%s no=%s key=%s", by, firm, no, key)
	signed := r.IntN(20) > 0
	if !signed {
		line += pick(r, " signed=another", " chain=another")
	}
	return do{line, by, false, func(m *model) string { return m.withdrawAuthorisation(by, name, key, signed) }}
}

func (s *sim) nextAnchor() do {
	r, by, now := s.c, s.by1("gw", "gw", "gw2"), s.legalNow()/3600
	a := mAnchor{hour: now - int64(pick(r, 1, 1, 1, 1, 2, 0, r.IntN(40))), root: fmt.Sprint("r", s.cn)}
	firm := s.anyFirm()
	var used []string
	for range pick(r, 0, 0, 1, 1, 2) {
		if name := someOf(r, s.names["authorisation"], func(n string) bool {
			b := s.m.authorisations[n]
			return b.firm == firm && (b.via == by || r.IntN(5) == 0) && (b.uses != 0 || r.IntN(5) == 0) && (b.state == "live" || r.IntN(4) == 0)
		}); name != "none" && name[:1] == firm && !slices.Contains(used, name[2:]) {
			used = append(used, name[2:])
		}
	}
	slices.Sort(used)
	if old := s.m.anchors[by]; len(old) > 0 && r.IntN(5) == 0 { // again, or something else of the same hour
		a = old[len(old)-1-min(len(old)-1, r.IntN(2))]
		switch r.IntN(4) {
		case 0:
			a.root += "x"
			fallthrough
		case 1, 2:
			firm, used = a.usedUp[:1], commaList(a.usedUp[1:])
		}
	}
	a.usedUp = firm + strings.Join(used, ",")
	line := fmt.Sprintf("anchor by=%s hours=%d root=%s firm=%s", by, now-a.hour, a.root, firm)
	if len(used) > 0 {
		line += " used-up=" + strings.Join(used, ",")
	}
	return do{line, by, false, func(m *model) string { return m.anchor(by, now, a, firm, used) }}
}

func commaList(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func (s *sim) nextGrade() do {
	r, by, firm := s.c, s.by1("pj"), s.anyFirm()
	g := mGrade{grade: pick(r, "A", "B+", "C-", "E"), result: fmt.Sprint("PJ", s.cn), basis: "b", found: s.m.today - pick(r, 0, 0, r.IntN(60), -1)}
	g.until = g.found + pick(r, 365, r.IntN(90), r.IntN(90), -1)
	if old, known := s.m.grades[firm]; known && r.IntN(3) == 0 { // as it comes, older ones too
	} else if known && r.IntN(3) > 0 { // a newer one
		g.found = max(g.found, old.found)
		g.until = max(g.until, g.found)
	} else if known {
		g = old
		if r.IntN(3) == 0 {
			g.basis = "c"
		}
	}
	g.recorded, g.ended, g.reason = 0, 0, ""
	return do{
		fmt.Sprintf("grade by=%s firm=%s is=%s found=%s until=%s result=%s basis=%s", by, firm, g.grade, dayName(g.found), dayName(g.until), g.result, g.basis), by, false,
		func(m *model) string { return m.recordGrade(by, firm, g) },
	}
}

func (s *sim) nextGradeEnd() do {
	by, firm, reason := s.by1("pj"), s.anyFirm(), pick(s.c, "x", "y")
	return do{fmt.Sprintf("withdraw-grade by=%s firm=%s reason=%s", by, firm, reason), by, false, func(m *model) string { return m.withdrawGrade(by, firm, reason) }}
}

// nextStatus: a firm is deregistered now and then, and comes back.
func (s *sim) nextStatus() do {
	firm, status := pick(s.c, "A", "B", "C", "D", "E", "F"), pick(s.c, 1, 1, 2, 3)
	if gone := someOf(s.c, slices.Sorted(maps.Keys(s.m.firms)), func(f string) bool { return s.m.deregistered[f] }); s.m.deregistered[gone] {
		firm, status = gone, pick(s.c, 1, 1, 1, 2)
	}
	return do{fmt.Sprintf("enrol firm=%s status=%d", firm, status), "registry", false, func(m *model) string { return m.enter(firm, status) }}
}

// governConsent: a lender or a gateway leaves, or is admitted again.
func (s *sim) governConsent() {
	who := pick(s.c, "bank2", "gw2")
	s.begin()
	s.m.end()
	line := "govern remove=" + who
	if s.m.removed[who] {
		line = "govern put=" + who
	}
	out := strings.TrimSpace(s.command(line))
	s.log = append(s.log, line+" → "+out)
	if !strings.HasPrefix(out, "in force from ") {
		s.t.Errorf("%s: the ledger says %s", line, out)
		return
	}
	s.Block()
	if s.m.removed[who] {
		delete(s.m.removed, who)
	} else {
		s.m.removed[who] = true
	}
}
