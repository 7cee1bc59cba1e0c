package apptest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Script runs commands in domain words over a cluster. A command is a verb with key=value arguments; it makes one block where it sends a
// message, and answers OK, a note or the refusal. The verbs are the cases of run.
type Script struct {
	*Cluster
	tb     testing.TB
	firms  map[string]string // alias → code
	saved  map[string][]byte
	stash  []pb.Msg // messages of a transaction that is being collected
	stashB string   // and who signs it
}

// NewScript starts a script on a fresh cluster.
func NewScript(tb testing.TB, o Options) *Script {
	return &Script{Cluster: New(tb, o), tb: tb, firms: map[string]string{}, saved: map[string][]byte{}}
}

// RunFile runs a file of commands (github.com/cockroachdb/datadriven). Every file begins at genesis on 2026-07-15 unless its first command
// is `start on=DATE`.
func RunFile(t *testing.T, path string) {
	var s *Script
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		if s == nil {
			o := Options{Checks: true}
			if d.Cmd == "start" {
				o.Start = mustDate(t, arg(d, "on"))
			}
			s = NewScript(t, o)
		}
		out := s.Run(d)
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		return out
	})
}

func arg(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return strings.Join(a.Vals, ",")
		}
	}
	return ""
}

func has(d *datadriven.TestData, key string) bool {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return true
		}
	}
	return false
}

func mustDate(tb testing.TB, s string) calendar.Date {
	tb.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		tb.Fatalf("date %q: %v", s, err)
	}
	return d
}

// date reads a date argument; absent is 0.
func (s *Script) date(d *datadriven.TestData, key string) int32 {
	switch v := arg(d, key); v {
	case "", "none":
		return 0
	case "never":
		return 1 << 20 // beyond the legal calendar
	default:
		return int32(mustDate(s.tb, v))
	}
}

func (s *Script) dateOr(d *datadriven.TestData, key string, def int32) int32 {
	if has(d, key) {
		return s.date(d, key)
	}
	return def
}

func number(d *datadriven.TestData, key string, def int64) int64 {
	if v := arg(d, key); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			panic(err)
		}
		return n
	}
	return def
}

func digest(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// digestArg is the digest of the text of an argument; absent or empty is none, and the word short a digest that lacks a byte.
func digestArg(d *datadriven.TestData, key, def string) []byte {
	v := def
	if has(d, key) {
		v = arg(d, key)
	}
	switch v {
	case "":
		return nil
	case "short":
		return digest(v)[:31]
	}
	return digest(v)
}

func (s *Script) firm(d *datadriven.TestData) string {
	name := arg(d, "firm")
	if code, ok := s.firms[name]; ok {
		return code
	}
	return name
}

func (s *Script) agency(name string) string {
	if a, ok := s.Actors[name]; ok {
		return a.USCC
	}
	return name
}

// docNo is the decision number of a short word: 7 → 郑市监处罚〔2026〕7号.
func docNo(word string) string {
	if word == "" || strings.Contains(word, "〔") {
		return word
	}
	return "郑市监处罚〔2026〕" + word + "号"
}

// issuerOf is whose record a command speaks of: of=AGENCY, where the message names another issuer than the record has; without issuer= that of who signs.
func (s *Script) issuerOf(d *datadriven.TestData) string {
	for _, key := range []string{"of", "issuer"} {
		if has(d, key) {
			return s.agency(arg(d, key))
		}
	}
	return s.agency(arg(d, "by"))
}

func (s *Script) penaltyID(d *datadriven.TestData) []byte { return s.recordID(d, "penalty") }

func (s *Script) repairID(d *datadriven.TestData) []byte {
	id := repair.ID(s.issuerOf(d), arg(d, "application"), s.firm(d), s.penaltyID(d))
	return id[:]
}

// Run carries out one command.
func (s *Script) Run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "start":
		return ""
	case "on": // on DATE: the next block falls on that legal day
		s.GoTo(mustDate(s.tb, d.CmdArgs[0].Key))
		return ""
	case "block": // an empty block
		s.Block()
		return ""
	case "tx": // tx by=NAME: collect the following messages into one transaction, until `send`
		s.stashB = arg(d, "by")
		return ""
	case "send":
		msgs, by := s.stash, s.stashB
		s.stash, s.stashB = nil, ""
		return s.send(by, msgs...)
	case "govern": // govern ACTION (see action): proposed by gov1 and carried by gov2 and gov3; the answer is the day from which it is in force
		return s.govern(d)
	case "fill": // fill by= firm= no=FIRST to=LAST …: `record` of each of these numbers, a thousand a transaction, up to the first that is refused
		return s.fill(d)
	case "restart":
		return "this cluster has no disk"
	}
	if out, ok := s.look(d); ok {
		return out
	}
	if out, ok := s.sanctionLook(d); ok {
		return out
	}
	for _, look := range []func(*datadriven.TestData) (string, bool){s.lookMeasures, s.lookListing, s.lookIncentive, s.lookConsent} {
		if out, ok := look(d); ok {
			return out
		}
	}
	m, by := s.message(d)
	if m == nil {
		m, by = s.measureMessage(d)
	}
	if m == nil {
		m, by = s.listingMessage(d)
	}
	if m == nil {
		return errorf("no command is called %q", d.Cmd)
	}
	if s.stashB != "" {
		s.stash = append(s.stash, *m)
		return ""
	}
	if n := number(d, "times", 1); n > 1 { // the same message so many times in one transaction
		return s.send(by, slices.Repeat([]pb.Msg{*m}, int(n))...)
	}
	return s.send(by, *m)
}

