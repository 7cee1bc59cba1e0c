package apptest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/cockroachdb/datadriven"
	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// FirmKey is a firm's key as an actor: that of a published word. Its code is the firm's.
func (s *Script) FirmKey(firm, word string) Actor {
	return Actor{Name: firm, USCC: s.firms[firm], Key: keyOf("firm " + word)}
}

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
	}
	return nil
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
	}
	return "", false
}
