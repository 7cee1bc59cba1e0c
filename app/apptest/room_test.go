package apptest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// TestShareOfRows: a block looks through no more rows for one member than its share, by whichever messages it asks for that, in one transaction or in many,
// refused or not; another member's messages, and the next block, have a share of their own.
func TestShareOfRows(t *testing.T) {
	t.Parallel()
	const share = 1 << 17
	s := NewScript(t, Options{Apps: 2, Edit: func(g *pb.Genesis) {
		g.Params = append(g.Params, pb.Param{Name: "member_rows_per_block", Value: share})
	}})
	s.must("enrol firm=A")
	s.must("enrol firm=B")
	s.must("record by=js-rsj firm=B no=1 fine=1000")
	const rows = 2000 // a proposal looks through all of them, for what excludes it
	s.line(t, fmt.Sprintf("fill by=zz-scjg firm=A no=1 to=%d", rows))
	propose := func(by, firm string, n int) (msgs []pb.Msg) {
		for i := range n {
			s.nonce++
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
				Issuer: s.agency(by), Subject: firm, List: "HN28", ProposalNo: fmt.Sprintf("JL-%d-%d", s.nonce, i), GroundsDigest: digest("grounds"),
			}}})
		}
		return msgs
	}
	publish := func(by, firm string, no int) pb.Msg {
		id := x.RecordID("penalty", s.agency(by), docNo(fmt.Sprint(no)), firm)
		return pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: s.agency(by), Record: id[:]}}}
	}
	a, b := USCC("91410100", "Y00100"), USCC("91410100", "Y00101")
	const fit = share/rows + 1 // the last one begins while there is a row left
	out := s.send("zz-scjg", propose("zz-scjg", a, fit+9)...)
	if want := fmt.Sprintf("%d to %d: E_ROW_SHARE: the block has looked through %d rows of subjects for %s", fit, fit+8, fit*rows, s.agency("zz-scjg")); !strings.Contains(out, want) {
		t.Fatalf("%s, want %s", out, want)
	}
	if out := s.send("zz-scjg", propose("zz-scjg", a, 1)...); out != "OK" {
		t.Fatalf("in the next block: %s", out)
	}
	// The work of a transaction that was refused was done all the same. A transaction that asks for no look at anything is refused too: it comes later.
	r := s.Block(
		s.Sign("zz-scjg", propose("zz-scjg", a, fit+9)...),
		s.Sign("zz-scjg", propose("zz-scjg", b, 1)...),
		s.Sign("js-rsj", publish("js-rsj", b, 1)),
	)
	for i, want := range []string{"E_ROW_SHARE", "E_ROW_SHARE", ""} {
		if r[i].Codespace != want {
			t.Errorf("transaction %d: %q, want %q: %s", i, r[i].Codespace, want, r[i].Log)
		}
	}
	// A standing is made of all rows: who has one made anew pays for the versions in the file, and who has the same made again in that block does not.
	for i, r := range s.Block(s.Sign("zz-scjg", propose("zz-scjg", a, fit-1)...), s.Sign("zz-scjg", propose("zz-scjg", b, 1)...)) {
		if want := []string{"", "E_ROW_SHARE"}[i]; r.Codespace != want {
			t.Errorf("transaction %d: %q, want %q: %s", i, r.Codespace, want, r.Log)
		}
	}
	var txs [][]byte
	for i := range share/rows + 20 {
		txs = append(txs, s.Sign("zz-scjg", publish("zz-scjg", a, i+1)))
	}
	for i, r := range s.Block(txs...) {
		if r.Code != 0 {
			t.Fatalf("publication %d of one firm's records: %s", i, r.Log)
		}
	}
}

