package apptest

import (
	"regexp"
	"strings"
	"testing"
)

// TestRefusalsTellNothing is INV-03 for who sends: of what a member may not be told, its transactions are refused in the very words that it gets about what
// never was, whatever it may sign. F has a record of every kind that is not public, its twin T has none: a lender, a gateway, an auditor and an agency that
// holds every role of a recogniser send the same about both.
func TestRefusalsTellNothing(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1})
	for _, line := range []string{
		"enrol firm=F", "enrol firm=T", "enrol firm=G", "enrol firm=H", "register-key by=registry firm=F key=f1", "register-key by=registry firm=T key=t1",
		"record by=zz-scjg firm=F no=1 kinds=3 fine=1000",                                        // registered
		"record by=zz-scjg firm=F no=2 kinds=1",                                                  // minor: never published
		"record by=zz-scjg firm=F no=3 kinds=9", "publish by=zz-scjg issuer=zz-scjg firm=F no=3", // published, then withdrawn
		"withdraw by=zz-scjg issuer=zz-scjg firm=F no=3",
		"commit by=zz-scjg firm=F code=41010020260715000001 type=1 public=2 accepted",
		"commit by=zz-scjg firm=F code=41010020260715000002 type=4 accepted",
		"apply by=ops issuer=zz-scjg firm=F no=2 application=XY-1 commitment=41010020260715000002",
		"supplement by=zz-scjg issuer=zz-scjg firm=F no=2 application=XY-1",
		"record by=zz-scjg firm=F no=4 kinds=9", "publish by=zz-scjg issuer=zz-scjg firm=F no=4",
		"announce by=zz-scjg issuer=zz-scjg firm=F no=4 item=M12 to=gy-scjg",
		"notify-listing by=zz-scjg firm=F notice=1",
		"object by=ops firm=F issuer=zz-scjg no=1 objection=O-1",
		"propose-incentive by=zz-scjg firm=G proposal=JL-1",
		"file-case by=zz-scjg firm=F act=dumping",
		"no-penalty by=zz-scjg firm=F no=9",
		"grant by=bank2 firm=F key=f1 no=1 to=bank2 via=gw",
	} {
		if out := s.line(t, line); out != "OK" {
			t.Fatalf("%s: %s", line, out)
		}
	}
	asks := []string{
		"commit firm=F code=CODE public=2", "commit firm=F code=CODE public=2 accepted", "commit firm=F code=CODE type=4 paper=paper",
		"publish of=zz-scjg firm=F no=1", "withdraw of=zz-scjg firm=F no=1", "withdraw of=zz-scjg firm=F no=2", "withdraw of=zz-scjg firm=F no=3",
		"final of=zz-scjg firm=F no=1 document=final", "fulfil of=zz-scjg firm=F no=2", "report-revoked of=zz-scjg firm=F no=2", "release of=zz-scjg firm=F no=3",
		"remove-abnormal of=zz-scjg kind=penalty firm=F no=1", "remove-listed issuer=zz-scjg kind=penalty firm=F no=1", "correct of=zz-scjg firm=F no=1",
		"shield of=zz-scjg firm=F no=1 case=1", "end-shield of=zz-scjg firm=F no=1 case=1", "acknowledge of=zz-scjg firm=F no=3",
		"accept-commitment code=CODE", "reject-commitment code=CODE", "withdraw-commitment code=CODE", "assess code=CODE status=1", "cure code=CODE",
		"mend code=CODE paper=paper", "refuse-mend code=CODE", "licence code=CODE no=XK-1", "reassess code=CODE status=1",
		"accept-repair of=zz-scjg firm=F no=2 application=XY-1", "approve of=zz-scjg firm=F no=2 application=XY-1", "refuse of=zz-scjg firm=F no=2 application=XY-1",
		"revoke of=zz-scjg firm=F no=2 application=XY-1", "supplement of=zz-scjg firm=F no=2 application=XY-1", "refile of=zz-scjg firm=F no=2 application=XY-1",
		"extend of=zz-scjg firm=F no=2 application=XY-1", "execute of=zz-scjg firm=F no=2 application=XY-1", "push of=zz-scjg firm=F no=2 application=XY-1",
		"track of=zz-scjg firm=F no=2 application=XY-1", "reopen of=zz-scjg firm=F no=2 application=XY-1",
		"announce issuer=zz-scjg firm=F no=1 item=M12", "apply-measure issuer=zz-scjg firm=F no=1 item=M12", "apply-measure issuer=zz-scjg firm=F no=3 item=M12",
		"feedback issuer=zz-scjg firm=F no=4 item=M12 to=gy-scjg", "correct-measure issuer=zz-scjg firm=F no=4 item=M12 to=gy-scjg",
		"state-listing issuer=zz-scjg firm=F notice=1", "verify-listing issuer=zz-scjg firm=F notice=1", "ask-review issuer=zz-scjg firm=F notice=1 reviewer=gov1",
		"review-listing issuer=zz-scjg firm=F notice=1", "ask-consent issuer=zz-scjg firm=F notice=1 upper=gov1", "consent issuer=zz-scjg firm=F notice=1",
		"drop-listing issuer=zz-scjg firm=F notice=1",
		"object firm=F issuer=zz-scjg no=1 objection=O-2", "forward firm=F issuer=zz-scjg no=1 objection=O-1", "pause firm=F issuer=zz-scjg no=1 objection=O-1",
		"resume firm=F issuer=zz-scjg no=1 objection=O-1", "resolve firm=F issuer=zz-scjg no=1 objection=O-1 result=upheld",
		"escalate firm=F issuer=zz-scjg no=1 objection=O-1 authority=gov1", "review firm=F issuer=zz-scjg no=1 objection=O-1",
		"notice-incentive of=zz-scjg firm=G proposal=JL-1", "recognise of=zz-scjg firm=G proposal=JL-1 until=2027-01-01", "decline of=zz-scjg firm=G proposal=JL-1",
		"cancel-incentive of=zz-scjg firm=G proposal=JL-1", "use of=zz-scjg firm=G proposal=JL-1 matter=1",
		"close-case firm=F act=dumping", "withdraw-no-penalty of=zz-scjg firm=F no=9",
		"grant firm=F key=stranger no=1 to=bank2 via=gw uses=9", "grant firm=F key=f1 signed=stranger no=1 to=bank2 via=gw", "grant firm=F key=f1 signed=stranger no=1 to=bank2 via=gw uses=9",
		"withdraw-authorisation firm=F key=stranger no=1", "withdraw-authorisation firm=F key=f1 signed=stranger no=1",
	}
	twin := strings.NewReplacer("firm=F", "firm=T", "firm=G", "firm=H", "key=f1", "key=t1", "CODE", "41010020260715000009")
	known := strings.NewReplacer("CODE", "41010020260715000001")
	said := regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{40}|\b91410100Y[0-9A-Z]{9}\b|\b4101002026071500000[0-9]\b`)
	ask := func(line string) (string, int) {
		out := s.line(t, line)
		return said.ReplaceAllString(out, "…"), len(s.Results[0].Data)
	}
	for _, by := range []string{"bank", "gw2", "auditor", "js-rsj"} {
		for _, line := range asks {
			verb, rest, _ := strings.Cut(line, " ")
			line = verb + " by=" + by + " " + rest
			a, sizeA := ask(known.Replace(line))
			b, sizeB := ask(twin.Replace(line))
			if a != b || sizeA != sizeB {
				t.Errorf("%s: %q (%d bytes)\nof what never was: %q (%d bytes)", line, a, sizeA, b, sizeB)
			}
			if a == "OK" || a == "ALREADY_RECORDED" {
				t.Errorf("%s: %s", line, a)
			}
		}
	}
}
