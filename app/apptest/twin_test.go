package apptest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// step of a story: a command on a day, and whether the public sees anything of the story once its block is committed.
type step struct {
	day, cmd string
	shows    bool
}

// What a firm may live through and come out of with nothing to be seen. Where a story names no firm it is F's; T is its twin.
var stories = map[string][]step{
	"S3 and S4: published, repaired": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000 decided=2026-07-15", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-10-12", "commit by=zz-scjg firm=F code=41010020261012000001 type=4 accepted", true},
		{"2026-10-19", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261012000001", true},
		{"2026-10-21", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-27", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2026-10-28", "block", false},
		{"2026-12-31", "block", false},
		{"2027-07-16", "block", false}, // the term passes, and nothing stirs
	},
	"a serious record with its bar, repaired": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 kinds=9", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2027-07-20", "commit by=zz-scjg firm=F code=41010020270720000001 type=4 accepted", true},
		{"2027-07-20", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020270720000001", true},
		{"2027-07-21", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2027-07-22", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2027-07-23", "block", false},
	},
	"published late, with an alarm, to its term": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000 decided=2026-07-15", false},
		{"2026-07-25", "block", false},
		{"2026-07-27", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2027-07-15", "block", true},
		{"2027-07-16", "block", false},
		{"2027-07-17", "block", false},
	},
	"a key, an authorisation and a grade, all ended": {
		{"2026-07-20", "register-key by=registry firm=F key=k1", false},
		{"2026-07-20", "grant by=bank firm=F key=k1 no=1", false},
		{"2026-07-21", "grade by=pj firm=F is=B found=2026-07-20 until=2026-12-31", true}, // its class has another digest
		{"2026-07-22", "commit by=zz-scjg firm=F code=41010020260722000001 type=6 public=2 accepted", true},
		{"2026-07-23", "withdraw-grade by=pj firm=F", true},
		{"2026-07-24", "withdraw-authorisation by=bank firm=F key=k1 no=1", true},
		{"2026-07-24", "withdraw-commitment by=zz-scjg firm=F code=41010020260722000001", true}, // stays in its class as withdrawn
		{"2026-07-25", "end-key by=registry firm=F key=k1", true},
	},
	"a grade and an authorisation to their last day": {
		{"2026-07-20", "register-key by=registry firm=F key=k1", false},
		{"2026-07-20", "grant by=bank firm=F key=k1 no=1 until=2026-07-31", false},
		{"2026-07-21", "grade by=pj firm=F is=B found=2026-07-20 until=2026-07-31", true},
		{"2026-07-31", "block", true},
		{"2026-08-01", "block", false},
		{"2026-08-02", "block", false},
	},
	"published and withdrawn": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 kinds=9", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-07-23", "withdraw by=zz-scjg issuer=zz-scjg firm=F no=7", false},
		{"2026-07-24", "block", false},
	},
	"registered and withdrawn": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 kinds=9", false},
		{"2026-07-23", "withdraw by=zz-scjg issuer=zz-scjg firm=F no=7", false},
	},
	"minor, never published": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 kinds=1", false},
		{"2026-10-20", "block", false},
		{"2026-10-21", "block", false},
	},
	"a repair that was revoked after the term": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-10-20", "commit by=zz-scjg firm=F code=41010020261020000001 type=4 accepted", true},
		{"2026-10-20", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261020000001", true},
		{"2026-10-20", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-20", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2027-07-21", "block", false},
		{"2027-07-22", "revoke by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false}, // neither record nor commitment comes back
		{"2027-07-23", "block", false},
	},
	"a repair that was revoked in time, then the term": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-10-20", "commit by=zz-scjg firm=F code=41010020261020000001 type=4 accepted", true},
		{"2026-10-20", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261020000001", true},
		{"2026-10-20", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-20", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2026-11-16", "revoke by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2027-07-20", "block", true},
		{"2027-07-21", "block", false},
	},
	"one application over two records, one repaired at once and one after a refusal": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=8 fine=130000", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=8", true},
		{"2026-10-20", "commit by=zz-scjg firm=F code=41010020261020000001 type=4 accepted", true},
		{"2026-10-20", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261020000001", true},
		{"2026-10-20", "apply by=ops issuer=zz-scjg firm=F no=8 application=XY-1 commitment=41010020261020000001", true},
		{"2026-10-21", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-21", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-22", "refuse by=zz-scjg issuer=zz-scjg firm=F no=8 application=XY-1", true}, // the record alone
		{"2026-10-23", "commit by=zz-scjg firm=F code=41010020261023000001 type=4 accepted", true},
		{"2026-10-23", "apply by=ops issuer=zz-scjg firm=F no=8 application=XY-2 commitment=41010020261023000001", true},
		{"2026-10-26", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=8 application=XY-2", true},
		{"2026-10-27", "approve by=zz-scjg issuer=zz-scjg firm=F no=8 application=XY-2", false},
		{"2026-10-28", "block", false},
		{"2026-10-30", "execute by=zz-scjg issuer=zz-scjg firm=F no=8 application=XY-2", false},
		{"2027-04-22", "block", false}, // an alarm: nobody looked back at the first
		{"2027-04-27", "track by=zz-scjg issuer=zz-scjg firm=F no=8 application=XY-2", false},
	},
	"withdrawn while an application waits": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-10-20", "commit by=zz-scjg firm=F code=41010020261020000001 type=4 accepted", true},
		{"2026-10-20", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261020000001", true},
		{"2026-10-21", "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2026-10-22", "withdraw by=zz-scjg issuer=zz-scjg firm=F no=7", false},
		{"2026-10-23", "block", false},
	},
	"the term passes while one application is refused and another waits": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2027-07-15", "commit by=zz-scjg firm=F code=41010020270715000001 type=4 accepted", true},
		{"2027-07-15", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020270715000001", true},
		{"2027-07-16", "refuse by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true},
		{"2027-07-16", "commit by=zz-scjg firm=F code=41010020270716000001 type=4 accepted", true},
		{"2027-07-16", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-2 commitment=41010020270716000001", true},
		{"2027-07-19", "supplement by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-2", true},
		{"2027-07-21", "block", false},
		{"2027-08-31", "block", false},
	},
	"objections to a record, the last one granted": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 fine=120000", false},
		{"2026-07-20", "object by=zz-scjg firm=F no=7 objection=O-0", false}, // not public yet
		{"2026-07-22", "publish by=ops issuer=zz-scjg firm=F no=7", true},
		{"2026-07-27", "resolve by=zz-scjg firm=F no=7 objection=O-0 result=upheld", true},
		{"2026-07-28", "object by=ops issuer=zz-scjg firm=F no=7 objection=O-1", true},
		{"2026-08-05", "forward by=ops issuer=zz-scjg firm=F no=7 objection=O-1", true},
		{"2026-08-12", "withdraw by=zz-scjg firm=F no=7", false},
		{"2026-08-13", "resolve by=zz-scjg firm=F no=7 objection=O-1 result=withdrawn", false},
		{"2026-08-14", "block", false},
	},
	"repaired under an objection that nobody answers": {
		{"2026-07-20", "record by=ops issuer=zz-scjg firm=F no=7 kinds=1", false},
		{"2026-07-20", "object by=ops issuer=zz-scjg firm=F no=7 objection=O-1", false},
		{"2026-07-21", "commit by=zz-scjg firm=F code=41010020260721000001 type=4 accepted", true},
		{"2026-07-21", "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020260721000001", true},
		{"2026-07-22", "refuse by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2026-07-22", "object by=ops against=repair issuer=zz-scjg firm=F no=7 application=XY-1 objection=O-2", false},
		{"2026-07-24", "reopen by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", true}, // the promise is public while an application is open
		{"2026-07-27", "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1", false},
		{"2026-08-07", "block", false},
	},
	"a proposal for an incentive list that is declined over an objection": {
		{"2026-07-20", "propose-incentive by=zz-scjg firm=F proposal=JL-1", false},
		{"2026-07-20", "notice-incentive by=zz-scjg firm=F proposal=JL-1", true},
		{"2026-07-21", "object by=ops against=incentive issuer=zz-scjg firm=F proposal=JL-1 objection=O-1", true},
		{"2026-07-29", "decline by=zz-scjg firm=F proposal=JL-1", false},
		{"2026-08-12", "block", false},
	},
	"an incentive to its last day": {
		{"2026-07-20", "propose-incentive by=zz-scjg firm=F proposal=JL-1", false},
		{"2026-07-20", "notice-incentive by=zz-scjg firm=F proposal=JL-1", true},
		{"2026-07-28", "recognise by=zz-scjg firm=F proposal=JL-1 until=2026-08-31", true},
		{"2026-08-03", "record by=zz-scjg firm=F no=7 fine=120000", true},
		{"2026-08-03", "publish by=zz-scjg firm=F no=7", true}, // the record in place of the incentive
		{"2026-08-31", "block", true},
		{"2026-09-01", "block", true},
		{"2026-09-02", "withdraw by=zz-scjg firm=F no=7", false},
		{"2026-09-03", "block", false},
	},
	"other dishonesty, repaired": {
		{"2026-07-20", "other by=js-rsj firm=F no=O1", false},
		{"2026-07-20", "publish by=ops issuer=js-rsj kind=other firm=F no=O1", true},
		{"2026-10-20", "commit by=js-rsj firm=F code=41010520261020000001 type=4 accepted", true},
		{"2026-10-20", "apply by=ops issuer=js-rsj kind=other firm=F no=O1 application=XY-1 commitment=41010520261020000001", true},
		{"2026-10-21", "accept-repair by=js-rsj kind=other firm=F no=O1 application=XY-1", true},
		{"2026-10-22", "approve by=js-rsj kind=other firm=F no=O1 application=XY-1", false},
		{"2027-07-21", "block", false},
	},
	"two entries of abnormal operation, one repaired and one taken out by its lister": {
		{"2026-07-20", "abnormal by=js-rsj firm=F no=A1", false},
		{"2026-07-20", "publish by=ops issuer=js-rsj kind=abnormal firm=F no=A1", true},
		{"2026-07-20", "abnormal by=zz-scjg firm=F no=A2", true},
		{"2026-07-20", "publish by=ops issuer=zz-scjg kind=abnormal firm=F no=A2", true},
		{"2026-07-21", "commit by=js-rsj firm=F code=41010520260721000001 type=4 accepted", true},
		{"2026-07-21", "apply by=ops issuer=js-rsj kind=abnormal firm=F no=A1 application=XY-1 commitment=41010520260721000001", true},
		{"2026-07-22", "accept-repair by=js-rsj kind=abnormal firm=F no=A1 application=XY-1", true},
		{"2026-07-23", "approve by=js-rsj kind=abnormal firm=F no=A1 application=XY-1", true},
		{"2026-07-24", "remove-abnormal by=zz-scjg firm=F no=A2", false},
		{"2027-07-21", "block", false},
	},
	"an entry in a list, removed early": {
		{"2026-07-20", "notify-listing by=js-rsj firm=F list=NMG notice=1", false},
		{"2026-07-20", "state-listing by=js-rsj firm=F list=NMG notice=1 waive", false},
		{"2026-07-21", "decide-listing by=js-rsj firm=F list=NMG notice=1 no=L1 region=410105", false},
		{"2026-07-21", "publish by=ops issuer=js-rsj kind=list firm=F no=L1", true},
		{"2027-07-21", "commit by=js-rsj firm=F code=41010520270721000001 type=4 accepted", true},
		{"2027-07-21", "apply by=ops issuer=js-rsj kind=list firm=F no=L1 application=XY-1 commitment=41010520270721000001", true},
		{"2027-07-22", "accept-repair by=js-rsj kind=list firm=F no=L1 application=XY-1", true},
		{"2027-07-23", "approve by=js-rsj kind=list firm=F no=L1 application=XY-1", false},
		{"2029-07-23", "block", false},
	},
	"a commitment and a breach that are not public": {
		{"2026-07-20", "commit by=zz-scjg firm=F code=41010020260720000001 type=2 public=3 accepted", false},
		{"2026-07-21", "assess by=zz-scjg code=41010020260720000001 status=3 unperformed=u action=a", false},
		{"2026-07-22", "cure by=zz-scjg code=41010020260720000001", false},
	},
}

func (s *Script) line(t testing.TB, line string) string {
	t.Helper()
	cmd, args, err := datadriven.ParseLine(line)
	must(t, err)
	return strings.TrimSpace(s.Run(&datadriven.TestData{Cmd: cmd, CmdArgs: args}))
}

// TestTwin is INV-03, INV-04 and INV-44. Each story is lived in two worlds. In one the firm F lives it, beside its twin T. In the other every
// transaction of the story is replaced by one of the same signer that a rule refuses. Over all heights:
//
//   - wherever the story shows nothing, F's standing and leaf are those from before it began, and equal to the twin's but for the code; so are the sets of the packs;
//   - what a proof looks like is the same in both worlds at every height, bit by bit: no leaf comes, goes or moves because of the story;
//   - bundles have the same size, and verify to the same verdicts.
//
// Apart from standings nothing of a subject is public; what package commitment and sanction call public is nothing at those heights either.
func TestTwin(t *testing.T) {
	t.Parallel()
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lived, quiet := NewScript(t, Options{Apps: 1, Window: 64, Checks: true}), NewScript(t, Options{Apps: 1, Window: 64, Checks: true})
			worlds := []*Script{lived, quiet}
			for _, w := range worlds {
				for _, firm := range []string{"F", "T", "U", "V", "W"} {
					if got := w.line(t, "enrol firm="+firm); got != "OK" {
						t.Fatal(got)
					}
				}
				w.Block()
			}
			first := lived.Height()
			shows := map[int64]bool{first: false}
			sizes := [2]map[int64]int{{}, {}}
			for _, st := range story {
				for i, w := range worlds {
					if day := mustDate(t, st.day); w.Today() != day {
						w.GoTo(day)
					}
					switch {
					case st.cmd == "block":
						w.Block()
					case w == lived:
						if got := w.line(t, st.cmd); got != "OK" {
							t.Fatalf("%s: %s", st.cmd, got)
						}
					default:
						w.refuse(t, st.cmd)
					}
					sizes[i][w.Height()] = len(w.Bundle(w.firms["F"])) // proves the height before
				}
				shows[lived.Height()] = st.shows
			}
			last := lived.Height()
			for _, w := range worlds {
				w.Block()
			}
			if lived.Height() != quiet.Height() {
				t.Fatal("the worlds have come apart")
			}
			f, tw := lived.firms["F"], lived.firms["T"]
			clean, packs, moved := proofAt(t, lived, first, f), packsAt(t, lived, first), false
			for h := first; h <= last; h++ {
				pf, pt, pq := proofAt(t, lived, h, f), proofAt(t, lived, h, tw), proofAt(t, quiet, h, f)
				ef, et, eq := pf.Entries[0], pt.Entries[0], pq.Entries[0]
				if !bytes.Equal(pf.Shape, pq.Shape) || len(pf.Hashes) != len(pq.Hashes) || len(pf.Catalog) != len(pq.Catalog) ||
					len(pf.LogHash) != len(pq.LogHash) || len(pf.Pack) != len(pq.Pack) {
					t.Errorf("height %d: the shape of the proof shows the story", h)
				}
				moved = moved || packsAt(t, lived, h) != packs
				if shows[h] {
					if bytes.Equal(ef.Standing, eq.Standing) {
						t.Errorf("height %d: the public should see something and sees nothing", h)
					}
					continue
				}
				if packsAt(t, lived, h) != packs || packsAt(t, quiet, h) != packs {
					t.Errorf("height %d: the packs are not those from before the story", h)
				}
				if !bytes.Equal(ef.Standing, clean.Entries[0].Standing) || !bytes.Equal(ef.Salt, clean.Entries[0].Salt) {
					t.Errorf("height %d: the standing is not that from before the story", h)
				}
				if leafOf(ef) != leafOf(clean.Entries[0]) || leafOf(ef) != leafOf(eq) {
					t.Errorf("height %d: the leaf is not that from before the story", h)
				}
				if !bytes.Equal(anonymous(t, ef.Standing), anonymous(t, et.Standing)) || len(ef.Standing) != len(et.Standing) || len(ef.Salt) != len(et.Salt) {
					t.Errorf("height %d: the standing differs from the twin's in more than identity", h)
				}
				if a, ok := sizes[0][h+1]; ok && a != sizes[1][h+1] {
					t.Errorf("height %d: the bundle has %d bytes, in the quiet world %d", h, a, sizes[1][h+1])
				}
				must(t, lived.Apps[0].ReadAt(h, func(r x.Reader) error {
					commitment.Each(r, f, func(c *pb.Commitment) bool {
						if commitment.Public(c) {
							t.Errorf("height %d: commitment %s is public", h, c.Content.Code)
						}
						return true
					})
					sanction.Each(r, f, func(p *pb.Dishonesty) bool {
						if sanction.Public(p) {
							t.Errorf("height %d: penalty %s is public", h, sanction.Of(p).DocNo)
						}
						return true
					})
					return nil
				}))
			}
			if strings.HasPrefix(name, "a serious record") && !moved {
				t.Error("the firm never entered the packs")
			}
			if shows[last] {
				return
			}
			for _, claim := range []string{"no-negative", "no-serious", "may-promise"} {
				a, err := lived.Verify(lived.Bundle(f), f, claim)
				must(t, err)
				b, err := lived.Verify(lived.Bundle(tw), tw, claim)
				must(t, err)
				if !a.Holds || !b.Holds {
					t.Errorf("%s: the firm %v, its twin %v", claim, a.Holds, b.Holds)
				}
			}
			// The history is not lost (INV-20, INV-40): it is in the file, which is not public.
			lived.Read(func(r x.Reader) {
				if subject.Head(r, f).Size <= subject.Head(r, tw).Size {
					t.Error("the file of the firm does not hold its story")
				}
			})
		})
	}
}

