package intake

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// listOf makes a file of rows "firm kind number day"; a dash is an empty cell.
func listOf(rows ...string) []byte {
	var b strings.Builder
	b.WriteString("subject_uscc,kind,issuer_uscc,doc_no,as_of\n")
	for _, r := range rows {
		f := strings.Fields(strings.NewReplacer("A", firm, "B", firm2, "?", "91410100Y00000016B", "person", personID).Replace(r))
		issuer := agency
		for i := range f {
			if f[i] == "-" {
				f[i] = ""
			}
		}
		if f[1] == "" {
			issuer = ""
		}
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s\n", f[0], f[1], issuer, f[2], f[3])
	}
	return []byte(b.String())
}

func docNo(n int) string { return fmt.Sprintf("示例罚〔2026〕%d号", n) }

// The rows of a firm are one message, in the order of the file; a row that stands twice is said once.
func TestListsOfCreditChina(t *testing.T) {
	day2 := day(t, "2026-07-02")
	rows, err := readAll(t, listOf(
		"A penalty "+docNo(1)+" 2026-07-02", "B - - 2026-07-01", "A 异常名录 "+docNo(2)+" 2026-07-02", "A penalty "+docNo(1)+" 2026-07-02",
		"A 严重失信主体名单 "+docNo(3)+" 2026-07-02", "A other "+docNo(4)+" 2026-07-02", "person penalty "+docNo(5)+" 2026-07-02",
	), CreditChina, Options{Issuer: agency})
	if err != nil || len(rows) != 7 {
		t.Fatal(len(rows), err)
	}
	shown := func(kind pb.DishonestyKind, n int) pb.ShownRecord {
		return pb.ShownRecord{Kind: kind, Issuer: agency, DocNo: docNo(n)}
	}
	want := &pb.Reconcile{Issuer: agency, Subject: firm, AsOf: day2, Shown: []pb.ShownRecord{
		shown(pb.DISHONESTY_PENALTY, 1), shown(pb.DISHONESTY_ABNORMAL, 2), shown(pb.DISHONESTY_LIST, 3), shown(pb.DISHONESTY_OTHER, 4),
	}}
	got := rows[0].Messages[0].GetReconcile()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := sanction.CheckReconcile(got); err != nil {
		t.Error(err)
	}
	if e := rows[1].Messages[0].GetReconcile(); e.Subject != firm2 || len(e.Shown) != 0 || e.AsOf != day2-1 {
		t.Errorf("%+v", e)
	}
	of := []int{0, 0, 2, 2, 2, 2, 0}
	for i := range rows {
		if rows[i].Number != i+2 || rows[i].Of != of[i] || rows[i].Of != 0 && len(rows[i].Messages) != 0 {
			t.Errorf("row %d is of row %d, want %d", rows[i].Number, rows[i].Of, of[i])
		}
	}
	if len(rows[3].Notes) != 1 || rows[6].Refusal == nil || rows[6].Refusal.Code != CodeNaturalPerson {
		t.Errorf("%v %v", rows[3].Notes, rows[6].Refusal)
	}
	for i, kind := range map[int]pb.DishonestyKind{0: pb.DISHONESTY_PENALTY, 2: pb.DISHONESTY_ABNORMAL, 4: pb.DISHONESTY_LIST, 5: pb.DISHONESTY_OTHER} {
		id := sanction.ID(kind, agency, map[int]string{0: docNo(1), 2: docNo(2), 4: docNo(3), 5: docNo(4)}[i], firm)
		if string(rows[i].Record) != string(id[:]) {
			t.Errorf("row %d is record %x", rows[i].Number, rows[i].Record)
		}
	}
}

// What a list leaves out is held back: a list that is not whole is not sent (INV-42).
func TestListsThatAreNotWhole(t *testing.T) {
	a, b := "A penalty "+docNo(1)+" 2026-07-02", "B penalty "+docNo(2)+" 2026-07-02"
	for name, c := range map[string]struct {
		rows  []string
		codes string // of each row
	}{
		"a row of the firm":          {[]string{a, b, "A penalty - 2026-07-02", a}, "E_LIST_INCOMPLETE  E_DOCNO E_LIST_INCOMPLETE"},
		"the firm of a row":          {[]string{a, "? penalty " + docNo(3) + " 2026-07-02", b}, "E_LIST_INCOMPLETE E_USCC_CHECK E_LIST_INCOMPLETE"},
		"two days":                   {[]string{a, b, "A penalty " + docNo(3) + " 2026-07-03"}, "E_LIST_INCOMPLETE  E_LIST_INCOMPLETE"},
		"nothing and something":      {[]string{"A - - 2026-07-02", b, a}, "E_LIST_INCOMPLETE  E_LIST_INCOMPLETE"},
		"something and nothing":      {[]string{a, "A - - 2026-07-02", b}, "E_LIST_INCOMPLETE E_LIST_INCOMPLETE "},
		"a natural person is no gap": {[]string{a, "person penalty " + docNo(3) + " 2026-07-02", b}, " E_NATURAL_PERSON "},
	} {
		rows, err := readAll(t, listOf(c.rows...), CreditChina, Options{Issuer: agency})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			code := ""
			if r.Refusal != nil {
				code = r.Refusal.Code
			}
			if (code != "") == (len(r.Messages) != 0) && r.Of == 0 {
				t.Errorf("%s: row %d: %q and %d messages", name, r.Number, code, len(r.Messages))
			}
			got = append(got, code)
		}
		if s := strings.Join(got, " "); s != c.codes {
			t.Errorf("%s: %q, want %q", name, s, c.codes)
		}
	}
	many := make([]string, pb.ShownMax+1)
	for i := range many {
		many[i] = "A penalty " + docNo(i+1) + " 2026-07-02"
	}
	rows, err := readAll(t, listOf(many...), CreditChina, Options{Issuer: agency})
	if err != nil || rows[0].Refusal == nil || rows[0].Refusal.Code != CodeIncomplete {
		t.Errorf("%v %v", rows[0].Refusal, err)
	}
}

// What a list is about: who is named, also where it is refused, and the one day of it.
func TestScopeOfList(t *testing.T) {
	for name, c := range map[string]struct {
		rows  []string
		named int
		asOf  int32
	}{
		"one day":       {[]string{"A penalty " + docNo(1) + " 2026-07-02", "B penalty - 2026-07-02"}, 2, day(t, "2026-07-02")},
		"two days":      {[]string{"A penalty " + docNo(1) + " 2026-07-02", "B - - 2026-07-03"}, 2, 0},
		"an unread one": {[]string{"A penalty " + docNo(1) + " 2026-07-02", "? - - 2026-07-02"}, 1, 0},
		"nobody":        {nil, 0, 0},
	} {
		r, err := Open(write(t, listOf(c.rows...)), CreditChina, Options{Issuer: agency})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		if named, asOf := r.Scope(); len(named) != c.named || asOf != c.asOf {
			t.Errorf("%s: %v %d", name, named, asOf)
		}
	}
}
