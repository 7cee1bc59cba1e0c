package attest_test

import (
	"errors"
	"fmt"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// files are what a lender has: a bundle from a node, and a trust file that it got elsewhere.
func files() (bundle, trust []byte) { return sample().File(), sample().Trust().Encode() }

// A lender asks whether a firm has a published negative record, and takes no answer that is older than a day.
func Example() {
	bundle, trustFile := files()

	trust, err := attest.ParseTrust(trustFile)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := attest.NewVerifier(trust) // once; it may be used by many goroutines
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := verifier.Verify(bundle, attest.Policy{
		Subject: "91410100Y000000160",
		Claim:   attest.NoNegative,
		MaxAge:  24 * time.Hour,
		Now:     time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), // time.Now() in a program
	})
	switch {
	case errors.Is(err, attest.ErrStale):
		fmt.Println("fetch a newer bundle")
	case err != nil:
		fmt.Println("refused:", err)
	case !verdict.Holds:
		fmt.Println("does not hold:", verdict.Reason)
	default:
		fmt.Println(verdict)
	}
	// Output: OK  91410100Y000000160  no-negative  height 100  2026-11-20T08:00:00Z (age 59m59s)  power 30/40
}

// One that keeps the newest block of the day gets the others of that day without it.
func ExampleVerifier_Header() {
	bundle, trustFile := files()
	trust, err := attest.ParseTrust(trustFile)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		fmt.Println(err)
		return
	}
	header, err := verifier.Header(bundle)
	if err != nil {
		fmt.Println(err)
		return
	}
	short, err := attest.Convert(bundle, attest.HeaderKnown)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := verifier.Verify(short, attest.Policy{
		Subject: SubjectClean, Claim: attest.Enrolled, MaxAge: time.Hour, Now: Time.Add(time.Minute), Headers: []*attest.Header{header},
	})
	fmt.Println(len(short) < len(bundle), verdict.Holds, err)
	// Output: true true <nil>
}

// Who has the pack of firms with serious records looks firms up without telling anybody which.
func ExampleOpenPack() {
	file := attest.EncodePack(Spec{}.Pack(pb.PACK_SERIOUS, Members("92411300Y00000024E"), nil))

	pack, err := attest.OpenPack(file, Spec{}.Trust(), attest.Policy{
		Claim: attest.NoSerious, MaxAge: 24 * time.Hour, Now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	for _, uscc := range []string{"92411300Y00000024E", "91410100Y000000160", "91410100y000000160"} {
		in, err := pack.Contains(uscc)
		fmt.Println(in, err != nil)
	}
	// Output:
	// true false
	// false false
	// false true
}