// refuse sends, in place of a command, a transaction of the same signer that a rule refuses.
func (s *Script) refuse(t *testing.T, cmd string) {
	t.Helper()
	_, args, err := datadriven.ParseLine(cmd)
	must(t, err)
	by := arg(&datadriven.TestData{CmdArgs: args}, "by")
	m, code := s.enrolMsg(USCC("91410100", "Y00777")), "E_ROLE"
	if by == "registry" { // which may enrol
		m = pb.Msg{Sum: &pb.Msg_EndKey{EndKey: &pb.EndKey{
			Issuer: s.agency(by), Subject: s.firms["T"], Address: keyOfFirm("none").Address(), End: pb.KEY_LOST, EvidenceDigest: digest("none"),
		}}}
		code = "E_KEY_UNKNOWN"
	}
	if r := s.Block(s.Sign(by, m)); len(r) != 1 || r[0].Codespace != code {
		t.Fatalf("%v", r)
	}
}

func proofAt(t *testing.T, s *Script, height int64, uscc string) *app.Proof {
	t.Helper()
	p, err := s.Apps[0].Prove(height, []string{uscc})
	must(t, err)
	if len(p.Entries) != 1 {
		t.Fatalf("%d entries", len(p.Entries))
	}
	return p
}

// packsAt are the roots of the packs' sets. What the app hash has of them is another value after each change of the state, of whatever (TestPackEntry).
func packsAt(t *testing.T, s *Script, height int64) (roots [len(pb.PackSets)]tree.Hash) {
	t.Helper()
	must(t, s.Apps[0].ReadAt(height, func(r x.Reader) error {
		for i, set := range pb.PackSets {
			roots[i] = app.PackRoot(r, set)
		}
		return nil
	}))
	return roots
}