// TestRowsOfABlock: members with a share each do not add up. Beyond what a block looks through for all of them a transaction is undone, leaves no trace and is
// carried out in a block to come, by the same bytes; who asks for little is not kept out by those who ask for much.
func TestRowsOfABlock(t *testing.T) {
	t.Parallel()
	const most, rows, each = 1 << 17, 2000, 40 // a member's forty proposals are within its share, two members' are more than the block holds
	s := NewScript(t, Options{Apps: 2, Edit: func(g *pb.Genesis) {
		g.Params = append(g.Params, pb.Param{Name: "member_rows_per_block", Value: most}, pb.Param{Name: "rows_per_block", Value: most})
	}})
	members := []string{"zz-scjg", "gy-scjg", "js-rsj"}
	var txs [][]byte
	for i, by := range members {
		region := []string{"410100", "410181", "410105"}[i]
		s.must(fmt.Sprintf("enrol firm=%s region=%s", by, region))
		s.line(t, fmt.Sprintf("fill by=%s firm=%s no=1 to=%d region=%s", by, by, rows, region))
	}
	for i, by := range members {
		var msgs []pb.Msg
		for n := range each {
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
				Issuer: s.agency(by), Subject: s.firms[by], List: "HN28", ProposalNo: fmt.Sprintf("JL-%d-%d", i, n), GroundsDigest: digest("grounds"),
			}}})
		}
		txs = append(txs, s.Sign(by, msgs...))
	}
	later := s.Sign("zz-scjg", pb.Msg{Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
		Issuer: s.agency("zz-scjg"), Subject: s.firms["zz-scjg"], List: "HN28", ProposalNo: "JL-later", GroundsDigest: digest("grounds"),
	}}})
	small := s.Sign("registry", s.enrolMsg(USCC("91410100", "Y00190")))
	sizes := func() (all []uint64) {
		s.Read(func(r x.Reader) {
			for _, by := range members {
				all = append(all, subject.FileSize(r, s.firms[by]))
			}
		})
		return all
	}
	before := sizes()
	block := func(want []string, txs ...[]byte) {
		t.Helper()
		for i, r := range s.Block(txs...) {
			if r.Codespace != want[i] {
				t.Errorf("transaction %d: %q, want %q: %s", i, r.Codespace, want[i], r.Log)
			}
			if r.Codespace != "E_BLOCK_WORK" {
				continue
			}
			var all, own int
			if _, err := fmt.Sscanf(r.Log, "E_BLOCK_WORK: the block has looked through %d rows of subjects, %d of them", &all, &own); err != nil {
				t.Fatalf("%v: %s", err, r.Log)
			}
			if n := len(members) + 1; all > 2*most+n*rows { // the bound, the members' parts, and of each the message that began before
				t.Errorf("the block looked through %d rows", all)
			}
			id, err := app.TxID(txs[i])
			must(t, err)
			for _, a := range s.Apps {
				if _, ok, err := a.Outcome(id); ok || err != nil {
					t.Errorf("transaction %d waits and has an outcome (%v)", i, err)
				}
			}
		}
	}
	const wait = "E_BLOCK_WORK"
	block([]string{"", wait, wait, wait, ""}, txs[0], txs[1], txs[2], later, small)
	if now := sizes(); now[0] != before[0]+each || now[1] != before[1] || now[2] != before[2] {
		t.Errorf("what waits has left rows: %d, before %d", now, before)
	}
	block([]string{"", wait, ""}, txs[1], txs[2], later)
	block([]string{"", "E_TX_SEEN"}, txs[2], txs[1])
	if now := sizes(); now[0] != before[0]+each+1 || now[1] != before[1]+each || now[2] != before[2]+each {
		t.Errorf("in the end the files have %d rows, before %d", now, before)
	}
}

// BenchmarkFullBlock shows what a block costs in which the members ask for as many rows as a block looks through for all of them, and for their parts of as many once more; beside the
// same proposals about firms with one record.
func BenchmarkFullBlock(b *testing.B) {
	const rows = 2000
	s := NewScript(b, Options{Apps: 1, Dirs: []string{b.TempDir()}})
	members, regions := []string{"zz-scjg", "gy-scjg", "js-rsj"}, []string{"410100", "410181", "410105"}
	for i, by := range members {
		for _, firm := range []struct {
			name string
			rows int
		}{{by, rows}, {by + "-small", 1}} {
			s.mustRun(fmt.Sprintf("enrol firm=%s region=%s", firm.name, regions[i]))
			s.mustRun(fmt.Sprintf("fill by=%s firm=%s no=1 to=%d region=%s", by, firm.name, firm.rows, regions[i]))
		}
	}
	block := func(of string) (took time.Duration, done, waiting int) {
		var txs [][]byte
		for _, by := range members {
			for left := pb.RowsPerBlock/rows + 1; left > 0; {
				var msgs []pb.Msg
				for ; left > 0 && len(msgs) < 50; left-- {
					s.nonce++
					msgs = append(msgs, pb.Msg{Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
						Issuer: s.agency(by), Subject: s.firms[by+of], List: "HN28", ProposalNo: fmt.Sprintf("JL-%d", s.nonce), GroundsDigest: digest("grounds"),
					}}})
				}
				txs = append(txs, s.Sign(by, msgs...))
			}
		}
		start := time.Now()
		for _, r := range s.Block(txs...) {
			switch r.Codespace {
			case "":
				done++
			case "E_BLOCK_WORK", "E_ROW_SHARE":
				waiting++
			default:
				b.Fatal(r.Log)
			}
		}
		return time.Since(start), done, waiting
	}
	var full, small time.Duration
	done, waiting := 0, 0
	for b.Loop() {
		var took time.Duration
		took, done, waiting = block("")
		full += took
		took, _, _ = block("-small")
		small += took
	}
	b.ReportMetric(full.Seconds()/float64(b.N)*1e3, "ms-a-block")
	b.ReportMetric(float64(full)/float64(small), "x-small-firms")
	b.ReportMetric(float64(done), "txs")
	b.ReportMetric(float64(waiting), "txs-that-wait")
}

