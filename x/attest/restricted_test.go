package attest_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const (
	openedFirm  = "91410100Y000000160"
	openedBody  = "12410000Y0000114X7"
	openedAgent = "11410100Y00001078U"
)

// openedSection makes a section by PROOF.md, with SHA-256 alone, and an opening of some of its classes.
func openedSection(contents [][]byte, classes ...pb.DataClass) (*pb.Standing, *pb.RestrictedOpening) {
	sum := func(parts ...[]byte) []byte {
		h := sha256.Sum256(bytes.Join(parts, nil))
		return h[:]
	}
	section := new(pb.RestrictedSection)
	o := new(pb.RestrictedOpening)
	for i, content := range contents {
		class := []byte{byte(i + 1)}
		salt := sum([]byte("salt"), class)
		section.Classes = append(section.Classes, sum([]byte("xinlian/class/v1"), class, salt, content))
		for _, c := range classes {
			if int(c) == i+1 {
				o.Opened = append(o.Opened, pb.OpenedClass{Class: c, Salt: salt, Content: content})
			}
		}
	}
	o.Section, o.Salt = pb.Encode(section), sum([]byte("salt"))
	return &pb.Standing{Subject: openedFirm, Restricted: sum([]byte("xinlian/restricted/v1"), o.Salt, o.Section)}, o
}

func openedContents() [][]byte {
	return [][]byte{
		pb.Encode(&pb.RestrictedGrade{Grade: "B+", Issuer: openedBody, AssessedOn: 20600, ValidUntil: 20965}),
		pb.Encode(&pb.RestrictedCommitments{Commitments: []pb.PublicCommitment{
			{Code: "41010020260715000001", Type: 6, State: pb.COMMITMENT_SUPERVISED, MadeOn: 20649, Acceptor: openedAgent},
			{Code: "41010020260715000002", Type: 1, State: pb.COMMITMENT_BREACHED, MadeOn: 20649, Acceptor: openedAgent},
		}}),
	}
}