func leafOf(e pb.Entry) [32]byte { return standing.LeafValue(e.Salt, e.Standing) }

// anonymous is a standing without what may differ between twins: the code, and the digest of the restricted section, whose salt has the code in it.
func anonymous(t *testing.T, raw []byte) []byte {
	t.Helper()
	st := new(pb.Standing)
	must(t, pb.Decode(raw, st))
	if len(st.Restricted) != 32 {
		t.Fatalf("the digest of the restricted section has %d bytes", len(st.Restricted))
	}
	st.Subject, st.Restricted = "", nil
	return pb.Encode(st)
}

// TestManySubjectsInOneBundle proves the repaired, the clean and the absent together, each as itself.
func TestManySubjectsInOneBundle(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1})
	s.line(t, "enrol firm=F")
	s.line(t, "enrol firm=T")
	s.line(t, "record by=zz-scjg issuer=zz-scjg firm=F no=1 kinds=9")
	s.line(t, "publish by=zz-scjg issuer=zz-scjg firm=F no=1")
	s.Block()
	absent := USCC("91410100", "Y00888")
	b := s.Bundle(s.firms["F"], absent, s.firms["T"], s.firms["F"])
	for _, tc := range []struct {
		uscc  string
		holds bool
	}{{s.firms["F"], false}, {s.firms["T"], true}} {
		v, err := s.Verify(b, tc.uscc, "no-serious")
		must(t, err)
		if v.Holds != tc.holds {
			t.Errorf("%s: %v", tc.uscc, v.Holds)
		}
	}
	v, err := s.Verify(b, absent, "enrolled")
	if err != nil || v.Holds {
		t.Errorf("absent: %v %v", v, err)
	}
	if _, err := s.Verify(b, USCC("91410100", "Y00889"), "enrolled"); err == nil {
		t.Error("a bundle spoke of a subject that it does not hold")
	}
}