// send makes one block with one transaction and tells what became of it. What the gate refuses is delivered all the same, as a proposer that
// breaks the rules would, so that the refusal is seen.
func (s *Script) send(by string, msgs ...pb.Msg) string {
	tx := s.Sign(by, msgs...)
	results := s.Block(tx)
	if len(results) == 0 {
		results = s.Deliver([][]byte{tx})
	}
	r := results[0]
	id, err := app.TxID(tx)
	must(s.tb, err)
	out, ok, err := s.Apps[0].Outcome(id)
	must(s.tb, err)
	if r.Code/100 == 2 {
		if ok {
			s.tb.Fatalf("the gate refused %x, and it has an outcome", id)
		}
		return "gate: " + r.Log
	}
	var res pb.TxResult
	must(s.tb, pb.Decode(r.Data, &res))
	if !ok || out.Code != r.Code || len(out.Results) != len(res.Results) {
		s.tb.Fatalf("the index of outcomes disagrees with the block about %x", id)
	}
	lines := make([]string, len(out.Results))
	for i, m := range out.Results {
		if m.Code != res.Results[i].Code || !bytes.Equal(m.Record, res.Results[i].Record) {
			s.tb.Fatalf("the index of outcomes disagrees with the block about message %d of %x", i, id)
		}
		switch {
		case m.Code != 0:
			lines[i] = m.Reason
		case m.Note != "":
			lines[i] = m.Note
		default:
			lines[i] = "OK"
		}
	}
	if len(lines) == 1 {
		return lines[0]
	}
	var b strings.Builder
	for i := 0; i < len(lines); {
		j := i
		for j < len(lines) && lines[j] == lines[i] {
			j++
		}
		if j-i > 3 {
			fmt.Fprintf(&b, "%d to %d: %s\n", i, j-1, lines[i])
		} else {
			for k := i; k < j; k++ {
				fmt.Fprintf(&b, "%d: %s\n", k, lines[k])
			}
		}
		i = j
	}
	return b.String()
}

// fill records many penalties of one firm.
func (s *Script) fill(d *datadriven.TestData) string {
	one, last := &datadriven.TestData{Cmd: "record"}, number(d, "to", 0)
	for no := number(d, "no", 1); no <= last; {
		first, msgs := no, []pb.Msg(nil)
		for ; no <= last && len(msgs) < pb.MessagesMax; no++ {
			one.CmdArgs = []datadriven.CmdArg{{Key: "no", Vals: []string{fmt.Sprint(no)}}, {Key: "fine", Vals: []string{"1000"}}}
			for _, a := range d.CmdArgs {
				if a.Key != "no" && a.Key != "to" {
					one.CmdArgs = append(one.CmdArgs, a)
				}
			}
			m, _ := s.message(one)
			msgs = append(msgs, *m)
		}
		if out := s.send(arg(d, "by"), msgs...); strings.Contains(out, "E_") {
			return fmt.Sprintf("from %d on: %s", first, out)
		}
	}
	return fmt.Sprintf("up to %d", last)
}

