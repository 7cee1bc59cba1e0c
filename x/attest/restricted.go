package attest

import (
	"bytes"
	"crypto/sha256"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// RestrictedMagic is what the file of an opening begins with.
const RestrictedMagic = "XLR1"

// CodeRestricted refuses an opening: malformed, or of another standing.
const CodeRestricted = "E_RESTRICTED"

const (
	restrictedDomain = "xinlian/restricted/v1"
	classDomain      = "xinlian/class/v1"
	// openingBytesMax bounds an opening before anything of it is read.
	openingBytesMax = 1 << 20
	// classesMax is for classes that later versions may have: they stay closed to this one.
	classesMax = 32
)

// Restricted is what an opening proves of a subject's restricted section (特定范围内公开): whole for the classes that are opened, and nothing of the others.
type Restricted struct {
	Opened      []pb.DataClass        // ascending
	Classes     int                   // of the section, opened or not
	Grade       *pb.RestrictedGrade   // nil: none stands, or its class is not opened
	Commitments []pb.PublicCommitment // by code
}

// EncodeRestricted gives the file of an opening. It does not judge it.
func EncodeRestricted(o *pb.RestrictedOpening) []byte {
	return append([]byte(RestrictedMagic), pb.Encode(o)...)
}

// OpenRestricted judges the file of an opening against a standing that Verify has proven: steps R1 to R4 of PROOF.md. What it proves is as old as the
// standing. It needs no trust of its own.
func OpenRestricted(raw []byte, s *pb.Standing) (*Restricted, error) {
	if s == nil {
		return nil, refusal(ErrUsage, 0, CodePolicy, "an opening is judged against a proven standing; the subject is not enrolled")
	}
	// R1. Form.
	if len(raw) > openingBytesMax || !bytes.HasPrefix(raw, []byte(RestrictedMagic)) {
		return nil, restrictedFault("it does not begin with %s, or is larger than %d bytes", RestrictedMagic, openingBytesMax)
	}
	o := new(pb.RestrictedOpening)
	if err := pb.Decode(raw[len(RestrictedMagic):], o); err != nil {
		return nil, restrictedFault("%v", err)
	}
	// R2. The section is that of the standing.
	if len(o.Salt) != saltBytes {
		return nil, restrictedFault("the salt has not 32 bytes")
	}
	if h := restrictedDigest(restrictedDomain, nil, o.Salt, o.Section); !bytes.Equal(h[:], s.Restricted) {
		return nil, restrictedFault("it opens another section than the standing has")
	}
	section := new(pb.RestrictedSection)
	if err := pb.Decode(o.Section, section); err != nil {
		return nil, restrictedFault("section: %v", err)
	}
	if n := len(section.Classes); n == 0 || n > classesMax || slices.ContainsFunc(section.Classes, func(d []byte) bool { return len(d) != hashBytes }) {
		return nil, restrictedFault("the section is not 1 to %d digests", classesMax)
	}
	v := &Restricted{Classes: len(section.Classes)}
	for i := range o.Opened {
		c := &o.Opened[i]
		// R3. Each opened class is that of the section.
		if c.Class < 1 || int(c.Class) > len(section.Classes) || i > 0 && o.Opened[i-1].Class >= c.Class {
			return nil, restrictedFault("class %d is not one of the section, or out of order", c.Class)
		}
		if len(c.Salt) != saltBytes {
			return nil, restrictedFault("the salt of class %d has not 32 bytes", c.Class)
		}
		if h := restrictedDigest(classDomain, []byte{byte(c.Class)}, c.Salt, c.Content); !bytes.Equal(h[:], section.Classes[c.Class-1]) {
			return nil, restrictedFault("the content of class %d is not that of the section", c.Class)
		}
		// R4. Its content.
		if why := v.read(c); why != "" {
			return nil, restrictedFault("class %d: %s", c.Class, why)
		}
		v.Opened = append(v.Opened, c.Class)
	}
	return v, nil
}

// read is R4 for a class.
func (v *Restricted) read(c *pb.OpenedClass) (why string) {
	switch c.Class {
	case pb.DATA_GRADE:
		if len(c.Content) == 0 {
			return ""
		}
		g := new(pb.RestrictedGrade)
		if err := pb.Decode(c.Content, g); err != nil {
			return err.Error()
		}
		if !shortText(g.Grade) || !isUSCC(g.Issuer) || !isDate(g.AssessedOn) || !isDate(g.ValidUntil) {
			return "the grade has an impossible field"
		}
		v.Grade = g
	case pb.DATA_COMMITMENTS:
		l := new(pb.RestrictedCommitments)
		if err := pb.Decode(c.Content, l); err != nil {
			return err.Error()
		}
		for i := range l.Commitments {
			if why := commitmentFault(&l.Commitments[i]); why != "" {
				return why
			}
			if i > 0 && l.Commitments[i-1].Code >= l.Commitments[i].Code {
				return "the commitments are not in order"
			}
		}
		v.Commitments = l.Commitments
	default:
		return "this program does not know it; get a newer one"
	}
	return ""
}

// restrictedDigest is SHA-256(domain ‖ class ‖ salt ‖ content). The salt has a fixed length.
func restrictedDigest(domain string, class, salt, content []byte) Hash {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(domain), class, salt, content} {
		h.Write(part)
	}
	return Hash(h.Sum(nil))
}

func restrictedFault(format string, args ...any) *Error {
	e := invalid(0, CodeRestricted, format, args...)
	e.Text = "restricted section: " + e.Text
	return e
}

// RestrictedJSON is the view of an opening.
type RestrictedJSON struct {
	Opened      []string          `json:"opened"`
	Closed      []string          `json:"closed"`
	Grade       *GradeJSON        `json:"grade"`       // null: none stands, or not opened
	Commitments *[]CommitmentJSON `json:"commitments"` // null: not opened
}

// GradeJSON is the view of a grade: found by the body that it names, and not by the ledger.
type GradeJSON struct {
	Grade      string  `json:"grade"`
	Issuer     string  `json:"issuer"`
	AssessedOn *string `json:"assessed_on"`
	ValidUntil *string `json:"valid_until"`
}

// DataClasses are the names of the classes of the restricted section.
var DataClasses = []string{pb.DATA_GRADE: "grade", pb.DATA_COMMITMENTS: "commitments"}

// RestrictedView gives the view of what an opening proves.
func RestrictedView(v *Restricted) *RestrictedJSON {
	j := &RestrictedJSON{Opened: []string{}, Closed: []string{}}
	for class := pb.DATA_GRADE; int(class) < len(DataClasses) && int(class) <= v.Classes; class++ {
		if slices.Contains(v.Opened, class) {
			j.Opened = append(j.Opened, DataClasses[class])
		} else {
			j.Closed = append(j.Closed, DataClasses[class])
		}
	}
	if g := v.Grade; g != nil {
		j.Grade = &GradeJSON{Grade: g.Grade, Issuer: g.Issuer, AssessedOn: date(g.AssessedOn), ValidUntil: date(g.ValidUntil)}
	}
	if slices.Contains(v.Opened, pb.DATA_COMMITMENTS) {
		list := []CommitmentJSON{}
		for i := range v.Commitments {
			list = append(list, CommitmentView(&v.Commitments[i]))
		}
		j.Commitments = &list
	}
	return j
}
