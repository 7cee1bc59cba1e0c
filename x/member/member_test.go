package member_test

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
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/xtest"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// script speaks of agencies and keys by short names. All codes, keys and names are made up.
type script struct {
	t     *testing.T
	mem   *xtest.Memory
	ctx   *x.Ctx
	names map[string]string // code or address → name, for output
	codes map[string]string // name → code
}

func newScript(t *testing.T) *script {
	mem := xtest.NewMemory()
	s := &script{t: t, mem: mem, names: map[string]string{}, codes: map[string]string{}}
	s.ctx = &x.Ctx{State: mem, Today: day(t, "2026-07-15"), Touched: map[string]struct{}{}}
	return s
}

func day(t *testing.T, s string) calendar.Date {
	t.Helper()
	if s == "" || s == "0" {
		return 0
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

// uscc gives a name a code: always the same for the same order of names.
func (s *script) uscc(name string) string {
	if strings.HasPrefix(name, "raw:") {
		return name[4:]
	}
	if c, ok := s.codes[name]; ok {
		return c
	}
	c := code.CompleteUSCC("11410100", fmt.Sprintf("%08d", len(s.codes)+1))
	s.codes[name] = c
	s.names[c] = name
	return c
}

func (s *script) addr(name string) []byte {
	h := sha256.Sum256([]byte(name))
	s.names[fmt.Sprintf("%x", h[:20])] = name
	return h[:20]
}

func (s *script) result(err error) string {
	out := "ok"
	if err != nil {
		out = err.Error()
		if _, ok := err.(*x.Rejection); !ok {
			out = "not a refusal: " + out
		}
	}
	return s.named(out) + "\n"
}

func (s *script) named(out string) string {
	for c, name := range s.names {
		out = strings.ReplaceAll(out, c, name)
	}
	return out
}

type args map[string][]string

func argsOf(list []datadriven.CmdArg) args {
	a := args{}
	for _, c := range list {
		if len(c.Vals) == 1 && c.Vals[0] == "" { // key=()
			c.Vals = nil
		}
		a[c.Key] = c.Vals
	}
	return a
}

func (a args) one(key string) string {
	if v := a[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (a args) num(key string) int64 {
	n, _ := strconv.ParseInt(a.one(key), 10, 64)
	return n
}

func (a args) has(key string) bool { _, ok := a[key]; return ok }

func roles(names []string) (out []pb.Role) {
	for _, n := range names {
		v, ok := pb.Role_value["ROLE_"+n]
		if !ok {
			i, _ := strconv.Atoi(n)
			v = int32(i)
		}
		out = append(out, pb.Role(v))
	}
	return out
}

func kinds(names []string) (out []pb.MandateKind) {
	for _, n := range names {
		v, ok := pb.MandateKind_value["MANDATE_"+n]
		if !ok {
			i, _ := strconv.Atoi(n)
			v = int32(i)
		}
		out = append(out, pb.MandateKind(v))
	}
	return out
}

func numbers(names []string) (out []uint32) {
	for _, n := range names {
		i, _ := strconv.Atoi(n)
		out = append(out, uint32(i))
	}
	return out
}

// row reads a member: the first line's arguments, then one line for each key and competence.
func (s *script) row(name string, a args, input string) *pb.Member {
	m := &pb.Member{Uscc: s.uscc(name), Name: "样例机关", Level: pb.LEVEL_COUNTY, Regions: a["regions"]}
	if a.has("name") {
		m.Name = strings.ReplaceAll(a.one("name"), "_", " ")
	}
	if n := int(a.num("manyregions")); n > 0 {
		for i := range n {
			m.Regions = append(m.Regions, fmt.Sprint(410000+i))
		}
	}
	if a.has("longname") {
		m.Name = strings.Repeat("长", int(a.num("longname")))
	}
	if a.has("level") {
		m.Level = pb.Level(a.num("level"))
	}
	if a.has("validator") {
		k := sha256.Sum256([]byte("validator " + a.one("validator")))
		m.ValidatorKey = k[:]
		m.ValidatorPower = 1
	}
	if a.has("power") {
		m.ValidatorPower = a.num("power")
	}
	if a.has("keybytes") {
		m.ValidatorKey = make([]byte, a.num("keybytes"))
	}
	m.Removed = a.has("removed")
	m.System, m.Authority, m.CreditChina, m.Holder = a.one("system"), a.has("authority"), a.has("credit-china"), a.has("holder")
	if a.has("successor") {
		m.Successor = s.uscc(a.one("successor"))
	}
	for _, line := range strings.Split(input, "\n") {
		if line == "" {
			continue
		}
		cmd, list, err := datadriven.ParseLine(line)
		if err != nil {
			s.t.Fatal(err)
		}
		b := argsOf(list)
		from, to := int32(day(s.t, b.one("from"))), int32(day(s.t, b.one("to")))
		switch cmd {
		case "key":
			addr := s.addr(list[0].Key)
			if b.has("bytes") {
				addr = addr[:b.num("bytes")]
			}
			n := 1
			if b.has("times") {
				n = int(b.num("times"))
			}
			for i := 0; i < n; i++ {
				if i > 0 {
					addr = s.addr(fmt.Sprint(list[0].Key, i))
				}
				m.Keys = append(m.Keys, &pb.MemberKey{Address: addr, Roles: roles(b["roles"]), ValidFrom: from, ValidTo: to, Name: b.one("name")})
			}
		case "competence":
			c := &pb.Competence{PowerCode: b.one("power"), PenaltyKinds: numbers(b["kinds"]), Regions: b["regions"], ValidFrom: from, ValidTo: to, Delegation: b.one("delegation")}
			c.Lists, c.Measures, c.Abnormal, c.Other = b["lists"], b["measures"], b.has("abnormal"), b.has("other")
			for i := range b.num("many") {
				c.Lists = append(c.Lists, fmt.Sprintf("L%03d", i))
			}
			if b.has("badto") {
				c.ValidTo = int32(b.num("badto"))
			}
			if b.has("badfrom") {
				c.ValidFrom = int32(b.num("badfrom"))
			}
			for n := max(b.num("times"), 1); n > 0; n-- {
				m.Competences = append(m.Competences, c)
			}
		default:
			s.t.Fatalf("unknown line %q", line)
		}
	}
	return m
}

func (s *script) run(d *datadriven.TestData) string {
	a := argsOf(d.CmdArgs)
	name := ""
	if len(d.CmdArgs) > 0 && len(d.CmdArgs[0].Vals) == 0 {
		name = d.CmdArgs[0].Key
	}
	before := s.mem.Clone()
	out := s.step(d.Cmd, name, a, d.Input)
	if strings.HasPrefix(out, "E_") && !s.mem.Equal(before) {
		s.t.Errorf("%s: a refusal has written something", d.Pos)
	}
	if len(s.mem.Rows) > 0 && d.Cmd != "break" {
		if err := member.Check(s.mem); err != nil {
			s.t.Errorf("%s: %v", d.Pos, err)
		}
	}
	return out
}

func (s *script) step(cmd, name string, a args, input string) string {
	switch cmd {
	case "today":
		s.ctx.Today = day(s.t, name)
		return "ok\n"
	case "admit":
		return s.result(member.Put(s.ctx, s.row(name, a, input)))
	case "remove":
		return s.result(member.Remove(s.ctx, s.uscc(name)))
	case "act":
		s.ctx.Signer = s.addr(name)
		m, err := member.Act(s.ctx, s.uscc(a.one("for")), roles(a["role"])[0], append(kinds(a["mandate"]), pb.MANDATE_UNSET)[0])
		if err == nil && m.Uscc != s.uscc(a.one("for")) {
			s.t.Errorf("Act gave another issuer")
		}
		return s.result(err)
	case "act-on":
		s.ctx.Signer = s.addr(name)
		m, err := member.ActOn(s.ctx, s.uscc(a.one("for")), roles(a["role"])[0], append(kinds(a["mandate"]), pb.MANDATE_UNSET)[0])
		if err != nil {
			return s.result(err)
		}
		return s.named("ok: " + m.Uscc + "\n")
	case "succeed":
		return s.result(member.PutSuccessor(s.ctx, &pb.Succession{Member: s.uscc(name), Successor: func() string {
			if a.one("by") == "" {
				return ""
			}
			return s.uscc(a.one("by"))
		}()}))
	case "predecessors":
		return s.named(strings.Join(member.Predecessors(s.mem, s.uscc(name)), " ") + "\n")
	case "whose":
		m, k, ok := member.ByAddress(s.mem, s.addr(name))
		if !ok {
			return "nobody\n"
		}
		return s.named(fmt.Sprintf("%s removed=%t roles=%v\n", m.Uscc, m.Removed, k.Roles))
	case "governors":
		return s.named(strings.Join(member.Governors(s.mem, s.ctx.Today), " ") + "\n")
	case "validators":
		out := ""
		for _, m := range member.Validators(s.mem) {
			out += m.Uscc + " "
		}
		return s.named(strings.TrimSpace(out) + "\n")
	case "grant":
		s.ctx.Signer = s.addr(name)
		done, err := member.GrantMandate(s.ctx, &pb.GrantMandate{Mandate: pb.Mandate{
			Issuer: s.uscc(a.one("from")), Submitter: s.uscc(a.one("to")), Kinds: kinds(a["kinds"]),
			ValidFrom: int32(day(s.t, a.one("begin"))), ValidTo: int32(day(s.t, a.one("end"))),
		}})
		if done.Note != "" {
			return done.Note + "\n"
		}
		return s.result(err)
	case "revoke":
		s.ctx.Signer = s.addr(name)
		_, err := member.RevokeMandate(s.ctx, &pb.RevokeMandate{Issuer: s.uscc(a.one("from")), Submitter: s.uscc(a.one("to"))})
		return s.result(err)
	case "competent":
		m, ok := member.Get(s.mem, s.uscc(name))
		if !ok {
			s.t.Fatalf("%s is no member", name)
		}
		return s.result(member.Competent(m, a["in"], numbers(a["kinds"]), a.one("power"), day(s.t, a.one("on")), a.one("designation")))
	}
	s.t.Fatalf("unknown command %s", cmd)
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

// Each refusal of this module is reached by a script.
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
		if r.Number/100 == 3 {
			n++
			if !strings.Contains(all.String(), "\n"+r.Code+":") {
				t.Errorf("no script reaches %d %s", r.Number, r.Code)
			}
		}
	}
	if n != 15 {
		t.Errorf("%d refusals are declared, 15 are known: add the new one to the scripts", n)
	}
}

// genesis is a small consortium: two governors that validate, a county bureau, a platform.
func genesis(s *script) *pb.Genesis {
	return &pb.Genesis{
		Members: []pb.Member{
			*s.row("gov2", args{"validator": {"2"}}, "key gov2-g roles=(GOVERNOR)"),
			*s.row("gov1", args{"validator": {"1"}}, "key gov1-g roles=(GOVERNOR,REVIEW)"),
			*s.row("county", args{"regions": {"410181"}}, "key county-r roles=(RECORD,REVIEW)\ncompetence regions=(410181) kinds=(1,3)"),
			*s.row("left", args{"removed": nil}, "key left-r roles=(RECORD)"),
		},
		Mandates: []pb.Mandate{
			{Issuer: s.uscc("county"), Submitter: s.uscc("gov1"), Kinds: []pb.MandateKind{pb.MANDATE_PENALTY}},
			{Issuer: s.uscc("gov2"), Submitter: s.uscc("gov1"), Kinds: []pb.MandateKind{pb.MANDATE_PENALTY, pb.MANDATE_PUBLISH}, ValidFrom: 20000, ValidTo: 20100},
		},
	}
}

func TestGenesisRoundTrip(t *testing.T) {
	s := newScript(t)
	if err := member.Import(s.ctx, genesis(s)); err != nil {
		t.Fatal(err)
	}
	if err := member.Check(s.mem); err != nil {
		t.Fatal(err)
	}
	var g pb.Genesis
	member.Export(s.mem, &g)
	again := newScript(t)
	if err := member.Import(again.ctx, &g); err != nil {
		t.Fatal(err)
	}
	if !again.mem.Equal(s.mem) {
		t.Error("export and import do not give the same rows")
	}
}

func TestGenesisRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*pb.Genesis)
		want error
	}{
		{"a member twice", func(g *pb.Genesis) { g.Members = append(g.Members, g.Members[0]) }, member.ErrForm},
		{"a key of two members", func(g *pb.Genesis) { g.Members[2].Keys = g.Members[0].Keys }, member.ErrKeyTaken},
		{"a validator key of two members", func(g *pb.Genesis) { g.Members[2].ValidatorKey = g.Members[0].ValidatorKey }, member.ErrKeyTaken},
		{"no governor", func(g *pb.Genesis) { g.Members = g.Members[2:] }, member.ErrLastGovernor},
		{"no governor today", func(g *pb.Genesis) {
			for i := range g.Members {
				for _, k := range g.Members[i].Keys {
					k.ValidTo = 20000
				}
			}
		}, member.ErrLastGovernor},
		{"no validator", func(g *pb.Genesis) { g.Members[0].ValidatorPower, g.Members[1].ValidatorPower = 0, 0 }, member.ErrLastValidator},
		{"bad row", func(g *pb.Genesis) { g.Members[0].Level = 0 }, x.ErrEnum},
		{"a mandate twice", func(g *pb.Genesis) { g.Mandates = append(g.Mandates, g.Mandates[0]) }, member.ErrMandateForm},
		{"a mandate of a stranger", func(g *pb.Genesis) { g.Mandates[0].Submitter = code.CompleteUSCC("11410100", "99999999") }, member.ErrUnknown},
		{"a mandate of one that left", func(g *pb.Genesis) { g.Mandates[0].Submitter = g.Members[3].Uscc }, member.ErrRemoved},
		{"a mandate without kinds", func(g *pb.Genesis) { g.Mandates[0].Kinds = nil }, member.ErrMandateForm},
	} {
		s := newScript(t)
		g := genesis(s)
		c.edit(g)
		r, ok := member.Import(s.ctx, g).(*x.Rejection)
		if !ok || !r.Is(c.want) {
			t.Errorf("%s: %v, want %v", c.name, r, c.want)
		}
	}
}