// govern proposes an action and has it carried.
func (s *Script) govern(d *datadriven.TestData) string {
	gov1 := s.agency("gov1")
	if out := s.send("gov1", pb.Msg{Sum: &pb.Msg_Propose{Propose: &pb.Propose{Issuer: gov1, Action: s.action(d), ReasonDigest: digest("reason")}}}); out != "OK" {
		return out
	}
	last := uint64(0)
	s.Read(func(r x.Reader) {
		for _, ok := governance.Get(r, last+1); ok; _, ok = governance.Get(r, last+1) {
			last++
		}
	})
	for _, by := range []string{"gov2", "gov3"} {
		if out := s.send(by, pb.Msg{Sum: &pb.Msg_Vote{Vote: &pb.Vote{Issuer: s.agency(by), Proposal: last, Yes: true}}}); out != "OK" {
			return out
		}
	}
	var day string
	s.Read(func(r x.Reader) {
		p, _ := governance.Get(r, last)
		day = calendar.Date(p.EffectiveOn).String()
	})
	return "in force from " + day
}

// message makes the message of a command and says who signs it.
func (s *Script) message(d *datadriven.TestData) (*pb.Msg, string) {
	by := arg(d, "by")
	issuer := s.agency(by)
	if has(d, "issuer") {
		issuer = s.agency(arg(d, "issuer"))
	}
	today := int32(s.Today())
	switch d.Cmd {
	case "enrol": // enrol firm=ALIAS [uscc=CODE] [region=410100] [category=1] [status=1]
		name := arg(d, "firm")
		if v := arg(d, "uscc"); v != "" {
			s.firms[name] = v
		} else if s.firms[name] == "" {
			s.firms[name] = USCC("91410100", fmt.Sprintf("Y%05d", len(s.firms)+100))
		}
		if by == "" {
			by = "registry"
		}
		if !has(d, "issuer") {
			issuer = s.agency(by)
		}
		region := "410100"
		if has(d, "region") {
			region = arg(d, "region")
		}
		return &pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{Issuer: issuer, Subject: pb.Subject{
			Uscc: s.firms[name], Region: region, Category: uint32(number(d, "category", 1)), Status: pb.SubjectStatus(number(d, "status", 1)),
		}}}}, by

	case "commit": // commit by= firm= code= type= [acceptor=] [public=1] [until=] [accepted] [licence=] [paper=] [made=] [business=] [template=] [other=]
		acceptor := issuer
		if has(d, "acceptor") {
			acceptor = s.agency(arg(d, "acceptor"))
		}
		code := arg(d, "code")
		made := today
		if len(code) == 20 {
			if v, err := calendar.ParseDate(code[6:10] + "-" + code[10:12] + "-" + code[12:14]); err == nil {
				made = int32(v)
			}
		}
		other := "" // type 0 says what it is
		if number(d, "type", 1) == 0 {
			other = "other"
		}
		return &pb.Msg{Sum: &pb.Msg_SubmitCommitment{SubmitCommitment: &pb.SubmitCommitment{
			Issuer: issuer, Accepted: has(d, "accepted"), PaperDigest: digestArg(d, "paper", ""), Licence: arg(d, "licence"),
			Content: pb.CommitmentContent{
				Code: code, Subject: s.firm(d), Type: uint32(number(d, "type", 1)), MadeOn: s.dateOr(d, "made", made), ValidUntil: s.date(d, "until"),
				Acceptor: acceptor, Publication: uint32(number(d, "public", 1)), TemplateVersion: uint32(number(d, "template", 0)),
				TextDigest: digestArg(d, "text", "text"), Business: arg(d, "business"), TypeOtherDigest: digestArg(d, "other", other),
			},
		}}}, by
	case "accept-commitment":
		return &pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Issuer: issuer, Code: arg(d, "code"), Licence: arg(d, "licence")}}}, by
	case "reject-commitment":
		return &pb.Msg{Sum: &pb.Msg_RejectCommitment{RejectCommitment: &pb.RejectCommitment{
			Issuer: issuer, Code: arg(d, "code"), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}, by
	case "withdraw-commitment":
		return &pb.Msg{Sum: &pb.Msg_WithdrawCommitment{WithdrawCommitment: &pb.WithdrawCommitment{
			Issuer: issuer, Code: arg(d, "code"), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}, by
	case "assess": // assess by= code= status=1|2|3 [on=] [unperformed=] [action=] [notice=] [statement=]
		return &pb.Msg{Sum: &pb.Msg_AssessCommitment{AssessCommitment: s.assessment(d, issuer)}}, by
	case "cure":
		return &pb.Msg{Sum: &pb.Msg_CureCommitment{CureCommitment: &pb.CureCommitment{
			Issuer: issuer, Code: arg(d, "code"), EvidenceDigest: digestArg(d, "evidence", "evidence"),
		}}}, by

	case "record": // record by= firm= no= kinds= [fine=] [decided=] [region=410105] …
		c := pb.PenaltyContent{
			Issuer: issuer, Subject: s.firm(d), DocNo: docNo(arg(d, "no")), FineFen: number(d, "fine", 0) * 100, ConfiscatedFen: number(d, "taken", 0) * 100,
			DecidedOn: s.dateOr(d, "decided", today), ValidUntil: s.date(d, "until"), ActDigest: digestArg(d, "act", ""), ViolationRegion: "410105", Procedure: uint32(number(d, "procedure", 2)),
			Statement: uint32(number(d, "statement", 1)), Hearing: uint32(number(d, "hearing", 0)), RepairNoticeServed: number(d, "two-documents", 1) == 1,
			PowerCode: arg(d, "power"), Sector: arg(d, "sector"), Severity: pb.Severity(number(d, "class", 0)), Necessary: has(d, "necessary"),
			NecessityDigest: digestArg(d, "necessary", ""), TextDigest: digestArg(d, "text", "facts"), BreachOf: arg(d, "breach-of"), Designation: arg(d, "designation"),
		}
		c.NoticeServedOn, c.ServedOn = s.dateOr(d, "notice", c.DecidedOn-7), s.dateOr(d, "served", c.DecidedOn)
		if has(d, "region") {
			c.ViolationRegion = arg(d, "region")
		}
		if has(d, "replaces") {
			id := sanction.PenaltyID(c.Issuer, docNo(arg(d, "replaces")), c.Subject)
			if c.Replaces = id[:]; arg(d, "replaces") == "short" {
				c.Replaces = digestArg(d, "replaces", "")
			}
		}
		c.Kinds = numbers(d, "kinds")
		if !has(d, "kinds") {
			c.Kinds = []uint32{3}
		}
		return &pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: c}}}, by
	case "publish": // publish by= issuer= firm= no=
		return &pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: issuer, Record: s.penaltyID(d)}}}, by
	case "withdraw":
		return &pb.Msg{Sum: &pb.Msg_WithdrawRecord{WithdrawRecord: &pb.WithdrawRecord{
			Issuer: issuer, Record: s.penaltyID(d), ReasonDigest: digestArg(d, "reason", "reason"), AuthorityDigest: digestArg(d, "authority", "authority"),
			RevokedOn: s.date(d, "revoked"),
		}}}, by

	case "apply": // apply by=ops firm= issuer=RECOGNISER no= application= commitment= [materials=] [emergency] [channel=]
		return &pb.Msg{Sum: &pb.Msg_ApplyRepair{ApplyRepair: &pb.ApplyRepair{
			Issuer: s.agency(by), Subject: s.firm(d), Target: s.penaltyID(d), ApplicationNo: arg(d, "application"), Commitment: arg(d, "commitment"),
			DutiesDone: number(d, "duties", 1) == 1, MaterialsDigest: digestArg(d, "materials", "materials of "+arg(d, "application")),
			PaperDigest: digestArg(d, "paper", "paper"), Emergency: has(d, "emergency"), Channel: uint32(number(d, "channel", 0)),
		}}}, by
	case "accept-repair":
		return &pb.Msg{Sum: &pb.Msg_AcceptRepair{AcceptRepair: &pb.AcceptRepair{Issuer: issuer, Repair: s.repairID(d)}}}, by
	case "approve": // approve … [decision=NUMBER] [verified=0]
		decision := "XF-" + arg(d, "application")
		if has(d, "decision") {
			decision = arg(d, "decision")
		}
		return &pb.Msg{Sum: &pb.Msg_ApproveRepair{ApproveRepair: &pb.ApproveRepair{
			Issuer: issuer, Repair: s.repairID(d), DutiesVerified: number(d, "verified", 1) == 1, DecisionNo: decision,
		}}}, by
	case "refuse": // refuse … [reason=] [deceit=1|2|3 notice= statement=]
		return &pb.Msg{Sum: &pb.Msg_RefuseRepair{RefuseRepair: &pb.RefuseRepair{
			Issuer: issuer, Repair: s.repairID(d), ReasonDigest: digestArg(d, "reason", "reason"), Deceit: pb.RepairDeceit(number(d, "deceit", 0)),
			NoticeServedOn: s.date(d, "notice"), Statement: uint32(number(d, "statement", 0)),
		}}}, by
	case "revoke":
		return &pb.Msg{Sum: &pb.Msg_RevokeRepair{RevokeRepair: &pb.RevokeRepair{
			Issuer: issuer, Repair: s.repairID(d), ReasonDigest: digestArg(d, "reason", "deceit"), NoticeServedOn: s.dateOr(d, "notice", today),
			Statement: uint32(number(d, "statement", 1)), Deceit: pb.RepairDeceit(number(d, "deceit", 1)),
		}}}, by
	case "supplement":
		return &pb.Msg{Sum: &pb.Msg_SupplementRepair{SupplementRepair: &pb.SupplementRepair{
			Issuer: issuer, Repair: s.repairID(d), GapsDigest: digestArg(d, "gaps", "gaps"),
		}}}, by
	case "refile":
		return &pb.Msg{Sum: &pb.Msg_RefileRepair{RefileRepair: &pb.RefileRepair{
			Issuer: s.agency(by), Repair: s.repairID(d), MaterialsDigest: digestArg(d, "materials", "more materials"),
		}}}, by
	case "extend": // extend … days=N [reason=]
		return &pb.Msg{Sum: &pb.Msg_ExtendRepair{ExtendRepair: &pb.ExtendRepair{
			Issuer: issuer, Repair: s.repairID(d), Days: uint32(number(d, "days", 5)), ReasonDigest: digestArg(d, "reason", "complex"),
		}}}, by
	case "execute":
		return &pb.Msg{Sum: &pb.Msg_ExecuteRepair{ExecuteRepair: &pb.ExecuteRepair{Issuer: issuer, Repair: s.repairID(d)}}}, by
	case "push":
		return &pb.Msg{Sum: &pb.Msg_PushRepair{PushRepair: &pb.PushRepair{
			Issuer: issuer, Repair: s.repairID(d), ReceiptDigest: digestArg(d, "receipt", "receipt"),
		}}}, by
	case "track": // track … result=1|2 [evidence=]
		return &pb.Msg{Sum: &pb.Msg_TrackRepair{TrackRepair: &pb.TrackRepair{
			Issuer: issuer, Repair: s.repairID(d), Result: uint32(number(d, "result", 1)), EvidenceDigest: digestArg(d, "evidence", "evidence"),
		}}}, by

	case "reopen": // an objection to the result is founded
		return &pb.Msg{Sum: &pb.Msg_ReopenRepair{ReopenRepair: &pb.ReopenRepair{
			Issuer: issuer, Repair: s.repairID(d), ReasonDigest: digestArg(d, "reason", "founded"),
		}}}, by
	case "mandate": // mandate by= to= kinds=1,2 [from-day=] [to-day=]
		m := pb.Mandate{Issuer: issuer, Submitter: s.agency(arg(d, "to")), ValidFrom: s.date(d, "from-day"), ValidTo: s.date(d, "to-day")}
		for _, k := range numbers(d, "kinds") {
			m.Kinds = append(m.Kinds, pb.MandateKind(k))
		}
		return &pb.Msg{Sum: &pb.Msg_GrantMandate{GrantMandate: &pb.GrantMandate{Mandate: m}}}, by
	case "revoke-mandate":
		return &pb.Msg{Sum: &pb.Msg_RevokeMandate{RevokeMandate: &pb.RevokeMandate{Issuer: issuer, Submitter: s.agency(arg(d, "to"))}}}, by
	case "propose": // propose by= param=NAME value=N | remove=AGENCY | … (see action)
		return &pb.Msg{Sum: &pb.Msg_Propose{Propose: &pb.Propose{Issuer: issuer, Action: s.action(d), ReasonDigest: digestArg(d, "reason", "reason")}}}, by
	case "vote": // vote by= proposal=N [no]
		return &pb.Msg{Sum: &pb.Msg_Vote{Vote: &pb.Vote{Issuer: issuer, Proposal: uint64(number(d, "proposal", 1)), Yes: !has(d, "no")}}}, by
	}
	if m := s.sanctionMessage(d, issuer, today); m != nil {
		return m, by
	}
	if m := s.incentiveMessage(d, issuer); m != nil {
		return m, by
	}
	if m := s.consentMessage(d, issuer); m != nil {
		return m, by
	}
	if m := s.objectionMessage(d); m != nil {
		return m, by
	}
	return s.promise(d, by, issuer), by
}

