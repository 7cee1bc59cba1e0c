package sample_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/networks/henan"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/intake"
	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/fulfillment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// ledger runs the rules over a state in memory, so that the expected outcomes are those of the rules and not of this package.
type ledger struct {
	keys []string // ascending
	rows map[string][]byte
	undo []change // of the row in hand
	ctx  *x.Ctx
}

type change struct {
	key   string
	value []byte
	had   bool
}

func (l *ledger) Get(key []byte) ([]byte, bool) {
	v, ok := l.rows[string(key)]
	return bytes.Clone(v), ok
}

func (l *ledger) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	i, _ := slices.BinarySearch(l.keys, max(string(prefix), string(start)))
	for ; i < len(l.keys) && strings.HasPrefix(l.keys[i], string(prefix)); i++ {
		if !fn([]byte(l.keys[i]), bytes.Clone(l.rows[l.keys[i]])) {
			return
		}
	}
}

func (l *ledger) Set(key, value []byte) {
	l.remember(key)
	l.place(string(key), bytes.Clone(value))
}

func (l *ledger) Delete(key []byte) {
	l.remember(key)
	l.remove(string(key))
}

func (l *ledger) remember(key []byte) {
	old, had := l.rows[string(key)]
	l.undo = append(l.undo, change{string(key), old, had})
}

func (l *ledger) place(key string, value []byte) {
	if i, found := slices.BinarySearch(l.keys, key); !found {
		l.keys = slices.Insert(l.keys, i, key)
	}
	l.rows[key] = value
}

func (l *ledger) remove(key string) {
	if i, found := slices.BinarySearch(l.keys, key); found {
		l.keys = slices.Delete(l.keys, i, i+1)
	}
	delete(l.rows, key)
}

func (l *ledger) rollback() {
	for _, c := range slices.Backward(l.undo) {
		if c.had {
			l.place(c.key, c.value)
		} else {
			l.remove(c.key)
		}
	}
}

const registry = "11410000Y00000032Q"

// newLedger is a network on the first day of the demo: the sample members, one submitter with their mandates, and the registry.
func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{rows: map[string][]byte{}}
	address := bytes.Repeat([]byte{7}, 20)
	all := []pb.Role{pb.ROLE_GOVERNOR, pb.ROLE_REGISTRY, pb.ROLE_RECORD, pb.ROLE_VERIFY}
	g := &pb.Genesis{Members: []pb.Member{{
		Uscc: registry, Level: pb.LEVEL_PROVINCE, Regions: []string{henan.Province}, Name: "省信用信息中心（合成样例）",
		Keys: []*pb.MemberKey{{Address: address, Roles: all, Name: "ops"}}, ValidatorKey: bytes.Repeat([]byte{8}, 32), ValidatorPower: 1,
		CreditChina: true,
	}}}
	henan.Catalogue(g)
	for _, m := range sample.Members() {
		g.Members = append(g.Members, m.Row())
		g.Mandates = append(g.Mandates, pb.Mandate{
			Issuer: m.USCC, Submitter: registry,
			Kinds: []pb.MandateKind{pb.MANDATE_PENALTY, pb.MANDATE_PUBLISH, pb.MANDATE_COMMITMENT, pb.MANDATE_FULFILLMENT, pb.MANDATE_DISHONESTY},
		})
	}
	day, err := calendar.ParseDate("2026-07-15")
	if err != nil {
		t.Fatal(err)
	}
	l.ctx = &x.Ctx{
		State: l, Chain: &x.Chain{ID: "test-sample", ClockRate: 1, Secret: bytes.Repeat([]byte{9}, 32)}, Height: 1, Today: day,
		LegalTime: calendar.StartUnix(day), Signer: address, Member: registry, Touched: map[string]struct{}{},
	}
	for _, imports := range []func(*x.Ctx, *pb.Genesis) error{catalog.Import, member.Import, subject.Import} {
		if err := imports(l.ctx, g); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *ledger) dispatch(m *pb.Msg) (x.Done, error) {
	switch m := m.Sum.(type) {
	case *pb.Msg_EnrolSubject:
		return subject.Enrol(l.ctx, m.EnrolSubject)
	case *pb.Msg_SubmitCommitment:
		return commitment.Submit(l.ctx, m.SubmitCommitment)
	case *pb.Msg_Reconcile:
		return sanction.Reconcile(l.ctx, m.Reconcile)
	case *pb.Msg_RecordAbnormal:
		return sanction.RecordAbnormal(l.ctx, m.RecordAbnormal)
	case *pb.Msg_RecordOther:
		return sanction.RecordOther(l.ctx, m.RecordOther)
	case *pb.Msg_AssessCommitment:
		return fulfillment.Assess(l.ctx, m.AssessCommitment, func(x.Reader, []byte) (string, string, int32, bool) { return "", "", 0, false })
	case *pb.Msg_RecordPenalty:
		return sanction.Record(l.ctx, m.RecordPenalty)
	}
	return x.Done{}, fmt.Errorf("message %T", m.Sum)
}