// Check must see what the rules never do.
func TestCheckFindsDamage(t *testing.T) {
	index := byte(0x11)
	for name, edit := range map[string]func(*script){
		"an index row is lost":     func(s *script) { s.mem.Delete(x.Key(index, s.addr("county-r"))) },
		"an index row lies":        func(s *script) { s.mem.Set(x.Key(index, s.addr("county-r")), []byte(s.uscc("gov1"))) },
		"an index row is too many": func(s *script) { s.mem.Set(x.Key(index, s.addr("nobody")), []byte(s.uscc("gov1"))) },
		"a row under another key": func(s *script) {
			raw, _ := s.mem.Get(x.Key(0x10, []byte(s.uscc("left"))))
			s.mem.Delete(x.Key(0x10, []byte(s.uscc("left"))))
			s.mem.Set(x.Key(0x10, []byte(s.uscc("another"))), raw)
		},
		"a mandate of nobody": func(s *script) {
			m := &pb.Mandate{Issuer: s.uscc("nobody"), Submitter: s.uscc("gov1"), Kinds: []pb.MandateKind{1}}
			s.mem.Set(x.Key(0x12, []byte(m.Issuer), []byte(m.Submitter)), x.EncodeRow(m))
		},
		"a shared validator key": func(s *script) {
			m, _ := member.Get(s.mem, s.uscc("gov1"))
			o, _ := member.Get(s.mem, s.uscc("gov2"))
			m.ValidatorKey = o.ValidatorKey
			s.mem.Set(x.Key(0x10, []byte(m.Uscc)), x.EncodeRow(m))
		},
		"no validator": func(s *script) {
			for _, n := range []string{"gov1", "gov2"} {
				m, _ := member.Get(s.mem, s.uscc(n))
				m.ValidatorPower = 0
				s.mem.Set(x.Key(0x10, []byte(m.Uscc)), x.EncodeRow(m))
			}
		},
		"a row that is not well formed": func(s *script) {
			m, _ := member.Get(s.mem, s.uscc("gov1"))
			m.Name = ""
			s.mem.Set(x.Key(0x10, []byte(m.Uscc)), x.EncodeRow(m))
		},
	} {
		s := newScript(t)
		if err := member.Import(s.ctx, genesis(s)); err != nil {
			t.Fatal(err)
		}
		edit(s)
		if member.Check(s.mem) == nil {
			t.Errorf("%s: Check sees nothing", name)
		}
	}
}