// look answers the commands that only read.
func (s *Script) look(d *datadriven.TestData) (string, bool) {
	var b strings.Builder
	switch d.Cmd {
	case "today":
		return s.Today().String(), true
	case "penalty": // penalty firm= issuer= no=: everything, as the recogniser sees it
		s.Read(func(r x.Reader) {
			p, ok := sanction.Get(r, s.penaltyID(d))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s %s publish_by=%s min_until=%s max_until=%s", p.State, p.Class,
				calendar.Date(p.PublishBy), calendar.Date(p.MinUntil), calendar.Date(p.MaxUntil))
			if p.PublishedOn != 0 {
				fmt.Fprintf(&b, " published_on=%s", calendar.Date(p.PublishedOn))
			}
			if p.EndedOn != 0 {
				fmt.Fprintf(&b, " ended_on=%s", calendar.Date(p.EndedOn))
			}
			b.WriteString(courseOf(p))
		})
		return b.String(), true
	case "commitment": // commitment code=
		s.Read(func(r x.Reader) {
			c, ok := commitment.Get(r, arg(d, "code"))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s type=%d public=%v", c.State, c.Content.Type, commitment.Public(c))
		})
		return b.String(), true
	case "repair": // repair firm= issuer= no= application=
		s.Read(func(r x.Reader) {
			a, ok := repair.Get(r, s.repairID(d))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s applied_on=%s accept_by=%s", a.State, calendar.Date(a.AppliedOn), calendar.Date(a.AcceptBy))
			if a.DecideBy != 0 {
				fmt.Fprintf(&b, " decide_by=%s", calendar.Date(a.DecideBy))
			}
			fmt.Fprintf(&b, " total_by=%s", calendar.Date(a.TotalBy))
			if a.Procedure != pb.REPAIR_ORDINARY {
				fmt.Fprintf(&b, " %s", a.Procedure)
			}
			for _, f := range []struct {
				name string
				on   int32
			}{
				{"extended_on", a.ExtendedOn}, {"executed_on", a.ExecutedOn}, {"pushed_on", a.PushedOn}, {"tracked_on", a.TrackedOn}, {"revoked_on", a.RevokedOn},
			} {
				if f.on != 0 {
					fmt.Fprintf(&b, " %s=%s", f.name, calendar.Date(f.on))
				}
			}
			if a.Deceit != pb.DECEIT_NONE {
				fmt.Fprintf(&b, " %s", a.Deceit)
			}
		})
		return b.String(), true
	case "objection": // objection firm= objection=NUMBER [against=…]
		return s.objectionLine(d), true
	case "duties": // duties of=AGENCY: what it must do by when
		s.Read(func(r x.Reader) {
			x.Duties(r, s.agency(arg(d, "of")), nil, func(duty x.Duty) bool {
				due := "no day"
				if duty.Due != 0 {
					due = "by " + duty.Due.String()
				}
				fmt.Fprintf(&b, "%s %s\n", duty.Kind.Info().Token, due)
				return true
			})
		})
		return b.String(), true
	case "alarms": // alarms firm=
		s.Read(func(r x.Reader) {
			subject.Alarms(r, s.firm(d), func(a *pb.Alarm) bool {
				fmt.Fprintf(&b, "%s due=%s happened=%s\n", a.Kind, calendar.Date(a.Due), calendar.Date(a.Happened))
				return true
			})
		})
		return b.String(), true
	case "proposal":
		s.Read(func(r x.Reader) {
			p, ok := governance.Get(r, uint64(number(d, "id", 1)))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s effective_on=%s", p.State, calendar.Date(p.EffectiveOn))
		})
		return b.String(), true
	case "bars": // bars firm=: what closes commitment in place of proof, and what did
		s.Read(func(r x.Reader) {
			commitment.Bars(r, s.firm(d), func(p *pb.PromiseBar) bool {
				fmt.Fprintf(&b, "%s since=%s linked=%d", p.Cause, calendar.Date(p.Since), len(p.Linked))
				if p.LiftedOn != 0 {
					fmt.Fprintf(&b, " lifted_on=%s", calendar.Date(p.LiftedOn))
				}
				b.WriteString("\n")
				return true
			})
		})
		return b.String(), true
	case "member": // member name=
		s.Read(func(r x.Reader) {
			m, ok := member.Get(r, s.agency(arg(d, "name")))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "removed=%v keys=%d competences=%d power=%d", m.Removed, len(m.Keys), len(m.Competences), m.ValidatorPower)
		})
		return b.String(), true
	case "catalogue": // catalogue param=NAME: value in force and version
		s.Read(func(r x.Reader) {
			fmt.Fprintf(&b, "%s=%d version=%d", arg(d, "param"), catalog.Int(r, arg(d, "param")), catalog.Version(r).Version)
		})
		return b.String(), true
	case "standing": // standing firm=: what the public sees
		return s.Standing(s.firm(d)), true
	case "file": // file firm=: how many versions the file holds
		s.Read(func(r x.Reader) { fmt.Fprintf(&b, "%d versions", subject.Head(r, s.firm(d)).Size) })
		return b.String(), true
	case "log": // how many events the global log holds
		s.Read(func(r x.Reader) {
			n := uint64(0)
			for _, ok := app.LogLeaf(r, n); ok; _, ok = app.LogLeaf(r, n) {
				n++
			}
			fmt.Fprintf(&b, "%d events", n)
		})
		return b.String(), true
	case "keep": // keep standing firm= as=NAME: remember standing bytes and leaf
		s.saved[arg(d, "as")] = s.leaf(s.firm(d))
		return "", true
	case "same": // same firm= as=NAME: are standing bytes and leaf again those
		if bytes.Equal(s.saved[arg(d, "as")], s.leaf(s.firm(d))) {
			return "same bytes, same leaf", true
		}
		return "different", true
	case "verify": // verify firm= claim=: a lender's verdict on a fresh bundle
		s.Block() // the header that proves the newest state
		raw := s.Bundle(s.firm(d))
		v, err := s.Verify(raw, s.firm(d), arg(d, "claim"))
		switch {
		case err != nil:
			return "refused: " + err.Error(), true
		case v.Holds:
			return "holds", true
		}
		return "does not hold", true
	}
	return s.lookPromise(d)
}

