package apptest

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cockroachdb/datadriven"
	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// FirmKey is a firm's key as an actor: that of a published word. Its code is the firm's.
func (s *Script) FirmKey(firm, word string) Actor {
	return Actor{Name: firm, USCC: s.firms[firm], Key: keyOf("firm " + word)}
}

// keyOfFirm is a firm's key of a published word.
func keyOfFirm(word string) Actor { return Actor{Key: keyOf("firm " + word)} }

// firmSign signs with the firm's key of a word.
func firmSign(word string, digest [32]byte) []byte {
	sig, err := crypto.Sign(digest[:], keyOf("firm "+word))
	if err != nil {
		panic(err)
	}
	return sig
}

// keyAddress is the address of the key of an argument: of a word, the word short one that lacks a byte, member=AGENCY that of an agency.
func (s *Script) keyAddress(d *datadriven.TestData, key string) []byte {
	word := arg(d, key)
	if word == "" {
		return nil
	}
	if a, ok := s.Actors[word]; ok {
		return a.Address()
	}
	address := Actor{Key: keyOf("firm " + word)}.Address()
	if word == "short" {
		return address[:19]
	}
	return address
}

// consentMessage makes the messages about keys of firms and what they sign.
func (s *Script) consentMessage(d *datadriven.TestData, issuer string) *pb.Msg {
	switch d.Cmd {
	case "register-key": // register-key by=registry firm= key=WORD [replaces=WORD] [proof=WORD: signed by another] [proof-for=FIRM] [chain=] [evidence=]
		chain, of, signer := s.Chain, s.firm(d), arg(d, "key")
		if has(d, "chain") {
			chain = arg(d, "chain")
		}
		if has(d, "proof-for") {
			of = s.firms[arg(d, "proof-for")]
		}
		if has(d, "proof") {
			signer = arg(d, "proof")
		}
		m := &pb.RegisterKey{
			Issuer: issuer, Subject: s.firm(d), Address: s.keyAddress(d, "key"), Proof: firmSign(signer, pb.KeyProof(chain, of)),
			EvidenceDigest: digestArg(d, "evidence", "licence"), Replaces: s.keyAddress(d, "replaces"),
		}
		if signer == "none" {
			m.Proof = nil
		}
		return &pb.Msg{Sum: &pb.Msg_RegisterKey{RegisterKey: m}}
	case "end-key": // end-key by=registry firm= key=WORD [end=2] [evidence=]
		return &pb.Msg{Sum: &pb.Msg_EndKey{EndKey: &pb.EndKey{
			Issuer: issuer, Subject: s.firm(d), Address: s.keyAddress(d, "key"), End: pb.KeyEnd(number(d, "end", 2)), EvidenceDigest: digestArg(d, "evidence", "report"),
		}}}
	case "grant", "withdraw-authorisation":
		return s.authorisationMessage(d, issuer)
	case "grade": // grade by=pj firm= is=A [found=] [until=] [result=NUMBER] [basis=]
		return &pb.Msg{Sum: &pb.Msg_RecordGrade{RecordGrade: &pb.RecordGrade{
			Issuer: issuer, Subject: s.firm(d), Grade: arg(d, "is"), AssessedOn: s.dateOr(d, "found", int32(s.Today())),
			ValidUntil: s.dateOr(d, "until", int32(s.Today())+365), SourceNo: wordOr(d, "result", "PJ-1"), BasisDigest: digestArg(d, "basis", "basis"),
		}}}
	case "withdraw-grade": // withdraw-grade by=pj firm= [reason=]
		return &pb.Msg{Sum: &pb.Msg_WithdrawGrade{WithdrawGrade: &pb.WithdrawGrade{
			Issuer: issuer, Subject: s.firm(d), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	case "anchor": // anchor by=gw [hours=N before now, 1] [root=] [used-up=NUMBER,… of firm=]
		m := &pb.AnchorReceipts{Issuer: issuer, Hour: s.legalNow()/3600 - number(d, "hours", 1), Root: digestArg(d, "root", "root")}
		for _, no := range words(d, "used-up") {
			id := consent.ID(s.firm(d), "SQ-"+no)
			if no == "short" {
				m.UsedUp = append(m.UsedUp, id[:31])
				continue
			}
			m.UsedUp = append(m.UsedUp, id[:])
		}
		if !has(d, "as-is") {
			slices.SortFunc(m.UsedUp, bytes.Compare)
		}
		for i := range number(d, "many", 0) {
			m.UsedUp = append(m.UsedUp, digest(fmt.Sprint("many", i)))
		}
		return &pb.Msg{Sum: &pb.Msg_AnchorReceipts{AnchorReceipts: m}}
	}
	return nil
}

func wordOr(d *datadriven.TestData, key, def string) string {
	if has(d, key) {
		return arg(d, key)
	}
	return def
}

// Authorisation is the id of a firm's authorisation.
func (s *Script) Authorisation(firm, no string) []byte {
	id := consent.ID(s.firms[firm], no)
	return id[:]
}

// authorisationMessage makes what a firm signs:
//
//	grant by=bank firm= key=WORD [no=1] [to=bank] [via=gw] [purpose=1] [classes=1,2] [on=] [until=] [uses=] [signed=WORD: by another] [signed-no=: another content]
//	withdraw-authorisation by= firm= key=WORD [no=1] [signed=WORD] [chain=] [id=WORD]
func (s *Script) authorisationMessage(d *datadriven.TestData, issuer string) *pb.Msg {
	signer, chain := wordOr(d, "signed", arg(d, "key")), wordOr(d, "chain", s.Chain)
	no := "SQ-" + wordOr(d, "no", "1")
	if d.Cmd == "withdraw-authorisation" {
		raw := consent.ID(s.firm(d), no)
		id := raw[:]
		if has(d, "id") {
			id = digestArg(d, "id", "")
		}
		return &pb.Msg{Sum: &pb.Msg_WithdrawAuthorisation{WithdrawAuthorisation: &pb.WithdrawAuthorisation{
			Issuer: issuer, Authorisation: id, Key: s.keyAddress(d, "key"), Signature: firmSign(signer, pb.WithdrawDigest(chain, id)),
		}}}
	}
	c := pb.AuthorisationContent{
		Subject: s.firm(d), Grantee: s.agency(wordOr(d, "to", "bank")), Gateway: s.agency(wordOr(d, "via", "gw")), Purpose: pb.Purpose(number(d, "purpose", 1)),
		GrantNo: no, GrantedOn: s.dateOr(d, "on", int32(s.Today())), ValidUntil: s.dateOr(d, "until", int32(s.Today().AddMonths(3))), MaxUses: uint32(number(d, "uses", 0)),
	}
	for _, n := range numbers(d, "classes") {
		c.Classes = append(c.Classes, pb.DataClass(n))
	}
	if !has(d, "classes") {
		c.Classes = []pb.DataClass{pb.DATA_GRADE, pb.DATA_COMMITMENTS}
	}
	said := c
	if has(d, "signed-no") {
		said.GrantNo = "SQ-" + arg(d, "signed-no")
	}
	m := &pb.GrantAuthorisation{Issuer: issuer, Content: c, Key: s.keyAddress(d, "key"), Signature: firmSign(signer, pb.GrantDigest(chain, &said))}
	return &pb.Msg{Sum: &pb.Msg_GrantAuthorisation{GrantAuthorisation: m}}
}

// lookConsent answers the commands that read keys of firms and what they signed.
func (s *Script) lookConsent(d *datadriven.TestData) (string, bool) {
	var b strings.Builder
	switch d.Cmd {
	case "keys": // keys firm=: a line for each, in the order of registration
		s.Read(func(r x.Reader) {
			var lines []string
			subject.Keys(r, s.firm(d), func(k *pb.SubjectKey) bool {
				line := "registered_on=" + calendar.Date(k.RegisteredOn).String()
				if k.EndedOn != 0 {
					line += fmt.Sprintf(" %s ended_on=%s", k.End, calendar.Date(k.EndedOn))
				}
				lines = append(lines, line)
				return true
			})
			sort.Strings(lines)
			b.WriteString(strings.Join(lines, "\n"))
		})
		return b.String(), true
	case "authorisation": // authorisation firm= [no=1]
		s.Read(func(r x.Reader) {
			id := consent.ID(s.firm(d), "SQ-"+wordOr(d, "no", "1"))
			a, ok := consent.Get(r, id[:])
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s %s until=%s", a.State, a.Content.Purpose, calendar.Date(a.Content.ValidUntil))
			if a.EndedOn != 0 {
				fmt.Fprintf(&b, " ended_on=%s", calendar.Date(a.EndedOn))
			}
		})
		return b.String(), true
	case "asks": // asks by=bank firm= [no=1] [via=gw] [purpose=1] [class=1] [used=0]: what stands against opening a class today
		s.Read(func(r x.Reader) {
			id := consent.ID(s.firm(d), "SQ-"+wordOr(d, "no", "1"))
			err := consent.Allows(r, id[:], consent.Query{
				Subject: s.firm(d), Requester: s.agency(arg(d, "by")), Gateway: s.agency(wordOr(d, "via", "gw")), Purpose: pb.Purpose(number(d, "purpose", 1)),
				Today: s.Today(), Used: uint64(number(d, "used", 0)),
			}, pb.DataClass(number(d, "class", 1)))
			if err != nil {
				b.WriteString(err.Error())
				return
			}
			b.WriteString("opened")
		})
		return b.String(), true
	case "opening": // opening firm= [classes=1,2]: what the restricted section says when it is opened
		s.Read(func(r x.Reader) {
			classes := []pb.DataClass{pb.DATA_GRADE, pb.DATA_COMMITMENTS}
			if has(d, "classes") {
				classes = nil
				for _, n := range numbers(d, "classes") {
					classes = append(classes, pb.DataClass(n))
				}
			}
			raw, ok := standing.Get(r, s.firm(d))
			if !ok {
				s.tb.Fatalf("%s has no standing", s.firm(d))
			}
			st := new(pb.Standing)
			must(s.tb, pb.Decode(raw, st))
			o, err := attest.OpenRestricted(attest.EncodeRestricted(standing.Open(r, s.Secret, s.firm(d), classes)), st)
			must(s.tb, err)
			if g := o.Grade; g != nil {
				fmt.Fprintf(&b, "grade %s found=%s until=%s\n", g.Grade, calendar.Date(g.AssessedOn), calendar.Date(g.ValidUntil))
			} else if slices.Contains(o.Opened, pb.DATA_GRADE) {
				b.WriteString("no grade\n")
			}
			for _, c := range o.Commitments {
				fmt.Fprintf(&b, "commitment %s type=%d %s\n", c.Code, c.Type, c.State)
			}
			fmt.Fprintf(&b, "opened %v of %d classes\n", o.Opened, o.Classes)
		})
		return b.String(), true
	}
	return "", false
}
