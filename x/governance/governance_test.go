package governance_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/xtest"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// script speaks of agencies by short names. All codes, keys and names are made up.
type script struct {
	t     *testing.T
	mem   *xtest.Memory
	ctx   *x.Ctx
	rules governance.Rules
	codes map[string]string
	names map[string]string
}

func newScript(t *testing.T) *script {
	mem := xtest.NewMemory()
	s := &script{
		t: t, mem: mem, codes: map[string]string{}, names: map[string]string{},
		ctx:   &x.Ctx{State: mem, Touched: map[string]struct{}{}},
		rules: governance.Rules{QuorumPermille: 667, MemberQuorumPermille: 667, RuleNoticeDays: 30, TableNoticeDays: 7, VotingDays: 14},
	}
	s.today("2026-07-15")
	return s
}

func (s *script) today(date string) {
	d, err := calendar.ParseDate(date)
	if err != nil {
		s.t.Fatal(err)
	}
	s.ctx.Today, s.ctx.LegalTime = d, calendar.StartUnix(d)
}

func (s *script) uscc(name string) string {
	if c, ok := s.codes[name]; ok {
		return c
	}
	c := code.CompleteUSCC("11410000", fmt.Sprintf("%08d", len(s.codes)+1))
	s.codes[name], s.names[c] = c, name
	return c
}

func addr(name string) []byte {
	h := sha256.Sum256([]byte(name))
	return h[:20]
}

// members writes a consortium: name=governor, name=validator, name=both, name=plain.
func (s *script) members(d *datadriven.TestData) string {
	var g pb.Genesis
	for _, a := range d.CmdArgs {
		name, what := a.Key, a.Vals[0]
		m := pb.Member{Uscc: s.uscc(name), Name: "样例机关", Level: pb.LEVEL_PROVINCE}
		role := pb.ROLE_RECORD
		if what == "governor" || what == "both" {
			role = pb.ROLE_GOVERNOR
		}
		m.Keys = []*pb.MemberKey{{Address: addr(name), Roles: []pb.Role{role}}}
		if what == "both" {
			k := sha256.Sum256([]byte("validator " + name))
			m.ValidatorKey, m.ValidatorPower = k[:], 1
		}
		g.Members = append(g.Members, m)
	}
	return s.result(member.Import(s.ctx, &g))
}

func (s *script) action(words []string) pb.Action {
	switch words[0] {
	case "param":
		v, _ := strconv.ParseInt(words[2], 10, 64)
		return pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: words[1], Value: v}}}
	case "severity":
		return pb.Action{Sum: &pb.Action_PutSeverityRule{PutSeverityRule: &pb.SeverityRule{Sector: words[1]}}}
	case "template":
		return pb.Action{Sum: &pb.Action_PutTemplate{PutTemplate: &pb.CommitmentTemplate{Version: 1}}}
	case "calendar":
		return pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: &pb.CalendarYear{Year: 2027}}}
	case "region":
		return pb.Action{Sum: &pb.Action_PutRegion{PutRegion: &pb.RegionChange{}}}
	case "remove":
		return pb.Action{Sum: &pb.Action_RemoveMember{RemoveMember: s.uscc(words[1])}}
	case "admit": // admit WHO [KEY]
		return pb.Action{Sum: &pb.Action_PutMember{PutMember: &pb.Member{
			Uscc: s.uscc(words[1]), Name: "样例机关", Level: pb.LEVEL_PROVINCE,
			Keys: []*pb.MemberKey{{Address: addr(words[len(words)-1]), Roles: []pb.Role{pb.ROLE_GOVERNOR}}},
		}}}
	case "none":
		return pb.Action{}
	}
	s.t.Fatalf("unknown action %v", words)
	return pb.Action{}
}

// check and apply stand for package app, which sends an action to the module that it belongs to.
func (s *script) check(a *pb.Action) error {
	switch sum := a.Sum.(type) {
	case *pb.Action_RemoveMember:
		return member.CheckRemove(s.ctx, s.ctx.Today, sum.RemoveMember)
	case *pb.Action_PutMember:
		return member.CheckPut(s.ctx, s.ctx.Today, sum.PutMember)
	}
	return nil
}

func (s *script) apply(a *pb.Action) error {
	switch sum := a.Sum.(type) {
	case *pb.Action_RemoveMember:
		return member.Remove(s.ctx, sum.RemoveMember)
	case *pb.Action_PutMember:
		return member.Put(s.ctx, sum.PutMember)
	}
	return nil
}