// leaf gives standing bytes and leaf value of a subject.
func (s *Script) leaf(uscc string) []byte {
	var out []byte
	s.Read(func(r x.Reader) {
		raw, ok := standing.Get(r, uscc)
		if !ok {
			s.tb.Fatalf("%s has no standing", uscc)
		}
		v := standing.LeafValue(standing.Salt(s.Secret, uscc, raw), raw)
		out = append(bytes.Clone(raw), v[:]...)
	})
	return out
}

// Standing prints what the public sees of a subject.
func (s *Script) Standing(uscc string) string {
	var b strings.Builder
	s.Read(func(r x.Reader) {
		raw, ok := standing.Get(r, uscc)
		if !ok {
			b.WriteString("not enrolled")
			return
		}
		st := new(pb.Standing)
		must(s.tb, pb.Decode(raw, st))
		fmt.Fprintf(&b, "may_promise=%v commitments=%d breached=%d penalties=%d\n", st.MayPromise, st.Counts.Commitments, st.Counts.Breached, st.Counts.Penalties)
		mark := map[bool]string{true: " objection"}
		for _, c := range st.Commitments {
			fmt.Fprintf(&b, "commitment %s type=%d %s%s\n", c.Code, c.Type, c.State, mark[c.Objection])
		}
		lines := []string{}
		for _, p := range st.Penalties {
			lines = append(lines, fmt.Sprintf("penalty %s %s kinds=%v %s..%s%s\n", p.DocNo, p.Class, p.Kinds, calendar.Date(p.MinUntil), calendar.Date(p.MaxUntil), mark[p.Objection]))
		}
		sort.Strings(lines)
		b.WriteString(strings.Join(lines, ""))
		b.WriteString(otherLines(st))
	})
	return b.String()
}
