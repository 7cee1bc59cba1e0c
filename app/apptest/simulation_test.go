package apptest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	abci "github.com/cometbft/cometbft/abci/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// TestSimulation lives random stories against the model: two applications, one of them on disk and closed or crashed at random.
func TestSimulation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			simulate(t, seed, 150)
		})
	}
}

// TestLongSimulation is the same at length: XINLIAN_LONG=1, with XINLIAN_SEED for a seed of its own.
func TestLongSimulation(t *testing.T) {
	if os.Getenv("XINLIAN_LONG") == "" {
		t.Skip("set XINLIAN_LONG to run it")
	}
	seed := uint64(1)
	if v := os.Getenv("XINLIAN_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		must(t, err)
		seed = n
	}
	for i := range uint64(8) {
		simulate(t, seed+i, 1200)
	}
}

type sim struct {
	*Script
	t     *testing.T
	r     *rand.Rand
	m     *model
	codes []string
	keys  []string // penalties
	apps  []string // applications
	lines map[string]string
	n     int
	log   []string
}

var (
	simAgencies = []string{"zz-scjg", "gy-scjg", "js-rsj"}
	simRegions  = map[string]string{"zz-scjg": "410100", "gy-scjg": "410181", "js-rsj": "410105"}
)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// do is a message: the command that makes it, who signs, and what the model says.
type do struct {
	line, by string
	apply    func(m *model) string
}

func (s *sim) firmName() string {
	if s.r.IntN(30) == 0 {
		return "G" // never enrolled
	}
	return string(rune('A' + s.r.IntN(6)))
}

// some picks one of a list: mostly one that will do, if there is one.
func (s *sim) some(list []string, good func(key string) bool) string {
	if len(list) == 0 {
		return "none"
	}
	if s.r.IntN(5) > 0 {
		var fit []string
		for _, k := range list {
			if good(k) {
				fit = append(fit, k)
			}
		}
		if len(fit) > 0 {
			list = fit
		}
	}
	return pick(s.r, list...)
}

func (s *sim) recorded(key string) bool { return s.m.penalties[key].state != "" }
func (s *sim) made(code string) bool    { return s.m.commitments[code].state != "" }

