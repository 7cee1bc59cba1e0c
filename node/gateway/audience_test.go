package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// The table of the domain rules (§11.2), written down a second time and by hand: which form a reader gets of a record in each state. gy-scjg
// is another agency, ops acts for zz-scjg by mandate and files for firms, gov1 is another agency of the province.
var audienceTable = []struct {
	state string
	sees  map[string]string // "": not even a trace
}{
	{"registered", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"}},
	{"published", map[string]string{"": "published", "gov1": "published", "gy-scjg": "published", "ops": "full", "zz-scjg": "full", "auditor": "full"}},
	{"unpublished", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"}},
	{"repaired", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"}},
	{"expired", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"}},
	{"shared", map[string]string{"": "", "gov1": "published", "gy-scjg": "published", "ops": "published", "zz-scjg": "full", "auditor": "full"}}, // expired, share_after_expiry
	{"archived", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"}},
	{"shielded", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"}}, // ops filed the plan
	{"held", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"}},     // published, and 信用中国 does not show it
	{"corrected", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"}},    // the version that stood
	{"withdrawn", map[string]string{"": "", "gov1": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"}},
}

// A record of each state, every reader, both routes that speak of records, and the public ones.
func TestAudienceTable(t *testing.T) {
	const type4 = "41010020261012000001"
	states := map[string][]string{ // commands that bring record no=7 of firm a there
		"registered":  {},
		"published":   {"publish by=ops issuer=zz-scjg firm=a no=7"},
		"unpublished": nil,
		"withdrawn":   {"publish by=ops issuer=zz-scjg firm=a no=7", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7"},
		"archived":    {"withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "on 2026-09-01", "block"},
		"shielded": {
			"publish by=ops issuer=zz-scjg firm=a no=7", "file-plan by=ops firm=a case=PO-1", "shield by=zz-scjg firm=a no=7 case=PO-1",
		},
		"held": {
			"publish by=ops issuer=zz-scjg firm=a no=7", "govern put=ops credit-china", "on 2026-07-21", "reconcile by=ops firm=a",
		},
		"corrected": {"publish by=ops issuer=zz-scjg firm=a no=7", "correct by=zz-scjg firm=a no=7 kinds=1 decided=2026-07-15"},
		"shared":    {"govern param=share_after_expiry value=1", "publish by=ops issuer=zz-scjg firm=a no=7", "on 2027-07-16", "block"},
		"expired":   {"publish by=ops issuer=zz-scjg firm=a no=7", "on 2027-07-16", "block"},
		"repaired": {
			"publish by=ops issuer=zz-scjg firm=a no=7", "on 2026-10-19", "commit by=zz-scjg firm=a code=" + type4 + " type=4 accepted",
			"apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment=" + type4,
			"accept-repair by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1",
		},
	}
	for _, row := range audienceTable {
		t.Run(row.state, func(t *testing.T) {
			w := newWorld(t)
			w.enrolAll()
			w.do("on 2026-07-20")
			if row.state == "unpublished" {
				w.do("record by=ops issuer=zz-scjg firm=a no=7 kinds=1 decided=2026-07-15")
			} else {
				w.do("record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
			}
			w.do(states[row.state]...)
			w.Block()
			w.Block()

			id, state := w.penalty("a", "7"), row.state
			switch state {
			case "held":
				state = "published"
			case "shared":
				state = "expired"
			case "corrected": // what stands is 轻微 and not published; this is the version before
				older := sanction.PenaltyID(w.Actors["zz-scjg"].USCC, "郑市监处罚〔2026〕7号#v1", w.firm("a"))
				id = fmt.Sprintf("%x", older)
			}
			for reader, want := range row.sees {
				name := "the public"
				if reader != "" {
					name = reader
				}
				a := w.get(reader, "/v1/records/"+id)
				var rec struct {
					View    string
					Penalty struct{ State string }
				}
				a.into(t, &rec)
				if rec.View != want {
					t.Errorf("%s gets %q of a record that is %s, want %q", name, rec.View, row.state, want)
				}
				if want == "full" && rec.Penalty.State != state {
					t.Errorf("the record is %s, not %s: the test tests nothing", rec.Penalty.State, row.state)
				}
				if want == "" {
					if none := w.get(reader, "/v1/records/"+strings.Repeat("0", 64)); a.status != 404 || !bytes.Equal(a.body, none.body) {
						t.Errorf("%s can tell a record that is %s from none:\n%s%s", name, row.state, a.body, none.body)
					}
				}
				if state == "corrected" {
					continue // its file holds the record that stands as well
				}
				if reader == "" {
					w.want(w.get("", "/v1/files/"+w.firm("a")), 401, "E_AUDIENCE")
					continue
				}
				var file struct {
					Penalties []struct{ ID, View string }
					Repairs   []struct{ ID string }
					File      *json.RawMessage
				}
				f := w.get(reader, "/v1/files/"+w.firm("a"))
				f.into(t, &file)
				got := ""
				if len(file.Penalties) == 1 {
					got = file.Penalties[0].View
				}
				if got != want || (file.File != nil) != (reader == "auditor") {
					t.Errorf("%s finds %q in the file, want %q:\n%s", name, got, want, f.body)
				}
				if want == "" {
					clean := w.get(reader, "/v1/files/"+w.firm("b"))
					if strings.ReplaceAll(string(f.body), w.firm("a"), "FIRM") != strings.ReplaceAll(string(clean.body), w.firm("b"), "FIRM") {
						t.Errorf("%s can tell the file from that of a clean firm:\n%s%s", name, f.body, clean.body)
					}
				}
			}
			var s struct{ Penalties []struct{ Record string } }
			w.public("/v1/subjects/"+w.firm("a")).into(t, &s)
			if (len(s.Penalties) == 1) != (row.state == "published") {
				t.Errorf("the standing shows %v", s.Penalties)
			}
		})
	}
}

// Applications are never public, and of one that took effect only recogniser and auditor know.
func TestAudienceOfRepairsAndCommitments(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	const type4, closed, ranged = "41010020261012000001", "41010020261012000002", "41010020261012000003"
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"on 2026-10-19", "commit by=zz-scjg firm=a code="+type4+" type=4 accepted", "commit by=zz-scjg firm=a code="+closed+" type=2 public=3 accepted",
		"commit by=zz-scjg firm=a code="+ranged+" type=2 public=2 accepted",
		"apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment="+type4)
	var repairs struct{ Repairs []struct{ ID string } }
	w.get("auditor", "/v1/files/"+w.firm("a")).into(t, &repairs)
	if len(repairs.Repairs) != 1 {
		t.Fatalf("%+v", repairs)
	}
	sees := func(id string, want map[string]string) {
		t.Helper()
		w.Block()
		w.Block()
		unknown := strings.Repeat("0", len(id))
		if len(id) == 20 {
			unknown = "41010020261012000009"
		}
		for reader, view := range want {
			var rec struct{ View string }
			a := w.get(reader, "/v1/records/"+id)
			a.into(t, &rec)
			if rec.View != view {
				t.Errorf("%q gets %q of %s, want %q", reader, rec.View, id, view)
			}
			if view == "" && !bytes.Equal(a.body, w.get(reader, "/v1/records/"+unknown).body) {
				t.Errorf("%q can tell %s from an unknown id", reader, id)
			}
		}
	}
	none := func(code string) {
		t.Helper()
		a, b := w.public("/v1/commitments/"+code), w.public("/v1/commitments/41010020261012000009")
		if a.status != 404 || a.status != b.status || !bytes.Equal(a.body, b.body) || fmt.Sprint(a.header["Content-Type"], a.header["Content-Length"]) != fmt.Sprint(b.header["Content-Type"], b.header["Content-Length"]) {
			t.Errorf("%s is not answered as an unknown code: %s", code, a.body)
		}
	}
	r := repairs.Repairs[0].ID
	sees(r, map[string]string{"": "", "gy-scjg": "", "gov1": "", "ops": "full", "zz-scjg": "full", "auditor": "full"})
	sees(type4, map[string]string{"": "published", "gy-scjg": "published", "ops": "full", "zz-scjg": "full", "auditor": "full"})
	sees(closed, map[string]string{"": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"})
	sees(ranged, map[string]string{"": "", "gy-scjg": "", "ops": "full", "zz-scjg": "full", "auditor": "full"})
	none(closed)
	none(ranged)
	w.do("accept-repair by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1")
	sees(r, map[string]string{"": "", "gy-scjg": "", "gov1": "", "ops": "", "zz-scjg": "full", "auditor": "full"})
	sees(type4, map[string]string{"": "", "gy-scjg": "", "ops": "", "zz-scjg": "full", "auditor": "full"})
	none(type4)

	// A mandate that was revoked, that is for something else, or that has ended, is none.
	w.do("revoke-mandate by=zz-scjg to=ops")
	sees(closed, map[string]string{"ops": ""})
	w.do("mandate by=zz-scjg to=ops kinds=1,2")
	sees(closed, map[string]string{"ops": ""})
	w.do("mandate by=zz-scjg to=ops kinds=3 to-day=2026-11-20")
	sees(closed, map[string]string{"ops": "full"})
	w.do("on 2026-11-21")
	sees(closed, map[string]string{"ops": ""})

	w.want(w.get("ops", "/v1/records/"+strings.Repeat("A", 64)), 400, "E_ID")
	w.want(w.get("ops", "/v1/records/1"), 400, "E_ID")
	w.want(w.get("ops", "/v1/files/"+w.firm("nobody")), 404, "E_SUBJECT_UNKNOWN")
}

// Bars, alarms and the log of a file are the auditor's; alarms the recogniser's too.
func TestWholeFile(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "on 2026-08-20", "publish by=ops issuer=zz-scjg firm=a no=7")
	w.Block()
	for reader, want := range map[string][3]int{"auditor": {2, 1, 4}, "zz-scjg": {1, 0, 0}, "ops": {1, 0, 0}, "gy-scjg": {0, 0, 0}} {
		var f struct {
			Alarms, Bars []json.RawMessage
			File         struct{ Entries []json.RawMessage }
		}
		a := w.get(reader, "/v1/files/"+w.firm("a"))
		a.into(t, &f)
		if len(f.Alarms) != want[0] || len(f.Bars) != want[1] || (len(f.File.Entries) >= want[2]) != true || want[2] == 0 && len(f.File.Entries) > 0 {
			t.Errorf("%s finds %d alarms, %d bars, %d entries, want %v: %s", reader, len(f.Alarms), len(f.Bars), len(f.File.Entries), want, a.body)
		}
	}
	// An alarm about what another agency's record lays on the reader goes with that record.
	w.do("withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
	w.Block()
	for reader, want := range map[string]int{"auditor": 2, "zz-scjg": 1, "ops": 0} {
		var f struct{ Alarms []json.RawMessage }
		a := w.get(reader, "/v1/files/"+w.firm("a"))
		a.into(t, &f)
		if len(f.Alarms) != want {
			t.Errorf("once the record is withdrawn %s finds %d alarms, want %d: %s", reader, len(f.Alarms), want, a.body)
		}
	}
}

// No field that the public can get speaks of repair, history or what is hidden (INV-04).
func TestNoFieldTells(t *testing.T) {
	spec := loadSpec(t)
	for _, name := range []string{"SubjectAnswer", "Standing", "CommitmentAnswer", "PublishedPenalty", "PublishedCommitment", "BundleView", "BundleEntry", "Subjects", "Problem", "AsOf", "Counts"} {
		raw, err := json.Marshal(spec.Components.Schemas[name])
		must(t, err)
		for _, word := range []string{"repair", "hidden", "histor", "tombstone", "withdrawn_", "removed", "unpublished", "expired", "out_of_view", "changes"} {
			if bytes.Contains(bytes.ToLower(raw), []byte(word)) {
				t.Errorf("schema %s holds the word %q", name, word)
			}
		}
	}
	w := newWorld(t)
	w.Block()
	w.Block()
	w.get("", "/v1/subjects/"+w.firm("a"))
	m := w.get("", "/metrics")
	if m.status != http.StatusOK || bytes.Contains(m.body, []byte(w.firm("a"))) {
		t.Fatalf("metrics: %d %s", m.status, m.body)
	}
}

// What stands beside the records: who finds a case, a decision without a penalty, attention and the list of 信用中国 in a file. js-rsj decides under no named
// power, so it sees no decision under P-1.
func TestBesideRecords(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("govern put=gov1 credit-china roles=1,4", "govern competence=gy-scjg region=410181 power-code=P-1", "on 2026-07-20",
		"file-case by=zz-scjg firm=a act=smoke", "no-penalty by=zz-scjg firm=a no=1 power=P-1")
	for _, no := range []string{"2", "3", "4"} {
		w.do("record by=zz-scjg issuer=zz-scjg firm=a no="+no+" fine=1000", "publish by=zz-scjg issuer=zz-scjg firm=a no="+no)
	}
	sees := func(want map[string][4]bool) {
		t.Helper()
		w.Block()
		for reader, want := range want {
			var f struct {
				Cases       []json.RawMessage
				NoPenalties []json.RawMessage `json:"no_penalties"`
				Attention   *json.RawMessage
				Reconciled  *json.RawMessage `json:"reconciliation"`
			}
			a := w.get(reader, "/v1/files/"+w.firm("a"))
			a.into(t, &f)
			if got := [4]bool{len(f.Cases) == 1, len(f.NoPenalties) == 1, f.Attention != nil, f.Reconciled != nil}; got != want {
				t.Errorf("%s finds case, decision without a penalty, attention, list: %v, want %v", reader, got, want)
			}
		}
	}
	sees(map[string][4]bool{
		"zz-scjg": {true, true, true, false}, "gy-scjg": {false, true, true, false}, "js-rsj": {false, false, true, false},
		"ops": {false, false, true, false}, "auditor": {true, true, true, false},
	})
	no := leniency.ID(w.Actors["zz-scjg"].USCC, "郑市监处罚〔2026〕1号", w.firm("a"))
	path := fmt.Sprintf("/v1/records/%x", no)
	for reader, status := range map[string]int{"": 404, "zz-scjg": 200, "gy-scjg": 200, "js-rsj": 404, "auditor": 200} {
		if a := w.get(reader, path); a.status != status {
			t.Errorf("%q asks for the decision without a penalty: %d, want %d", reader, a.status, status)
		}
	}
	// A list of 信用中国 that shows nothing: the attention goes with the records, and agencies are told nothing of what was.
	w.do("on 2026-07-21", "reconcile by=gov1 firm=a")
	sees(map[string][4]bool{
		"zz-scjg": {true, true, false, false}, "gy-scjg": {false, true, false, false}, "gov1": {false, false, false, true}, "auditor": {true, true, true, true},
	})
	// Withdrawn, the decision is its own agency's.
	w.do("withdraw-no-penalty by=zz-scjg firm=a no=1")
	sees(map[string][4]bool{"zz-scjg": {true, true, false, false}, "gy-scjg": {false, false, false, false}})
}
