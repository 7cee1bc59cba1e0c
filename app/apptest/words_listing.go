package apptest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Words of the procedure that leads to an entry in a list of serious dishonesty (列入程序). issuer= is the lister, where another signs.

// noticeNo is the number of a notice of a short word: 7 → 郑市监告〔2026〕7号.
func noticeNo(word string) string {
	if word == "" || strings.Contains(word, "〔") {
		return word
	}
	return "郑市监告〔2026〕" + word + "号"
}

// listingID is the procedure of a notice: [issuer=] firm= [list=SC] notice=, or listing=WORD for one that is not there.
func (s *Script) listingID(d *datadriven.TestData) []byte {
	if has(d, "listing") {
		return digestArg(d, "listing", "")
	}
	id := sanction.ListingID(&pb.ListingNotice{Issuer: s.recogniser(d), Subject: s.firm(d), List: listOf(d), NoticeNo: noticeNo(arg(d, "notice"))})
	return id[:]
}

func listOf(d *datadriven.TestData) string {
	if has(d, "list") {
		return arg(d, "list")
	}
	return "SC"
}

// words reads a list of words; absent or empty is none.
func words(d *datadriven.TestData, key string) []string {
	if arg(d, key) == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(arg(d, key), " ", ""), ",")
}

// listingMessage makes the messages of the procedure.
func (s *Script) listingMessage(d *datadriven.TestData) (*pb.Msg, string) {
	by := arg(d, "by")
	as := s.agency(by)
	if has(d, "as") {
		as = s.agency(arg(d, "as"))
	}
	today := int32(s.Today())
	switch d.Cmd {
	case "notify-listing": // notify-listing by= firm= [list=SC] notice= [served=] [measures=] [rights=0]
		return &pb.Msg{Sum: &pb.Msg_NotifyListing{NotifyListing: &pb.NotifyListing{Notice: pb.ListingNotice{
			Issuer: s.recogniser(d), Subject: s.firm(d), List: listOf(d), NoticeNo: noticeNo(arg(d, "notice")), ServedOn: s.dateOr(d, "served", today),
			Measures: words(d, "measures"), RightsTold: number(d, "rights", 1) == 1, TextDigest: digestArg(d, "text", "reasons"),
		}}}}, by
	case "state-listing": // state-listing by= issuer= firm= [list=] notice= [waive] [paper=]
		statement := uint32(number(d, "statement", 1))
		if has(d, "waive") {
			statement = 2
		}
		return &pb.Msg{Sum: &pb.Msg_StateListing{StateListing: &pb.StateListing{
			Issuer: as, Listing: s.listingID(d), Statement: statement, PaperDigest: digestArg(d, "paper", "statement"),
		}}}, by
	case "verify-listing": // verify-listing by= firm= notice= [founded] [reason=]
		return &pb.Msg{Sum: &pb.Msg_VerifyListing{VerifyListing: &pb.VerifyListing{
			Issuer: as, Listing: s.listingID(d), Founded: has(d, "founded"), ReasonDigest: digestArg(d, "reason", "verified"),
		}}}, by
	case "ask-review": // ask-review by=ops issuer= firm= notice= reviewer=
		return &pb.Msg{Sum: &pb.Msg_AskListingReview{AskListingReview: &pb.AskListingReview{
			Issuer: as, Listing: s.listingID(d), Reviewer: s.agency(arg(d, "reviewer")), PaperDigest: digestArg(d, "paper", "review"),
		}}}, by
	case "review-listing": // review-listing by= issuer= firm= notice= [founded] [reason=]
		return &pb.Msg{Sum: &pb.Msg_ReviewListing{ReviewListing: &pb.ReviewListing{
			Issuer: as, Listing: s.listingID(d), Founded: has(d, "founded"), ReasonDigest: digestArg(d, "reason", "reviewed"),
		}}}, by
	case "ask-consent": // ask-consent by=LISTER firm= notice= upper=
		return &pb.Msg{Sum: &pb.Msg_AskConsent{AskConsent: &pb.AskConsent{Issuer: as, Listing: s.listingID(d), Upper: s.agency(arg(d, "upper"))}}}, by
	case "consent": // consent by=UPPER issuer=LISTER firm= notice=
		return &pb.Msg{Sum: &pb.Msg_ConsentListing{ConsentListing: &pb.ConsentListing{
			Issuer: as, Listing: s.listingID(d), DocumentDigest: digestArg(d, "document", "consent"),
		}}}, by
	case "decide-listing": // decide-listing by= firm= [list=] notice= no= [decided=] [served=] [region=] [measures=] [basis=NO,NO] [conditions=] [two-documents=0]
		c := pb.ListContent{
			Issuer: s.recogniser(d), Subject: s.firm(d), DocNo: docNo(arg(d, "no")), List: listOf(d), DecidedOn: s.dateOr(d, "decided", today),
			RepairNoticeServed: number(d, "two-documents", 1) == 1, ViolationRegion: "410181", PowerCode: arg(d, "power"), Designation: arg(d, "designation"),
			Measures: words(d, "measures"), ConditionsDigest: digestArg(d, "conditions", "conditions"), TextDigest: digestArg(d, "text", "facts"), Listing: s.listingID(d),
		}
		c.ServedOn = s.dateOr(d, "served", c.DecidedOn)
		if has(d, "region") {
			c.ViolationRegion = arg(d, "region")
		}
		for _, no := range words(d, "basis") {
			id := sanction.PenaltyID(s.recogniser(d), docNo(no), s.firm(d))
			if no == "none" {
				copy(id[:], digest("none"))
			}
			c.Basis = append(c.Basis, id[:])
			if no == "short" {
				c.Basis[len(c.Basis)-1] = digest(no)[:31]
			}
		}
		if !has(d, "unsorted") {
			slices.SortFunc(c.Basis, bytes.Compare)
		}
		return &pb.Msg{Sum: &pb.Msg_DecideListing{DecideListing: &pb.DecideListing{Content: c}}}, by
	case "drop-listing": // drop-listing by= firm= notice= [reason=]
		return &pb.Msg{Sum: &pb.Msg_DropListing{DropListing: &pb.DropListing{Issuer: as, Listing: s.listingID(d), ReasonDigest: digestArg(d, "reason", "dropped")}}}, by
	case "remove-listed": // remove-listed by= firm= no= [kind=] [reason=]
		return &pb.Msg{Sum: &pb.Msg_RemoveListed{RemoveListed: &pb.RemoveListed{
			Issuer: as, Record: s.recordID(d, "list"), ReasonDigest: digestArg(d, "reason", "wrong"),
		}}}, by
	}
	return nil, ""
}