func (s *sim) next() do {
	r := s.r
	s.n++
	switch k := r.IntN(20); {
	case k < 4: // a commitment
		by := pick(r, simAgencies...)
		c := mCommitment{firm: s.firmName(), acceptor: by, kind: pick(r, 0, 1, 1, 2, 3, 4, 4, 4, 4, 4, 5, 6), public: pick(r, 1, 1, 1, 1, 2, 3)}
		accepted := r.IntN(2) == 0
		code := simRegions[by] + dayOf(s.m.today).Format("20060102") + fmt.Sprintf("%06d", s.n)
		if c.kind != 4 && r.IntN(3) == 0 {
			c.until = s.m.today + r.IntN(90)
		}
		if old := s.some(s.codes, s.made); r.IntN(12) == 0 && s.lines[old] != "" { // again, or the same code with other content
			code = old
			c = s.m.commitments[old]
			by = c.acceptor
			if r.IntN(2) == 0 {
				c.kind = (c.kind + 1) % 7
			}
			if c.firm == "" {
				return s.next()
			}
		} else {
			s.codes = append(s.codes, code)
		}
		line := fmt.Sprintf("commit firm=%s code=%s type=%d public=%d until=%s issuer=%s by=%s", c.firm, code, c.kind, c.public, dateArg(c.until), by, pick(r, by, "ops"))
		if accepted {
			line += " accepted"
		}
		s.lines[code] = line
		return do{line, "", func(m *model) string { return m.commit(code, c, accepted) }}
	case k < 9: // something happens to a commitment
		verb := pick(r, "accept-commitment", "accept-commitment", "reject-commitment", "withdraw-commitment", "fulfil", "breach", "breach", "cure", "cure", "mend", "mend", "refuse-mend", "refulfil", "rebreach")
		code := s.some(s.codes, func(k string) bool {
			switch st := s.m.commitments[k].state; verb {
			case "accept-commitment", "reject-commitment":
				return st == "pending"
			case "cure":
				return st == "breached"
			case "withdraw-commitment", "fulfil", "breach":
				return (st == "supervised" || st == "due") && s.m.commitments[k].kind != 4
			case "mend":
				return st == "supervised" || st == "due" || st == "breached"
			case "refuse-mend":
				return s.m.commitments[k].mendBy != 0
			case "refulfil", "rebreach":
				return st == "fulfilled" || st == "breached" || st == "cured"
			}
			return false
		})
		by := s.m.commitments[code].acceptor
		if by == "" || r.IntN(10) == 0 {
			by = pick(r, simAgencies...)
		}
		line := fmt.Sprintf("%s code=%s issuer=%s evidence=%d by=%s", verb, code, by, s.n, by)
		switch verb {
		case "fulfil":
			line = strings.Replace(line, verb, "assess status=1", 1)
		case "breach":
			line = strings.Replace(line, verb, pick(r, "assess status=2", "assess status=3")+" unperformed=u action=a", 1)
		case "refulfil":
			line = strings.Replace(line, verb, "reassess status=1", 1)
		case "rebreach":
			line = strings.Replace(line, verb, pick(r, "reassess status=2", "reassess status=3")+" unperformed=u action=a", 1)
		}
		n := s.n
		return do{line, "", func(m *model) string { return m.change(verb, by, code, n) }}
	case k < 12: // a penalty
		by := pick(r, simAgencies...)
		p := mPenalty{firm: s.firmName(), issuer: by, no: strconv.Itoa(s.n), decided: s.m.today - pick(r, 0, 0, r.IntN(20), r.IntN(400), -1)}
		what := ""
		switch r.IntN(5) {
		case 0, 1:
			p.class, what = 1, "kinds=1"
		case 2, 3:
			p.class, what = 2, fmt.Sprintf("kinds=3 fine=%d", 1+r.IntN(999_999))
		case 4:
			p.class, what = 3, pick(r, "kinds=9", "kinds=3 fine=1000000", "kinds=1,12")
		}
		if r.IntN(8) == 0 {
			p.necessary = true
			what += " necessary=why"
		}
		if r.IntN(3) == 0 {
			if p.breachOf = s.some(s.codes, func(k string) bool { st := s.m.commitments[k].state; return st == "breached" || st == "cured" }); p.breachOf == "none" {
				p.breachOf = ""
			} else {
				if r.IntN(4) > 0 && s.m.commitments[p.breachOf].firm != "" {
					p.firm = s.m.commitments[p.breachOf].firm
				}
				what += " breach-of=" + p.breachOf
			}
		}
		atHome := r.IntN(12) > 0
		place := simRegions[by]
		if !atHome {
			place = "411400"
		}
		p.content = fmt.Sprintf("%s decided=%s region=%s", what, dayName(p.decided), place)
		key := by + "/" + p.no + "/" + p.firm
		if old := s.some(s.keys, s.recorded); r.IntN(12) == 0 && old != "none" {
			if q, found := s.m.penalties[old]; found {
				content := p.content
				p, key, by = q, old, q.issuer
				if r.IntN(2) == 0 {
					p.content = content
				}
			}
		} else {
			s.keys = append(s.keys, key)
		}
		line := fmt.Sprintf("record firm=%s issuer=%s no=%s %s by=%s", p.firm, by, p.no, p.content, pick(r, by, "ops"))
		return do{line, "", func(m *model) string { return m.record(key, p, atHome) }}
	case k < 14: // published or withdrawn
		late := r.IntN(4) == 0 // withdraw
		key := s.some(s.keys, func(k string) bool { st := s.m.penalties[k].state; return st == "registered" || late && live(st) })
		of, no, firm := splitKey(key)
		by := of
		if r.IntN(10) == 0 {
			by = pick(r, simAgencies...)
		}
		if !late {
			return do{fmt.Sprintf("publish firm=%s issuer=%s of=%s no=%s by=%s", firm, by, of, no, pick(r, by, "ops")), "", func(m *model) string { return m.publish(by, key) }}
		}
		return do{fmt.Sprintf("withdraw firm=%s issuer=%s of=%s no=%s by=%s", firm, by, of, no, by), "", func(m *model) string { return m.withdraw(by, key) }}
	case k < 16: // an application for repair
		promise := func(firm string) string {
			return s.some(s.codes, func(k string) bool {
				c := s.m.commitments[k]
				return c.firm == firm && c.kind == 4 && c.visible() && c.state == "supervised"
			})
		}
		key := s.some(s.keys, func(k string) bool {
			p := s.m.penalties[k]
			return (p.state == "published" || p.state == "unpublished") && p.min <= s.m.today && s.m.repairBars[p.firm] < s.m.today &&
				s.m.commitments[promise(p.firm)].firm == p.firm
		})
		of, no, firm := splitKey(key)
		code := promise(firm)
		app := "A" + strconv.Itoa(s.n)
		name := app + "/" + key
		s.apps = append(s.apps, name)
		return do{
			fmt.Sprintf("apply firm=%s issuer=%s no=%s application=%s commitment=%s by=ops", firm, of, no, app, code), "",
			func(m *model) string { return m.apply(name, mRepair{firm: firm, target: key, commitment: code}) },
		}
	default: // a decision on one
		verb := pick(r, "accept-repair", "accept-repair", "accept-repair", "approve", "approve", "approve", "approve", "refuse", "revoke", "supplement", "refile", "extend", "execute", "track")
		name := s.some(s.apps, func(k string) bool {
			switch st := s.m.repairs[k].state; verb {
			case "accept-repair", "supplement":
				return st == "pending"
			case "refuse":
				return st == "pending" || st == "accepted"
			case "approve":
				return st == "accepted" || st == "pending" && s.m.repairs[k].simple
			case "extend":
				return st == "accepted"
			case "revoke", "execute", "track":
				return st == "effective"
			case "refile":
				return st == "supplement"
			}
			return false
		})
		if name == "none" {
			return s.next()
		}
		app, key, _ := strings.Cut(name, "/")
		of, no, firm := splitKey(key)
		by := of
		if r.IntN(12) == 0 {
			by = pick(r, simAgencies...)
		}
		signer := by
		if verb == "refile" {
			signer = "ops"
		}
		return do{
			fmt.Sprintf("%s firm=%s issuer=%s of=%s no=%s application=%s by=%s", verb, firm, by, of, no, app, signer), "",
			func(m *model) string { return m.decide(verb, by, name) },
		}
	}
}