// block works off the timers that are due, as package app does.
func (s *script) block() string {
	due, _ := x.DueTimers(s.ctx, x.Decided, s.ctx.LegalTime, 100)
	out := ""
	for _, t := range due {
		switch t.Kind {
		case x.TimerProposalClose:
			governance.Close(s.ctx, t.ID)
			out += fmt.Sprintf("%x lapses\n", t.ID)
		case x.TimerProposalEffective:
			a, err := governance.Effective(s.ctx, t.ID)
			if err != nil {
				s.t.Fatal(err)
			}
			out += fmt.Sprintf("%x takes effect\n", t.ID)
			if err := s.apply(a); err != nil {
				governance.Refuse(s.ctx, t.ID)
				out += s.result(err)
			}
		}
	}
	if out == "" {
		out = "nothing is due\n"
	}
	return out
}

func (s *script) result(err error) string {
	if err == nil {
		return "ok\n"
	}
	out := err.Error() + "\n"
	for c, name := range s.names {
		out = strings.ReplaceAll(out, c, name)
		out = strings.ReplaceAll(out, fmt.Sprintf("%x", addr(name)), name+"'s")
	}
	return out
}

func (s *script) show(id []byte, done x.Done, err error) string {
	if err != nil {
		return s.result(err)
	}
	if done.Record != nil {
		id = done.Record
	}
	n, _ := strconv.ParseUint(fmt.Sprintf("%x", id), 16, 64)
	p, ok := governance.Get(s.mem, n)
	if !ok {
		return "none\n"
	}
	var ballots []string
	for _, b := range p.Ballots {
		yes := "no"
		if b.Yes {
			yes = "yes"
		}
		ballots = append(ballots, s.names[b.Member]+"="+yes)
	}
	out := fmt.Sprintf("%d %s by %s [%s] opened %s closes %s", p.Id, strings.TrimPrefix(p.State.String(), "PROPOSAL_"), s.names[p.Proposer],
		strings.Join(ballots, " "), calendar.Date(p.OpenedOn), calendar.Date(p.ClosesOn))
	if p.EffectiveOn != 0 {
		out += " effective " + calendar.Date(p.EffectiveOn).String()
	}
	return out + "\n"
}

func (s *script) run(d *datadriven.TestData) string {
	before := s.mem.Clone()
	out := s.step(d)
	if strings.HasPrefix(out, "E_") && !s.mem.Equal(before) {
		s.t.Errorf("%s: a refusal has written something", d.Pos)
	}
	for _, check := range []func(x.Reader) error{governance.Check, member.Check} {
		if len(s.mem.Rows) > 0 {
			if err := check(s.mem); err != nil {
				s.t.Errorf("%s: %v", d.Pos, err)
			}
		}
	}
	return out
}

func (s *script) step(d *datadriven.TestData) string {
	switch d.Cmd {
	case "members":
		return s.members(d)
	case "today":
		s.today(d.CmdArgs[0].Key)
		return s.block()
	case "late": // a day on which the timers have to wait
		s.today(d.CmdArgs[0].Key)
		return "ok\n"
	case "block":
		return s.block()
	case "quorum":
		s.rules.QuorumPermille, _ = strconv.ParseInt(d.CmdArgs[0].Key, 10, 64)
		return "ok\n"
	case "propose": // propose WHO action…
		var words []string
		digest := make([]byte, 32)
		for _, a := range d.CmdArgs {
			if a.Key == "digest" {
				n, _ := strconv.Atoi(a.Vals[0])
				digest = digest[:n]
				continue
			}
			words = append(words, a.Key)
		}
		s.ctx.Signer = addr(words[0])
		done, err := governance.Propose(s.ctx, &pb.Propose{Issuer: s.uscc(words[0]), Action: s.action(words[1:]), ReasonDigest: digest}, s.rules, s.check)
		return s.show(nil, done, err)
	case "vote": // vote WHO NUMBER yes|no
		n, _ := strconv.ParseUint(d.CmdArgs[1].Key, 10, 64)
		s.ctx.Signer = addr(d.CmdArgs[0].Key)
		done, err := governance.Vote(s.ctx, &pb.Vote{Issuer: s.uscc(d.CmdArgs[0].Key), Proposal: n, Yes: d.CmdArgs[2].Key == "yes"}, s.rules)
		return s.show(nil, done, err)
	case "effective": // a call out of turn
		n, _ := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
		_, err := governance.Effective(s.ctx, governance.ID(n))
		return s.result(err)
	case "show":
		n, _ := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
		return s.show(governance.ID(n), x.Done{}, nil)
	case "governors":
		out := ""
		for _, g := range member.Governors(s.mem, s.ctx.Today) {
			out += s.names[g] + " "
		}
		return strings.TrimSpace(out) + "\n"
	}
	s.t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newScript(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.run(d)
		})
	})
}