// send carries out a row as the importer does: all its messages, or none.
func (l *ledger) send(t *testing.T, row intake.Row) (outcome intake.Outcome, refusal string) {
	t.Helper()
	if row.Refusal != nil {
		return intake.Refused, row.Refusal.Code
	}
	l.undo = nil
	already := 0
	for i := range row.Messages {
		raw := pb.Encode(&row.Messages[i])
		var m pb.Msg
		if err := pb.Decode(raw, &m); err != nil {
			t.Fatalf("row %d: %v", row.Number, err)
		}
		done, err := l.dispatch(&m)
		if err != nil {
			l.rollback()
			var r *x.Rejection
			if !errors.As(err, &r) {
				t.Fatalf("row %d: %v", row.Number, err)
			}
			return intake.Refused, r.Code
		}
		if done.Note == x.AlreadyRecorded {
			already++
		}
		if row.Record != nil && done.Record != nil && !bytes.Equal(row.Record, done.Record) {
			t.Errorf("row %d: the rules give another record id", row.Number)
		}
	}
	if already == len(row.Messages) {
		return intake.AlreadyRecorded, ""
	}
	return intake.Recorded, ""
}

var digests = vault.Ephemeral()

func read(t *testing.T, name string, kind intake.Kind) []intake.Row {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, sample.File(name), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := intake.Open(path, kind, intake.Options{Vault: digests, Issuer: registry})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	var rows []intake.Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows = append(rows, row)
	}
}

func (l *ledger) send1(t *testing.T, name string, kind intake.Kind, again bool) {
	t.Helper()
	want := map[int]sample.Expected{}
	for _, e := range sample.Expectations() {
		if e.File == name {
			want[e.Row] = e
		}
	}
	ended := map[int]intake.Outcome{}
	for _, row := range read(t, name, kind) {
		outcome, refusal := ended[row.Of], "" // said by the message of an earlier row
		if row.Of == 0 {
			outcome, refusal = l.send(t, row)
			ended[row.Number] = outcome
		}
		e, listed := want[row.Number]
		if !listed {
			e = sample.Expected{Outcome: string(intake.Recorded)}
		}
		if again && e.Outcome == string(intake.Recorded) {
			e.Outcome = string(intake.AlreadyRecorded)
		}
		if string(outcome) != e.Outcome || refusal != e.Code {
			t.Errorf("%s row %d (%s): %s %s, want %s %s: %v", name, row.Number, e.What, outcome, refusal, e.Outcome, e.Code, row.Refusal)
		}
		delete(want, row.Number)
		if listed && e.Outcome != string(intake.Refused) && refusal == "" && len(row.Notes) == 0 && mended(e.What) {
			t.Errorf("%s row %d (%s): recorded without a note", name, row.Number, e.What)
		}
	}
	for _, e := range want {
		t.Errorf("%s row %d (%s) was not met", name, e.Row, e.What)
	}
}

// mended tells whether an oddity is of the kind that is recorded after mending, with a note.
func mended(what string) bool {
	for _, w := range []string{"full-width", "lower-case", "blanks", "line break", "outside the basic plane", "brackets", "date with", "in Chinese", "separators", "warning"} {
		if strings.Contains(what, w) {
			return true
		}
	}
	return false
}

// Every row of every file ends as expected.csv says, through the reader and the rules.
func TestExpectedOutcomes(t *testing.T) {
	l := newLedger(t)
	l.send1(t, sample.SubjectsCSV, intake.Subjects, false)
	l.send1(t, sample.CommitmentsCSV, intake.Commitments, false)
	l.send1(t, sample.FulfillmentsCSV, intake.Fulfillments, false)
	l.send1(t, sample.PenaltiesCSV, intake.Penalties, false)
	l.send1(t, sample.AbnormalCSV, intake.Abnormal, false)
	l.send1(t, sample.OthersCSV, intake.Others, false)
	l.send1(t, sample.CreditChinaCSV, intake.CreditChina, false)
	// Sending all once more records nothing twice.
	for _, f := range []struct {
		name string
		kind intake.Kind
	}{
		{sample.SubjectsCSV, intake.Subjects},
		{sample.CommitmentsCSV, intake.Commitments},
		{sample.FulfillmentsCSV, intake.Fulfillments},
		{sample.PenaltiesCSV, intake.Penalties},
		{sample.AbnormalCSV, intake.Abnormal},
		{sample.OthersCSV, intake.Others},
		{sample.CreditChinaCSV, intake.CreditChina},
	} {
		l.send1(t, f.name, f.kind, true)
	}
	// The slices hold the same rows in another form.
	for _, row := range append(read(t, sample.PenaltiesXLSX, intake.Penalties)[:194], read(t, sample.CommitmentsXLSX, intake.Commitments)...) {
		if outcome, refusal := l.send(t, row); outcome != intake.AlreadyRecorded {
			t.Errorf("row %d of a slice: %s %s", row.Number, outcome, refusal)
		}
	}
}