func dateArg(d int) string {
	if d == 0 {
		return "none"
	}
	return dayName(d)
}

// splitKey takes a penalty's key apart: issuer, number, firm.
func splitKey(key string) (issuer, no, firm string) {
	parts := strings.SplitN(key+"//", "/", 4)
	if key == "none" {
		return "zz-scjg", "0", "A"
	}
	return parts[0], parts[1], parts[2]
}

func simulate(t *testing.T, seed uint64, blocks int) {
	s := &sim{
		Script: NewScript(t, Options{Checks: true, Dirs: []string{"", t.TempDir()}}),
		t:      t, r: rand.New(rand.NewPCG(seed, 1)), m: newModel(), lines: map[string]string{},
	}
	defer s.Close()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d; the last commands:\n%s", seed, strings.Join(s.log[max(0, len(s.log)-25):], "\n"))
		}
	}()
	s.firms["G"] = USCC("91410100", "Y00999")
	for _, f := range []string{"A", "B", "C", "D", "E", "F"} {
		if r := s.Run(&datadriven.TestData{Cmd: "enrol", CmdArgs: []datadriven.CmdArg{{Key: "firm", Vals: []string{f}}}}); r != "OK" {
			t.Fatal(r)
		}
		s.m.firms[f] = true
	}
	answers := map[string]int{}
	for range blocks {
		if s.r.IntN(4) == 0 {
			s.GoTo(s.Today().AddDays(1 + pick(s.r, 0, s.r.IntN(5), s.r.IntN(10), s.r.IntN(40), s.r.IntN(100))))
		}
		switch s.r.IntN(25) {
		case 0:
			s.Reopen(1)
		case 1: // executed and lost
			_, err := s.Apps[1].FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Height: s.Height() + 1, Time: s.now})
			must(t, err)
			s.Reopen(1)
		}
		s.m.begin(int(s.Today()))
		s.log = append(s.log, "--- "+s.Today().String())
		var (
			txs   [][]byte
			wants [][]string
		)
		for range s.r.IntN(6) {
			tx, want := s.tx()
			txs, wants = append(txs, tx), append(wants, want)
		}
		s.m.end()
		results := s.Block(txs...)
		if len(results) != len(txs) {
			t.Fatalf("%d of %d transactions are in the block", len(results), len(txs))
		}
		for i, r := range results {
			s.judge(r, wants[i], answers)
		}
		s.compare()
		if t.Failed() {
			t.FailNow()
		}
	}
	states := map[string]int{}
	for _, p := range s.m.penalties {
		states["penalty "+p.state]++
	}
	for _, c := range s.m.commitments {
		states["commitment "+c.state]++
	}
	for _, a := range s.m.repairs {
		states["repair "+a.state]++
	}
	t.Logf("seed %d: %v %v alarms %d, until %s", seed, answers, states, len(s.m.alarms), s.Today())
}