// lookListing answers the commands that read a procedure.
func (s *Script) lookListing(d *datadriven.TestData) (string, bool) {
	switch d.Cmd {
	case "listing": // listing issuer= firm= [list=] notice=
		var b strings.Builder
		s.Read(func(r x.Reader) {
			l, ok := sanction.GetListing(r, s.listingID(d))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s statement_by=%s", l.State, calendar.Date(l.StatementBy))
			for _, f := range []struct {
				name string
				on   int32
			}{
				{"stated_on", l.StatedOn},
				{"verify_by", l.VerifyBy},
				{"verified_on", l.VerifiedOn},
				{"review_asked_on", l.ReviewAskedOn},
				{"reviewed_on", l.ReviewedOn},
				{"consent_on", l.ConsentOn},
				{"ended_on", l.EndedOn},
			} {
				if f.on != 0 {
					fmt.Fprintf(&b, " %s=%s", f.name, calendar.Date(f.on))
				}
			}
		})
		return b.String(), true
	case "entry": // entry issuer= firm= no=: an entry in a list, as its lister sees it
		var b strings.Builder
		s.Read(func(r x.Reader) {
			p, ok := sanction.Get(r, s.recordID(d, "list"))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s %s publish_by=%s min_until=%s max_until=%s", p.State, p.Class, calendar.Date(p.PublishBy), calendar.Date(p.MinUntil), calendar.Date(p.MaxUntil))
			if p.EndedOn != 0 {
				fmt.Fprintf(&b, " ended_on=%s", calendar.Date(p.EndedOn))
			}
			if p.ReexamineBy != 0 {
				fmt.Fprintf(&b, " reexamine_by=%s", calendar.Date(p.ReexamineBy))
			}
		})
		return b.String(), true
	}
	return "", false
}

// listStandard is the standard of a proposal: standard=CODE [version=] [consent=0|1] [needs-penalty=0|1] [term=] [early=] [court] [system=] [from=] [to=], else as the
// version in force, else a plain one.
func (s *Script) listStandard(d *datadriven.TestData) *pb.ListStandard {
	l := &pb.ListStandard{
		Code: arg(d, "standard"), Version: 1, Name: "某严重违法失信名单", Basis: "《某办法》", BasisLevel: pb.BASIS_DEPARTMENT_RULE, TermMonths: 36,
		NameConfidence: pb.CONFIDENCE_DECIDED, TermsConfidence: pb.CONFIDENCE_DECIDED,
	}
	s.Read(func(r x.Reader) {
		if old, ok := catalog.ListStandardOn(r, l.Code, s.Today()); ok {
			l = old
		}
	})
	l.Version = uint32(number(d, "version", int64(l.Version)))
	flag := func(key string, field *bool) {
		if has(d, key) {
			*field = number(d, key, 1) == 1
		}
	}
	flag("consent", &l.Consent)
	flag("needs-penalty", &l.NeedsPenalty)
	flag("court", &l.Court)
	l.TermMonths, l.EarlyMonths = uint32(number(d, "term", int64(l.TermMonths))), uint32(number(d, "early", int64(l.EarlyMonths)))
	if has(d, "system") {
		l.System = arg(d, "system")
	}
	l.ValidFrom, l.ValidTo = s.dateOr(d, "from", l.ValidFrom), s.dateOr(d, "to", l.ValidTo)
	return l
}