func TestOpenRestricted(t *testing.T) {
	st, o := openedSection(openedContents(), pb.DATA_GRADE, pb.DATA_COMMITMENTS)
	raw := attest.EncodeRestricted(o)
	v, err := attest.OpenRestricted(raw, st)
	if err != nil || v.Grade.Grade != "B+" || len(v.Commitments) != 2 || v.Classes != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	if j := attest.RestrictedView(v); len(j.Closed) != 0 || j.Grade.Issuer != openedBody || len(*j.Commitments) != 2 {
		t.Errorf("%+v", j)
	}
	// One class, an empty one, none.
	st1, o1 := openedSection(openedContents(), pb.DATA_COMMITMENTS)
	if v, err := attest.OpenRestricted(attest.EncodeRestricted(o1), st1); err != nil || v.Grade != nil || len(v.Commitments) != 2 || attest.RestrictedView(v).Closed[0] != "grade" {
		t.Errorf("one class: %+v, %v", v, err)
	}
	st2, o2 := openedSection([][]byte{nil, nil}, pb.DATA_GRADE)
	if v, err := attest.OpenRestricted(attest.EncodeRestricted(o2), st2); err != nil || v.Grade != nil || attest.RestrictedView(v).Commitments != nil {
		t.Errorf("an empty class: %+v, %v", v, err)
	}
	st3, o3 := openedSection(append(openedContents(), []byte("of a later version")), pb.DATA_GRADE)
	if v, err := attest.OpenRestricted(attest.EncodeRestricted(o3), st3); err != nil || v.Classes != 3 {
		t.Errorf("a closed class of a later version: %+v, %v", v, err)
	}
	if _, err := attest.OpenRestricted(raw, nil); attest.CodeOf(err) != attest.CodePolicy {
		t.Errorf("without a standing: %v", err)
	}
	// Every bit counts.
	for i := range raw {
		for bit := range 8 {
			forged := bytes.Clone(raw)
			forged[i] ^= 1 << bit
			if _, err := attest.OpenRestricted(forged, st); attest.CodeOf(err) != attest.CodeRestricted {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
	for n := range raw {
		if v, err := attest.OpenRestricted(raw[:n], st); err == nil && len(v.Opened) == 2 { // what is left may open less
			t.Fatalf("cut to %d bytes it opens all the same", n)
		}
	}
	// One fault each; what is hashed is hashed right.
	grade := func(g pb.RestrictedGrade) [][]byte { return [][]byte{pb.Encode(&g), nil} }
	list := func(l ...pb.PublicCommitment) [][]byte {
		return [][]byte{nil, pb.Encode(&pb.RestrictedCommitments{Commitments: l})}
	}
	good := pb.PublicCommitment{Code: "41010020260715000001", Type: 6, State: pb.COMMITMENT_SUPERVISED, MadeOn: 20649, Acceptor: openedAgent}
	bad := good
	bad.State = 0
	later := make([][]byte, 33)
	for name, f := range map[string]func() (*pb.Standing, *pb.RestrictedOpening){
		"another standing's": func() (*pb.Standing, *pb.RestrictedOpening) { return st2, o },
		"a class twice": func() (*pb.Standing, *pb.RestrictedOpening) {
			s, o := openedSection(openedContents(), pb.DATA_GRADE)
			o.Opened = append(o.Opened, o.Opened[0])
			return s, o
		},
		"a class that the section has not": func() (*pb.Standing, *pb.RestrictedOpening) {
			s, o := openedSection(openedContents(), pb.DATA_GRADE)
			o.Opened[0].Class = 3
			return s, o
		},
		"a class under another's number": func() (*pb.Standing, *pb.RestrictedOpening) {
			s, o := openedSection(openedContents(), pb.DATA_GRADE)
			o.Opened[0].Class = 2
			return s, o
		},
		"a short salt": func() (*pb.Standing, *pb.RestrictedOpening) {
			s, o := openedSection(openedContents(), pb.DATA_GRADE)
			o.Salt = o.Salt[:31]
			return s, o
		},
		"a short salt of a class": func() (*pb.Standing, *pb.RestrictedOpening) {
			s, o := openedSection(openedContents(), pb.DATA_GRADE)
			o.Opened[0].Salt = o.Opened[0].Salt[:31]
			return s, o
		},
		"a class of a later version": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection(append(openedContents(), []byte{1}), 3)
		},
		"no classes":       func() (*pb.Standing, *pb.RestrictedOpening) { return openedSection(nil) },
		"too many classes": func() (*pb.Standing, *pb.RestrictedOpening) { return openedSection(later) },
		"a grade that does not decode": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection([][]byte{{0xff}, nil}, pb.DATA_GRADE)
		},
		"a grade without its body": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection(grade(pb.RestrictedGrade{Grade: "A"}), pb.DATA_GRADE)
		},
		"a grade of no letters": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection(grade(pb.RestrictedGrade{Issuer: openedBody}), pb.DATA_GRADE)
		},
		"a commitment in no state": func() (*pb.Standing, *pb.RestrictedOpening) { return openedSection(list(bad), pb.DATA_COMMITMENTS) },
		"a commitment twice": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection(list(good, good), pb.DATA_COMMITMENTS)
		},
		"commitments that do not decode": func() (*pb.Standing, *pb.RestrictedOpening) {
			return openedSection([][]byte{nil, {0xff}}, pb.DATA_COMMITMENTS)
		},
	} {
		s, o := f()
		if _, err := attest.OpenRestricted(attest.EncodeRestricted(o), s); attest.CodeOf(err) != attest.CodeRestricted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpenRestricted(f *testing.F) {
	st, o := openedSection(openedContents(), pb.DATA_GRADE, pb.DATA_COMMITMENTS)
	good := attest.EncodeRestricted(o)
	f.Add(good)
	f.Add([]byte(attest.RestrictedMagic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := attest.OpenRestricted(raw, st)
		if err == nil && v.Grade != nil && v.Grade.Grade != "B+" {
			t.Errorf("%x opens another grade", raw)
		}
	})
}