// tx makes a transaction of one to four messages and says what the model expects of each.
func (s *sim) tx() ([]byte, []string) {
	var (
		msgs   []pb.Msg
		want   []string
		signer string
		before = s.m.clone()
		bad    bool
	)
	size := pick(s.r, 1, 1, 1, 1+s.r.IntN(4))
	for tries := 0; len(msgs) < size && tries < 20; tries++ {
		d := s.next()
		cmd, args, err := datadriven.ParseLine(d.line)
		must(s.t, err)
		msg, by := s.message(&datadriven.TestData{Cmd: cmd, CmdArgs: args})
		if msg == nil {
			s.t.Fatalf("no command: %s", d.line)
		}
		if signer != "" && by != signer {
			continue
		}
		signer = by
		answer := d.apply(s.m)
		bad = bad || answer != ok && answer != again
		msgs, want = append(msgs, *msg), append(want, answer)
		s.log = append(s.log, fmt.Sprintf("%d/%d %s → %s", len(msgs), size, d.line, answer))
	}
	if bad { // all or nothing
		s.m = before
	}
	return s.Sign(signer, msgs...), want
}

func (s *sim) judge(r *abci.ExecTxResult, want []string, answers map[string]int) {
	s.t.Helper()
	var res pb.TxResult
	must(s.t, pb.Decode(r.Data, &res))
	if len(res.Results) != len(want) {
		s.t.Fatalf("%d results, want %d: %s", len(res.Results), len(want), r.Log)
	}
	for i, m := range res.Results {
		got := ok
		switch {
		case m.Code != 0:
			rej, found := x.ByNumber(m.Code)
			if !found {
				s.t.Fatalf("result %d is not declared", m.Code)
			}
			got = rej.Code
		case m.Note == x.AlreadyRecorded:
			got = again
		}
		answers[want[i]]++
		if got != want[i] && (want[i] != no || !strings.HasPrefix(got, "E_")) {
			s.t.Errorf("message %d: the ledger says %s, the model %s (%s)", i, got, want[i], r.Log)
		}
	}
}

var (
	stateOfRecord = map[string]pb.RecordState{
		"registered": pb.RECORD_REGISTERED, "published": pb.RECORD_PUBLISHED, "unpublished": pb.RECORD_UNPUBLISHED,
		"repaired": pb.RECORD_REPAIRED, "expired": pb.RECORD_EXPIRED, "withdrawn": pb.RECORD_WITHDRAWN,
	}
	stateOfCommitment = map[string]pb.CommitmentState{
		"pending": pb.COMMITMENT_PENDING, "supervised": pb.COMMITMENT_SUPERVISED, "due": pb.COMMITMENT_DUE, "fulfilled": pb.COMMITMENT_FULFILLED,
		"breached": pb.COMMITMENT_BREACHED, "cured": pb.COMMITMENT_CURED, "rejected": pb.COMMITMENT_REJECTED, "withdrawn": pb.COMMITMENT_WITHDRAWN,
	}
	stateOfRepair = map[string]pb.RepairState{
		"pending": pb.REPAIR_PENDING, "supplement": pb.REPAIR_SUPPLEMENT, "accepted": pb.REPAIR_ACCEPTED, "effective": pb.REPAIR_EFFECTIVE,
		"refused": pb.REPAIR_REFUSED, "not accepted": pb.REPAIR_NOT_ACCEPTED, "revoked": pb.REPAIR_REVOKED, "moot": pb.REPAIR_MOOT,
	}
)

