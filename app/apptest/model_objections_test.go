package apptest

// Objections, by the table of §11.6: the mark stands from receipt to result; the days stop while a test or an appraisal is under way.

type mObjection struct {
	target             string // key of a record, or code of a commitment
	breach             bool
	firm               string
	receiver, provider string
	state              string // own, provider, review, resolved
	ownBy, providerBy  int
	reviewBy           int
	paused             int
	said               string
	result             string
	escalated          bool
	overturned         bool
}

func (o mObjection) open() bool { return o.state != "resolved" }

// holder is who must act, and by when.
func (o mObjection) holder() (who string, due int) {
	switch o.state {
	case "own":
		return o.receiver, o.ownBy
	case "provider":
		return o.provider, o.providerBy
	case "review":
		return "gov1", o.reviewBy
	}
	return "", 0
}

// against is what an objection is against, as it stands.
func (m *model) against(o mObjection) (says string, open, withdrawn bool) {
	if o.breach {
		c := m.commitments[o.target]
		return c.assessed, c.state == "breached" || c.state == "cured", c.state == "withdrawn"
	}
	p := m.records[o.target]
	return p.says(), live(p.state), p.state == "withdrawn"
}

func (m *model) mark(o mObjection, change int) {
	if o.breach {
		c := m.commitments[o.target]
		c.marks += change
		m.commitments[o.target] = c
		return
	}
	p := m.records[o.target]
	p.marks += change
	m.records[o.target] = p
}

func (m *model) lateObjection(name string, o mObjection) {
	if who, due := o.holder(); who != "" && o.paused == 0 {
		m.alarm(name, o.state, due)
	}
}

func (m *model) object(name string, o mObjection, known bool) string {
	if !known {
		return no
	}
	if old, found := m.objections[name]; found {
		if old.receiver == o.receiver {
			return again
		}
		return "E_RECORDED_DIFFERENTLY"
	}
	says, open, _ := m.against(o)
	if !open {
		return no
	}
	o.state, o.said, o.ownBy, o.providerBy = "own", says, plusWorking(m.today, 3), plusWorking(m.today, 7)
	m.objections[name] = o
	m.mark(o, +1)
	return ok
}

func (o mObjection) resumed(today int) mObjection {
	for _, due := range []*int{&o.ownBy, &o.providerBy, &o.reviewBy} {
		left := 0
		for d := o.paused + 1; d <= *due; d++ {
			if working(d) {
				left++
			}
		}
		if *due >= o.paused {
			*due = plusWorking(today, left)
		}
	}
	o.paused = 0
	return o
}

// answer does what somebody does to an objection. arg is the result, or that the review overturns.
func (m *model) answer(verb, by, name, arg string) string {
	o, found := m.objections[name]
	if !found {
		return no
	}
	who, due := o.holder()
	says, open, withdrawn := m.against(o)
	if verb == "resolve" && o.state == "resolved" && o.result == arg {
		return again
	}
	if verb != "escalate" && who != by {
		return no
	}
	switch verb {
	case "forward":
		if o.state != "own" || o.receiver == o.provider || o.paused != 0 {
			return no
		}
		m.lateObjection(name, o)
		o.state = "provider"
	case "pause":
		switch {
		case o.paused != 0:
			return again
		case m.today > due:
			return no
		}
		o.paused = m.today
	case "resume":
		if o.paused == 0 {
			return no
		}
		o = o.resumed(m.today)
	case "resolve":
		same := says == o.said
		stays := arg == "upheld" || arg == "undetermined"
		switch {
		case o.state == "review",
			(arg == "withdrawn") != withdrawn,
			arg == "corrected" && same,
			stays && !same,
			arg == "undetermined" && o.state == "own" && o.receiver != o.provider,
			stays && o.overturned:
			return no
		}
		m.lateObjection(name, o)
		if o.paused != 0 {
			o = o.resumed(m.today)
		}
		o.state, o.result = "resolved", arg
		m.mark(o, -1)
	case "escalate":
		overdue := o.open() && o.paused == 0 && m.today > due
		switch {
		case by != "ops" && (by != o.provider || o.receiver != o.provider):
			return no
		case o.escalated, o.open() && !overdue, !o.open() && o.result != "upheld" && o.result != "undetermined", !open:
			return no
		}
		m.lateObjection(name, o)
		if !o.open() {
			m.mark(o, +1)
		}
		o.state, o.escalated, o.reviewBy = "review", true, plusWorking(m.today, 15)
	case "review":
		if o.state != "review" {
			return no
		}
		m.lateObjection(name, o)
		if o.paused != 0 {
			o = o.resumed(m.today)
		}
		same := says == o.said && !withdrawn
		if arg == "overturn" && same {
			o.state, o.overturned, o.result, o.providerBy = "provider", true, "", plusWorking(m.today, 7)
			break
		}
		switch {
		case withdrawn:
			o.result = "withdrawn"
		case !same:
			o.result = "corrected"
		case o.result == "":
			o.result = "upheld"
		}
		o.state = "resolved"
		m.mark(o, -1)
	}
	m.objections[name] = o
	return ok
}