// BenchmarkFullFile shows what a firm costs whose file has no room left, for one agency and for all together: the standing made of published records, the
// rows in its group of a snapshot and the check of that group, and the bundle of a lender.
func BenchmarkFullFile(b *testing.B) {
	for _, all := range []bool{false, true} {
		name := "one agency"
		if all {
			name = "all agencies"
		}
		b.Run(name, func(b *testing.B) { fullFile(b, all) })
	}
}

func fullFile(b *testing.B, all bool) {
	s := NewScript(b, Options{Apps: 1, Dirs: []string{b.TempDir()}})
	run := func(line string) { s.mustRun(line) }
	run("enrol firm=A")
	firm, last := USCC("91410100", "Y00100"), map[string]int{"zz-scjg": pb.FileCommon - 1 + pb.FileMemberRows}
	run(fmt.Sprintf("fill by=zz-scjg firm=A no=1 to=%d", last["zz-scjg"]))
	if all {
		last["js-rsj"], last["gy-scjg"] = pb.FileMemberRows, pb.FileMemberRows
		run(fmt.Sprintf("fill by=js-rsj firm=A no=1 to=%d", pb.FileMemberRows))
		run(fmt.Sprintf("fill by=gy-scjg firm=A no=1 to=%d region=410181", pb.FileMemberRows))
		run(fmt.Sprintf("fill by=ops issuer=zz-scjg firm=A no=20001 to=%d", 20000+pb.FileRows-3*pb.FileMemberRows))
	}
	for _, by := range slices.Sorted(maps.Keys(last)) {
		for no := 1; no <= last[by]; {
			var msgs []pb.Msg
			for ; no <= last[by] && len(msgs) < pb.MessagesMax; no++ {
				id := x.RecordID("penalty", s.agency(by), docNo(fmt.Sprint(no)), firm)
				msgs = append(msgs, pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: s.agency(by), Record: id[:]}}})
			}
			if r := s.Block(s.Sign(by, msgs...)); r[0].Code != 0 {
				b.Fatal(r[0].Log)
			}
		}
	}
	s.Block()
	s.Read(func(r x.Reader) {
		size := 0
		var rows []subject.Row
		subject.EachFileRow(r, firm, func(key, value []byte) bool {
			rows, size = append(rows, subject.Row{Key: bytes.Clone(key), Value: bytes.Clone(value)}), size+len(key)+len(value)
			return true
		})
		head, _ := r.Get(subject.HeadKey(firm))
		start := time.Now()
		must(b, subject.CheckFileRows(firm, bytes.Clone(head), rows))
		checked := time.Since(start)
		of, _ := subject.Get(r, firm)
		n := 0
		for b.Loop() {
			n = int(standing.Build(r, s.Secret, of).Counts.Penalties)
		}
		b.ReportMetric(float64(n), "published")
		b.ReportMetric(float64(subject.FileSize(r, firm)), "versions")
		b.ReportMetric(float64(size)/(1<<20), "MiB-in-group")
		b.ReportMetric(float64(checked.Milliseconds()), "check-ms")
	})
	bundle := s.Bundle(firm)
	if v, err := s.Verify(bundle, firm, "no-serious"); err != nil || !v.Holds {
		b.Fatal(v, err)
	}
	b.ReportMetric(float64(len(bundle))/1024, "bundle-KiB")
}

// mustRun runs a command that has to succeed, fill among them.
func (s *Script) mustRun(line string) {
	s.tb.Helper()
	if out := s.line(s.tb, line); out != "OK" && !strings.HasPrefix(out, "up to") {
		s.tb.Fatalf("%s: %s", line, out)
	}
}