// Each refusal of this module is reached by a script, but the one that takes too many proposals (TestOpenBound).
func TestEveryRefusal(t *testing.T) {
	var all strings.Builder
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	n := 0
	for _, r := range x.Refusals() {
		if r.Number/100 == 4 {
			n++
			if r.Number != governance.ErrTooManyOpen.Number && !strings.Contains(all.String(), "\n"+r.Code+":") {
				t.Errorf("no script reaches %d %s", r.Number, r.Code)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d refusals are declared, 6 are known: add the new one to the scripts", n)
	}
}

func three(t *testing.T) *script {
	s := newScript(t)
	if out := s.members(&datadriven.TestData{CmdArgs: []datadriven.CmdArg{
		{Key: "a", Vals: []string{"both"}}, {Key: "b", Vals: []string{"governor"}}, {Key: "c", Vals: []string{"governor"}},
	}}); out != "ok\n" {
		t.Fatal(out)
	}
	return s
}

func (s *script) propose(who string, words ...string) error {
	s.ctx.Signer = addr(who)
	_, err := governance.Propose(s.ctx, &pb.Propose{Issuer: s.uscc(who), Action: s.action(words), ReasonDigest: make([]byte, 32)}, s.rules, s.check)
	return err
}

func TestOpenBound(t *testing.T) {
	s := three(t)
	for i := range 32 {
		if err := s.propose("a", "param", "voting_days", strconv.Itoa(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.propose("a", "calendar"); !governance.ErrTooManyOpen.Is(err) {
		t.Errorf("proposal 33: %v", err)
	}
	if err := s.propose("b", "calendar"); err != nil {
		t.Errorf("another member: %v", err)
	}
	// Decided ones make room.
	for _, who := range []string{"b", "c"} {
		s.ctx.Signer = addr(who)
		if _, err := governance.Vote(s.ctx, &pb.Vote{Issuer: s.uscc(who), Proposal: 1, Yes: true}, s.rules); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.propose("a", "calendar"); err != nil {
		t.Errorf("after a decision: %v", err)
	}
}

// What counts as a quorum for each size of the consortium.
func TestQuorum(t *testing.T) {
	for _, c := range []struct {
		permille  int64
		governors int
		need      int
	}{
		{667, 1, 1},
		{667, 2, 2},
		{667, 3, 3}, // two of three are 666.67 ‰: not more than two thirds
		{666, 3, 2},
		{667, 4, 3},
		{667, 6, 5},
		{667, 7, 5},
		{667, 30, 21},
		{1000, 4, 4},
		{501, 4, 3},
	} {
		s := newScript(t)
		s.rules.QuorumPermille = c.permille
		list := []datadriven.CmdArg{{Key: "m0", Vals: []string{"both"}}}
		for i := 1; i < c.governors; i++ {
			list = append(list, datadriven.CmdArg{Key: fmt.Sprint("m", i), Vals: []string{"governor"}})
		}
		if out := s.members(&datadriven.TestData{CmdArgs: list}); out != "ok\n" {
			t.Fatal(out)
		}
		if err := s.propose("m0", "calendar"); err != nil {
			t.Fatal(err)
		}
		for yes := 1; ; yes++ {
			p, _ := governance.Get(s.mem, 1)
			if passed := p.State == pb.PROPOSAL_PASSED; passed != (yes >= c.need) {
				t.Errorf("%d ‰ of %d: %d yes, passed %t, want %d", c.permille, c.governors, yes, passed, c.need)
			}
			if p.State != pb.PROPOSAL_OPEN || yes == c.governors {
				break
			}
			who := fmt.Sprint("m", yes)
			s.ctx.Signer = addr(who)
			if _, err := governance.Vote(s.ctx, &pb.Vote{Issuer: s.uscc(who), Proposal: 1, Yes: true}, s.rules); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Rules that nobody filled in are a bug of the caller.
func TestRulesMustBeFilledIn(t *testing.T) {
	s := three(t)
	s.rules = governance.Rules{}
	defer func() {
		if recover() == nil {
			t.Error("a proposal was decided by no quorum")
		}
	}()
	_ = s.propose("a", "calendar")
}

// A timer without its proposal, or of another state, is a fault of this machine.
func TestTimerWithoutProposalIsAFault(t *testing.T) {
	s := three(t)
	if err := s.propose("a", "calendar"); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(){
		"close, no such proposal":     func() { governance.Close(s.ctx, governance.ID(9)) },
		"close, short id":             func() { governance.Close(s.ctx, []byte{1}) },
		"effective, no such proposal": func() { _, _ = governance.Effective(s.ctx, governance.ID(9)) },
		"refuse what has no effect":   func() { governance.Refuse(s.ctx, governance.ID(1)) },
		"close twice":                 func() { governance.Close(s.ctx, governance.ID(1)); governance.Close(s.ctx, governance.ID(1)) },
	} {
		func() {
			defer func() {
				if _, ok := recover().(x.Fault); !ok {
					t.Errorf("%s: no fault", name)
				}
			}()
			call()
		}()
	}
}

func TestCheckFindsDamage(t *testing.T) {
	timer := func(s *script) []byte {
		for k := range s.mem.Rows {
			if k[0] == 0x01 {
				return []byte(k)
			}
		}
		return nil
	}
	row := func(s *script, edit func(*pb.Proposal)) {
		p, _ := governance.Get(s.mem, 1)
		edit(p)
		s.mem.Set(x.Key(0x18, governance.ID(1)), x.EncodeRow(p))
	}
	for name, edit := range map[string]func(*script){
		"a timer is lost": func(s *script) { s.mem.Delete(timer(s)) },
		"a timer too many": func(s *script) {
			x.Reschedule(s.ctx, nil, []x.Timer{{Class: x.Decided, Due: 1, Kind: x.TimerProposalEffective, ID: governance.ID(1)}})
		},
		"the open index lost a row":     func(s *script) { s.mem.Delete(x.Key(0x19, governance.ID(1))) },
		"the open index has one more":   func(s *script) { s.mem.Set(x.Key(0x19, governance.ID(7)), nil) },
		"the counter is gone":           func(s *script) { s.mem.Delete([]byte{0x1a}) },
		"a proposal is gone":            func(s *script) { s.mem.Delete(x.Key(0x18, governance.ID(1))) },
		"another state":                 func(s *script) { row(s, func(p *pb.Proposal) { p.State = pb.PROPOSAL_PASSED }) },
		"no state":                      func(s *script) { row(s, func(p *pb.Proposal) { p.State = 0 }) },
		"no action":                     func(s *script) { row(s, func(p *pb.Proposal) { p.Action.Sum = nil }) },
		"effect before the opening day": func(s *script) { row(s, func(p *pb.Proposal) { p.EffectiveOn = p.OpenedOn - 1 }) },
		"a ballot twice":                func(s *script) { row(s, func(p *pb.Proposal) { p.Ballots = append(p.Ballots, p.Ballots[0]) }) },
	} {
		s := three(t)
		if err := s.propose("a", "calendar"); err != nil {
			t.Fatal(err)
		}
		if err := governance.Check(s.mem); err != nil {
			t.Fatal(err)
		}
		edit(s)
		if governance.Check(s.mem) == nil {
			t.Errorf("%s: Check sees nothing", name)
		}
	}
}

// Timers and the open index can be rebuilt from the proposals alone.
func TestRebuild(t *testing.T) {
	s := three(t)
	for _, words := range [][]string{{"calendar"}, {"param", "voting_days", "5"}, {"remove", "c"}} {
		if err := s.propose("a", words...); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"b", "c"} {
		s.ctx.Signer = addr(who)
		if _, err := governance.Vote(s.ctx, &pb.Vote{Issuer: s.uscc(who), Proposal: 2, Yes: true}, s.rules); err != nil {
			t.Fatal(err)
		}
	}
	rebuilt := s.mem.Clone()
	for k := range rebuilt.Rows {
		if k[0] == 0x01 || k[0] == 0x19 {
			delete(rebuilt.Rows, k)
		}
	}
	governance.Derive(s.mem, func(key, value []byte) { rebuilt.Rows[string(key)] = value })
	governance.Timers(s.mem, func(tm x.Timer) { x.Reschedule(&x.Ctx{State: rebuilt}, nil, []x.Timer{tm}) })
	if !rebuilt.Equal(s.mem) {
		t.Error("what was rebuilt differs")
	}
	// Genesis carries no proposals.
	var g pb.Genesis
	governance.Export(s.mem, &g)
	if err := governance.Import(s.ctx, &g); err != nil {
		t.Fatal(err)
	}
}