// compare holds the ledger against the model: every record, what the public sees, and who is barred.
func (s *sim) compare() {
	t, m := s.t, s.m
	s.Read(func(r x.Reader) {
		for code, c := range m.commitments {
			got, found := commitment.Get(r, code)
			if !found || got.State != stateOfCommitment[c.state] || commitment.Public(got) != c.visible() || got.Content.Subject != s.firms[c.firm] {
				t.Errorf("commitment %s: %v, model %+v", code, got, c)
			}
		}
		for key, p := range m.penalties {
			issuer, no, firm := splitKey(key)
			id := sanction.PenaltyID(s.agency(issuer), docNo(no), s.firms[firm])
			got, found := sanction.Get(r, id[:])
			if !found || sanction.StateOf(got) != stateOfRecord[p.state] || (got.State == pb.RECORD_ARCHIVED) != p.archived(m.today) || int(got.Class) != p.class || int(got.PublishBy) != p.publishBy ||
				int(got.MinUntil) != p.min || int(got.MaxUntil) != p.max || int(got.PublishedOn) != p.published || int(got.EndedOn) != p.ended {
				t.Errorf("penalty %s: %v, model %+v", key, got, p)
			}
		}
		for name, a := range m.repairs {
			app, key, _ := strings.Cut(name, "/")
			issuer, no, firm := splitKey(key)
			target := sanction.PenaltyID(s.agency(issuer), docNo(no), s.firms[firm])
			id := repair.ID(s.agency(issuer), app, s.firms[firm], target[:])
			if got, found := repair.Get(r, id[:]); !found || got.State != stateOfRepair[a.state] || int(got.AcceptBy) != a.acceptBy ||
				int(got.DecideBy) != a.decideBy || int(got.TotalBy) != a.totalBy || int(got.ExecuteBy) != a.executeBy || int(got.TrackBy) != a.trackBy {
				t.Errorf("repair %s: %v, model %+v", name, got, a)
			}
		}
		commitments, penalties, alarms := 0, 0, 0
		for firm := range m.firms {
			uscc := s.firms[firm]
			s.compareStanding(r, firm)
			if _, barred := commitment.Barred(r, uscc); barred != m.barred(firm) {
				t.Errorf("%s: barred %v, model %v", firm, barred, m.barred(firm))
			}
			until, barred := repair.Barred(r, uscc, calendar.Date(m.today))
			if want := m.repairBars[firm]; barred != (want >= m.today) || barred && int(until) != want {
				t.Errorf("%s: barred from repair until %s, model %s", firm, until, dateArg(want))
			}
			commitment.Each(r, uscc, func(*pb.Commitment) bool { commitments++; return true })
			sanction.Each(r, uscc, func(*pb.Dishonesty) bool { penalties++; return true })
			subject.Alarms(r, uscc, func(a *pb.Alarm) bool { alarms++; return true })
		}
		if commitments != len(m.commitments) || penalties != len(m.penalties) || alarms != len(m.alarms) {
			t.Errorf("%d commitments, %d penalties and %d alarms; model %d, %d, %d",
				commitments, penalties, alarms, len(m.commitments), len(m.penalties), len(m.alarms))
		}
	})
}

func (s *sim) compareStanding(r x.Reader, firm string) {
	raw, found := standing.Get(r, s.firms[firm])
	if !found {
		s.t.Errorf("%s has no standing", firm)
		return
	}
	st := new(pb.Standing)
	must(s.t, pb.Decode(raw, st))
	var got, want []string
	for _, c := range st.Commitments {
		got = append(got, fmt.Sprint(c.Code, c.State))
	}
	for _, p := range st.Penalties {
		got = append(got, fmt.Sprint(p.DocNo, p.Class, p.MinUntil, p.MaxUntil))
	}
	counts := pb.StandingCounts{}
	for code, c := range s.m.commitments {
		if c.firm == firm && c.visible() {
			want = append(want, fmt.Sprint(code, stateOfCommitment[c.state]))
			counts.Commitments++
			if c.state == "breached" {
				counts.Breached++
			}
		}
	}
	for _, p := range s.m.penalties {
		if p.firm == firm && p.state == "published" {
			want = append(want, fmt.Sprint(docNo(p.no), pb.Severity(p.class), p.min, p.max))
			counts.Penalties++
			*[...]*uint32{1: &counts.Minor, 2: &counts.General, 3: &counts.Serious}[p.class]++
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || st.Counts != counts || st.MayPromise != s.m.mayPromise(firm) {
		s.t.Errorf("%s: the public sees %v %+v may_promise=%v,\nthe model %v %+v %v", firm, got, st.Counts, st.MayPromise, want, counts, s.m.mayPromise(firm))
	}
}
