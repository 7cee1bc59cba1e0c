package intake

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

func day(tb testing.TB, s string) int32 {
	tb.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return int32(d)
}

// one reads the single good row of a file.
func one(t *testing.T, kind Kind, changes ...map[string]any) Row {
	t.Helper()
	rows, err := readAll(t, tableOf(kind, changes...).csvBytes(), kind, options())
	if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
		t.Fatalf("%v %+v", err, rows)
	}
	return rows[0]
}

func TestAbnormalMessage(t *testing.T) {
	row := one(t, Abnormal)
	id := sanction.ID(pb.DISHONESTY_ABNORMAL, agency, "示例异列〔2026〕1号", firm)
	if string(row.Record) != string(id[:]) || row.Issuer != agency {
		t.Errorf("record %x of %s", row.Record, row.Issuer)
	}
	digest := testVault.Digest(id, map[string]string{"subject_name": "示例食品有限公司（合成）", "issuer_name": "示例局", "reason": "示例事由", "basis": "示例依据"})
	want := pb.AbnormalContent{
		Issuer: agency, Subject: firm, DocNo: "示例异列〔2026〕1号", Reason: "ANNUAL-REPORT", ListedOn: day(t, "2026-07-01"), ServedOn: day(t, "2026-07-02"),
		RepairNoticeServed: true, ViolationRegion: "410105", PowerCode: "P-001", Sector: "market", TextDigest: digest[:],
	}
	if diff := cmp.Diff(want, row.Messages[0].GetRecordAbnormal().Content); diff != "" {
		t.Error(diff)
	}
	if err := sanction.CheckAbnormal(row.Messages[0].GetRecordAbnormal()); err != nil {
		t.Error(err)
	}
}

func TestOtherMessage(t *testing.T) {
	row := one(t, Others, map[string]any{"severity": "轻微", "necessary": "是", "necessity_reason": "示例理由", "breach_of": "41010520260603000017"})
	id := sanction.ID(pb.DISHONESTY_OTHER, agency, "示例认〔2026〕1号", firm)
	if string(row.Record) != string(id[:]) {
		t.Errorf("record %x", row.Record)
	}
	digest := testVault.Digest(id, map[string]string{"subject_name": "示例食品有限公司（合成）", "issuer_name": "示例局", "fact": "示例事实", "basis": "示例依据"})
	why := testVault.Digest(id, map[string]string{"necessity_reason": "示例理由"})
	want := pb.OtherContent{
		Issuer: agency, Subject: firm, DocNo: "示例认〔2026〕1号", Source: "JUDGMENT", Statute: "HN-CREDIT-20", DecidedOn: day(t, "2026-07-01"),
		ServedOn: day(t, "2026-07-02"), RepairNoticeServed: true, ViolationRegion: "410105", PowerCode: "P-001", Sector: "market",
		Severity: pb.SEVERITY_MINOR, Necessary: true, NecessityDigest: why[:], BreachOf: "41010520260603000017", TextDigest: digest[:],
	}
	if diff := cmp.Diff(want, row.Messages[0].GetRecordOther().Content); diff != "" {
		t.Error(diff)
	}
	if err := sanction.CheckOther(row.Messages[0].GetRecordOther()); err != nil {
		t.Error(err)
	}
}

// A row of a list is the notice that led to the entry, and the decision that rests on it.
func TestListMessages(t *testing.T) {
	row := one(t, Lists)
	if len(row.Messages) != 2 {
		t.Fatalf("%d messages", len(row.Messages))
	}
	n, c := row.Messages[0].GetNotifyListing(), row.Messages[1].GetDecideListing()
	if err := sanction.CheckNotify(n); err != nil {
		t.Error(err)
	}
	if err := sanction.CheckDecide(c); err != nil {
		t.Error(err)
	}
	procedure, penalty := sanction.ListingID(&n.Notice), sanction.PenaltyID(agency, "示例市监罚〔2026〕1号", firm)
	id := sanction.ID(pb.DISHONESTY_LIST, agency, "示例列〔2026〕1号", firm)
	digest := testVault.Digest(id, map[string]string{"subject_name": "示例食品有限公司（合成）", "issuer_name": "示例局", "reason": "示例事由", "basis": "示例依据"})
	conditions := testVault.Digest(id, map[string]string{"conditions": "示例条件"})
	want := pb.ListContent{
		Issuer: agency, Subject: firm, DocNo: "示例列〔2026〕1号", List: "SC", DecidedOn: day(t, "2026-07-01"), ServedOn: day(t, "2026-07-02"), RepairNoticeServed: true,
		ViolationRegion: "410105", PowerCode: "P-001", Measures: []string{"M01", "M07", "M08"}, Basis: [][]byte{penalty[:]}, ConditionsDigest: conditions[:],
		TextDigest: digest[:], Listing: procedure[:],
	}
	if diff := cmp.Diff(want, c.Content); diff != "" {
		t.Error(diff)
	}
	if string(row.Record) != string(id[:]) || n.Notice.ServedOn != day(t, "2026-06-01") || !n.Notice.RightsTold {
		t.Errorf("%x %+v", row.Record, n.Notice)
	}
	alone := one(t, Lists, map[string]any{"doc_no": "", "decided_on": "", "served_on": ""})
	if len(alone.Messages) != 1 || string(alone.Record) != string(procedure[:]) || alone.Issuer != agency {
		t.Errorf("%+v", alone)
	}
}