// The other forms, each into a network that has only the subjects.
func TestExpectedOutcomesOfSlices(t *testing.T) {
	for name, kind := range map[string]intake.Kind{
		sample.PenaltiesXLSX: intake.Penalties, sample.PenaltiesGB18030: intake.Penalties, sample.CommitmentsXLSX: intake.Commitments,
		sample.PenaltiesCSV: intake.Penalties, sample.AbnormalCSV: intake.Abnormal, sample.OthersCSV: intake.Others,
		sample.CreditChinaCSV: intake.CreditChina,
	} {
		l := newLedger(t)
		l.send1(t, sample.SubjectsCSV, intake.Subjects, false)
		l.send1(t, name, kind, false)
	}
}

func TestShape(t *testing.T) {
	regions := map[string]bool{}
	seen := map[string]bool{}
	for _, s := range sample.Subjects() {
		regions[s.Row.Region] = true
		if err := code.CheckUSCC(s.Row.Uscc); err != nil {
			t.Errorf("%s: %v", s.Row.Uscc, err)
		}
		if seen[s.Row.Uscc] {
			t.Errorf("%s stands twice", s.Row.Uscc)
		}
		seen[s.Row.Uscc] = true
		if !strings.Contains(s.Name, "合成") || s.Row.Uscc[8:11] != "Y00" {
			t.Errorf("%s %s is not marked as synthetic", s.Row.Uscc, s.Name)
		}
	}
	for _, r := range henan.Regions() {
		if (r.Level == henan.LevelCounty || r.Level == henan.LevelZone) && !regions[r.Code] {
			t.Errorf("no firm in %s %s", r.Code, r.Name)
		}
	}
	if len(seen) != 500 || !seen[sample.Yucai] {
		t.Errorf("%d firms", len(seen))
	}
	for _, m := range sample.Members() {
		if err := code.CheckUSCC(m.USCC); err != nil || !strings.HasPrefix(m.USCC, "11") || seen[m.USCC] || !strings.Contains(m.Name, "合成") {
			t.Errorf("%+v: %v", m, err)
		}
	}
	gy, _ := sample.MemberByKey("gy-scjg")
	zz, _ := sample.MemberByKey("zz-scjg")
	if !slices.Equal(gy.Competences[0].Regions, []string{"410181"}) || !slices.Equal(zz.Competences[0].Regions, []string{"410100"}) {
		t.Errorf("%+v %+v", gy, zz)
	}
	penalties := read(t, sample.PenaltiesCSV, intake.Penalties)
	commitments := read(t, sample.CommitmentsCSV, intake.Commitments)
	if len(penalties) != 2000 || len(commitments) != 1000 {
		t.Errorf("%d penalties, %d commitments", len(penalties), len(commitments))
	}
	reserved := append(sample.Reserved(), sample.Yucai)
	first := sample.Subjects()[1].Row
	for _, s := range sample.Subjects()[:1+sample.ReservedCount] {
		if s.Row.Region != first.Region || s.Row.Category != first.Category {
			t.Errorf("%s is no twin", s.Row.Uscc)
		}
	}
	start, _ := calendar.ParseDate("2026-07-15")
	types := map[uint32]int{}
	for _, row := range append(penalties, commitments...) {
		for _, m := range row.Messages {
			if p := m.GetRecordPenalty(); p != nil {
				if slices.Contains(reserved, p.Content.Subject) {
					t.Errorf("row %d is about a reserved firm", row.Number)
				}
				if calendar.Date(p.Content.ServedOn) >= start {
					t.Errorf("row %d: served on %s", row.Number, calendar.Date(p.Content.ServedOn))
				}
			}
			if c := m.GetSubmitCommitment(); c != nil {
				if slices.Contains(reserved, c.Content.Subject) {
					t.Errorf("row %d is about a reserved firm", row.Number)
				}
				types[c.Content.Type]++
			}
		}
	}
	for kind := range uint32(7) {
		if types[kind] < 50 {
			t.Errorf("%d commitments of type %d", types[kind], kind)
		}
	}
}

// Commitments of types 1 and 3 pass in whatever order the files are sent and even when every penalty is published first.
func TestNoBarByOrder(t *testing.T) {
	l := newLedger(t)
	l.send1(t, sample.SubjectsCSV, intake.Subjects, false)
	classes := map[pb.Severity]int{}
	for _, row := range read(t, sample.PenaltiesCSV, intake.Penalties) {
		if outcome, _ := l.send(t, row); outcome != intake.Recorded {
			continue
		}
		p, ok := sanction.Get(l.ctx, row.Record)
		if !ok {
			t.Fatalf("row %d is not there", row.Number)
		}
		classes[p.Class]++
		if p.State == pb.RECORD_REGISTERED && p.Penalty.NoticeServedOn < p.Penalty.DecidedOn {
			if _, err := sanction.Publish(l.ctx, &pb.PublishRecord{Issuer: row.Issuer, Record: row.Record}); err != nil {
				t.Errorf("row %d: %v", row.Number, err)
			}
		}
	}
	for class, n := range classes {
		t.Logf("class %s: %d", class, n)
	}
	if classes[pb.SEVERITY_MINOR] < 100 || classes[pb.SEVERITY_GENERAL] < 1000 || classes[pb.SEVERITY_SERIOUS] < 10 {
		t.Errorf("classes: %v", classes)
	}
	l.send1(t, sample.CommitmentsCSV, intake.Commitments, false)
}