// A damaged index stops the machine and never becomes a result.
func TestDamagedIndexIsAFault(t *testing.T) {
	s := newScript(t)
	if err := member.Import(s.ctx, genesis(s)); err != nil {
		t.Fatal(err)
	}
	s.mem.Set(x.Key(0x11, s.addr("nobody")), []byte(s.uscc("gov1")))
	s.mem.Set(x.Key(0x11, s.addr("stranger")), []byte(s.uscc("stranger")))
	for _, key := range []string{"nobody", "stranger"} {
		func() {
			defer func() {
				if _, ok := recover().(x.Fault); !ok {
					t.Errorf("%s: no fault", key)
				}
			}()
			member.ByAddress(s.mem, s.addr(key))
		}()
	}
}

// What Derive gives is what the index holds.
func TestDerive(t *testing.T) {
	s := newScript(t)
	if err := member.Import(s.ctx, genesis(s)); err != nil {
		t.Fatal(err)
	}
	rebuilt := s.mem.Clone()
	for k := range rebuilt.Rows {
		if k[0] == 0x11 {
			delete(rebuilt.Rows, k)
		}
	}
	member.Derive(s.mem, func(key, value []byte) { rebuilt.Rows[string(key)] = value })
	if !rebuilt.Equal(s.mem) {
		t.Error("the rebuilt index differs")
	}
}

// The number of members is bounded, in genesis and after it.
func TestMembersBound(t *testing.T) {
	s := newScript(t)
	g := genesis(s)
	for len(g.Members) < 4096 {
		g.Members = append(g.Members, *s.row(fmt.Sprint("m", len(g.Members)), args{}, ""))
	}
	if err := member.Import(s.ctx, g); err != nil {
		t.Fatal(err)
	}
	if err := member.Put(s.ctx, s.row("one more", args{}, "")); !x.ErrTooMany.Is(err) {
		t.Errorf("member 4097: %v", err)
	}
	if err := member.Put(s.ctx, s.row("m100", args{"level": {"1"}}, "")); err != nil {
		t.Errorf("replacing a row at the bound: %v", err)
	}
	g.Members = append(g.Members, *s.row("one more", args{}, ""))
	if err := member.Import(newScript(t).ctx, g); !x.ErrTooMany.Is(err) {
		t.Errorf("genesis of 4097: %v", err)
	}
}

// The number of mandates of an issuer is bounded.
func TestMandatesBound(t *testing.T) {
	s := newScript(t)
	g := genesis(s)
	for i := range 260 {
		name := fmt.Sprint("m", i)
		g.Members = append(g.Members, *s.row(name, args{}, ""))
		if i < 255 {
			g.Mandates = append(g.Mandates, pb.Mandate{Issuer: s.uscc("county"), Submitter: s.uscc(name), Kinds: []pb.MandateKind{1}})
		}
	}
	if err := member.Import(s.ctx, g); err != nil {
		t.Fatal(err)
	}
	s.ctx.Signer = s.addr("county-r")
	grant := func(to string) error {
		_, err := member.GrantMandate(s.ctx, &pb.GrantMandate{Mandate: pb.Mandate{Issuer: s.uscc("county"), Submitter: s.uscc(to), Kinds: []pb.MandateKind{2}}})
		return err
	}
	if err := grant("m255"); err == nil || !x.ErrTooMany.Is(err) {
		t.Errorf("mandate 257: %v", err)
	}
	if err := grant("m1"); err != nil {
		t.Errorf("replacing a mandate at the bound: %v", err)
	}
}
