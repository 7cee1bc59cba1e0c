package standing

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Touched lists the subjects that the block has touched, by code.
func Touched(ctx *x.Ctx) []string {
	touched := make([]string, 0, len(ctx.Touched))
	for s := range ctx.Touched { // DETERMINISM: sorted below
		touched = append(touched, s)
	}
	slices.Sort(touched)
	return touched
}

// Made is a standing that was made anew.
type Made struct {
	Raw     []byte
	Differs bool // from the one that stands
	// Before and After are the counts of the one that stands and of this one, where they differ; a subject without a standing counts nothing.
	Before, After pb.StandingCounts
}

// Make makes the standing of a touched subject anew. It reads what belongs to the subject and what belongs to all, and nothing of another
// subject.
func Make(r x.Reader, secret []byte, uscc string) Made {
	s, ok := subject.Get(r, uscc)
	if !ok {
		x.Faultf("subject %s was touched and is not enrolled", uscc)
	}
	st := Build(r, secret, s)
	m := Made{Raw: x.EncodeRow(st)}
	old, ok := x.Peek(r, x.Key(standings.Prefix, []byte(uscc)))
	if m.Differs = !ok || !bytes.Equal(old, m.Raw); m.Differs {
		m.After = st.Counts
		if ok {
			m.Before = decode(uscc, old).Counts
		}
	}
	return m
}

func decode(uscc string, raw []byte) *pb.Standing {
	st := new(pb.Standing)
	if err := st.Unmarshal(raw); err != nil {
		x.Faultf("the standing of %s does not decode: %w", uscc, err)
	}
	return st
}

// Each visits the standings by code.
func Each(r x.Reader, fn func(uscc string, s *pb.Standing) (more bool)) {
	r.Iterate([]byte{standings.Prefix}, nil, func(key, raw []byte) bool {
		uscc := string(key[1:])
		return fn(uscc, decode(uscc, raw))
	})
}

// Put writes a standing that Make has made.
func Put(ctx *x.Ctx, uscc string, raw []byte) {
	ctx.Set(x.Key(standings.Prefix, []byte(uscc)), raw)
}

// Build makes the standing of a subject from its records. It is a function of what the public may see.
func Build(r x.Reader, secret []byte, s *pb.Subject) *pb.Standing {
	st := &pb.Standing{Subject: s.Uscc, Region: s.Region, Category: s.Category, Status: s.Status, MayPromise: true}
	shown := map[string]*pb.Commitment{} // commitments that the public sees
	promised := int32(0)                 // the newest of them that was made for repair and accepted
	var narrow []pb.PublicCommitment     // 特定范围内公开
	commitment.Each(r, s.Uscc, func(c *pb.Commitment) bool {
		if commitment.Public(c) {
			st.Commitments = append(st.Commitments, publicCommitment(c))
			shown[c.Content.Code] = c
			if c.State == pb.COMMITMENT_BREACHED {
				st.Counts.Breached++
			}
			if c.Content.Type == 4 && c.AcceptedOn != 0 && c.State != pb.COMMITMENT_WITHDRAWN {
				promised = max(promised, c.Content.MadeOn)
			}
		}
		if Narrow(c) {
			narrow = append(narrow, publicCommitment(c))
		}
		return true
	})
	sanction.Each(r, s.Uscc, func(d *pb.Dishonesty) bool {
		if !sanction.Public(d) {
			return true
		}
		switch {
		case d.Penalty != nil:
			st.Penalties = append(st.Penalties, PublicPenalty(d))
			count(&st.Counts, d.Class)
		case d.List != nil:
			st.Lists = append(st.Lists, PublicListEntry(d))
		case d.Other != nil:
			st.Others = append(st.Others, PublicOther(d))
			count(&st.Counts, d.Class)
		case d.Abnormal != nil:
			st.Abnormal = append(st.Abnormal, PublicAbnormal(d))
		}
		st.MayPromise = st.MayPromise && d.Class != pb.SEVERITY_SERIOUS
		return true
	})
	incentive.Public(r, s.Uscc, func(i *pb.Incentive) {
		st.Incentives = append(st.Incentives, PublicIncentive(i))
		if i.State == pb.INCENTIVE_RECOGNISED {
			st.Counts.Incentives++
		} else {
			st.Counts.Noticed++
		}
	})
	// Not whether the bar stands inside consensus, which records move that nobody may know of: what the public sees of breach, cure, promise
	// and punishment decides. Without a public commitment there is nothing to look for.
	if len(shown) > 0 {
		commitment.Bars(r, s.Uscc, func(b *pb.PromiseBar) bool {
			if c := shown[b.Commitment]; b.Cause == pb.BAR_BREACH && c != nil && commitment.InForce(c) {
				mended := c.State == pb.COMMITMENT_CURED && promised >= b.Since && !anyShown(st, b.Linked)
				st.MayPromise = st.MayPromise && mended
			}
			return true
		})
	}
	st.Counts.Commitments = uint32(len(st.Commitments))
	st.Counts.Penalties, st.Counts.Abnormal, st.Counts.Others = uint32(len(st.Penalties)), uint32(len(st.Abnormal)), uint32(len(st.Others))
	st.Counts.Lists = uint32(len(st.Lists))

	section := x.EncodeRow(restrictedSection(secret, s.Uscc, restrictedContents(r, s.Uscc, narrow)))
	st.Restricted = RestrictedDigest(RestrictedSalt(secret, s.Uscc, section), section)
	shorten(st, int(catalog.Int(r, "standing_bytes_max")))
	return st
}

// count counts a record in its class.
func count(n *pb.StandingCounts, class pb.Severity) {
	switch class {
	case pb.SEVERITY_MINOR:
		n.Minor++
	case pb.SEVERITY_GENERAL:
		n.General++
	case pb.SEVERITY_SERIOUS:
		n.Serious++
	}
}

// anyShown says whether one of the records stands in a list of penalties or of other dishonesty, which are sorted by id.
func anyShown(st *pb.Standing, records [][]byte) bool {
	for _, id := range records {
		if _, found := slices.BinarySearchFunc(st.Penalties, id, func(p pb.PublicPenalty, id []byte) int { return bytes.Compare(p.Record, id) }); found {
			return true
		}
		if _, found := slices.BinarySearchFunc(st.Others, id, func(o pb.PublicOther, id []byte) int { return bytes.Compare(o.Record, id) }); found {
			return true
		}
	}
	return false
}

// PublicPenalty, PublicAbnormal and PublicOther give the form in which a record of their kind stands in the standing.
func PublicPenalty(d *pb.Dishonesty) pb.PublicPenalty {
	c := d.Penalty
	return pb.PublicPenalty{
		Record: d.Id, DocNo: c.DocNo, Issuer: c.Issuer, Class: d.Class, Kinds: c.Kinds,
		DecidedOn: c.DecidedOn, MinUntil: d.MinUntil, MaxUntil: d.MaxUntil, Final: d.Final, Objection: d.Objections > 0,
	}
}

// PublicListEntry is for entries in lists of serious dishonesty.
func PublicListEntry(d *pb.Dishonesty) pb.PublicListEntry {
	c := d.List
	return pb.PublicListEntry{
		Record: d.Id, List: c.List, Issuer: c.Issuer, DocNo: c.DocNo, DecidedOn: c.DecidedOn, MinUntil: d.MinUntil, MaxUntil: d.MaxUntil,
		Final: d.Final, Objection: d.Objections > 0,
	}
}

// PublicAbnormal is for entries in the list of abnormal operation.
func PublicAbnormal(d *pb.Dishonesty) pb.PublicAbnormal {
	c := d.Abnormal
	return pb.PublicAbnormal{Record: d.Id, Reason: c.Reason, Issuer: c.Issuer, ListedOn: c.ListedOn, Objection: d.Objections > 0}
}

// PublicOther is for other dishonesty.
func PublicOther(d *pb.Dishonesty) pb.PublicOther {
	c := d.Other
	return pb.PublicOther{
		Record: d.Id, Source: c.Source, DocNo: c.DocNo, Issuer: c.Issuer, Class: d.Class,
		DecidedOn: c.DecidedOn, MinUntil: d.MinUntil, MaxUntil: d.MaxUntil, Final: d.Final, Objection: d.Objections > 0,
	}
}

// PublicIncentive is for incentives under public notice and in force.
func PublicIncentive(i *pb.Incentive) pb.PublicIncentive {
	return pb.PublicIncentive{
		Record: i.Id, List: i.List, Issuer: i.Issuer, State: i.State, NoticeUntil: i.NoticeUntil, DecidedOn: i.DecidedOn, ValidUntil: i.ValidUntil,
		Objection: i.Objections > 0,
	}
}

// Narrow says whether a commitment stands in the restricted section (特定范围内公开).
func Narrow(c *pb.Commitment) bool { return c.Content.Publication == 2 && !c.Hidden }

// restrictedContents gives the contents of the classes of the restricted section, by class from 1 on. An empty one has no bytes.
func restrictedContents(r x.Reader, uscc string, narrow []pb.PublicCommitment) [restrictedClasses][]byte {
	grade := new(pb.RestrictedGrade)
	if g, ok := consent.GradeOf(r, uscc); ok {
		grade = &pb.RestrictedGrade{Grade: g.Grade, Issuer: g.Issuer, AssessedOn: g.AssessedOn, ValidUntil: g.ValidUntil}
	}
	return [...][]byte{x.EncodeRow(grade), x.EncodeRow(&pb.RestrictedCommitments{Commitments: narrow})}
}

// restrictedSection makes the section of its contents.
func restrictedSection(secret []byte, uscc string, contents [restrictedClasses][]byte) *pb.RestrictedSection {
	section := new(pb.RestrictedSection)
	for i, content := range contents {
		class := pb.DataClass(i + 1)
		section.Classes = append(section.Classes, ClassDigest(class, ClassSalt(secret, uscc, class, content), content))
	}
	return section
}

// Open opens classes of a subject's restricted section, ascending: what a lender gets whom the subject has authorised for them. It is complete for each.
func Open(r x.Reader, secret []byte, uscc string, classes []pb.DataClass) *pb.RestrictedOpening {
	var narrow []pb.PublicCommitment
	commitment.Each(r, uscc, func(c *pb.Commitment) bool {
		if Narrow(c) {
			narrow = append(narrow, publicCommitment(c))
		}
		return true
	})
	contents := restrictedContents(r, uscc, narrow)
	section := x.EncodeRow(restrictedSection(secret, uscc, contents))
	o := &pb.RestrictedOpening{Section: section, Salt: RestrictedSalt(secret, uscc, section)}
	for _, class := range classes {
		content := contents[class-1]
		o.Opened = append(o.Opened, pb.OpenedClass{Class: class, Salt: ClassSalt(secret, uscc, class, content), Content: content})
	}
	return o
}

func publicCommitment(c *pb.Commitment) pb.PublicCommitment {
	return pb.PublicCommitment{
		Code: c.Content.Code, Type: c.Content.Type, State: c.State, MadeOn: c.Content.MadeOn, ValidUntil: c.Content.ValidUntil, Acceptor: c.Content.Acceptor,
		Objection: c.Objections > 0,
	}
}

// shorten replaces lists by their roots where the document would pass its limit, one after the other until it fits: the commitments, the incentives, the penalties, the
// other records, the abnormal entries, the entries in lists. The counts stay, so every claim about classes can still be answered.
func shorten(st *pb.Standing, limit int) {
	if st.Size() <= limit {
		return
	}
	if n := len(st.Commitments); n > 0 { // a root stands for a list, never for none
		st.CommitmentsRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Commitments[i]) })
		st.Commitments = nil
	}
	if n := len(st.Incentives); n > 0 && st.Size() > limit {
		st.IncentivesRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Incentives[i]) })
		st.Incentives = nil
	}
	if n := len(st.Penalties); n > 0 && st.Size() > limit {
		st.PenaltiesRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Penalties[i]) })
		st.Penalties = nil
	}
	if n := len(st.Others); n > 0 && st.Size() > limit {
		st.OthersRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Others[i]) })
		st.Others = nil
	}
	if n := len(st.Abnormal); n > 0 && st.Size() > limit {
		st.AbnormalRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Abnormal[i]) })
		st.Abnormal = nil
	}
	if n := len(st.Lists); n > 0 && st.Size() > limit {
		st.ListsRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Lists[i]) })
		st.Lists = nil
	}
}

// listRoot is the RFC 6962 root over a list's entries.
func listRoot(n int, entry func(i int) []byte) []byte {
	leaves := make([]tree.Hash, n)
	for i := range leaves {
		leaves[i] = tree.LogLeaf(entry(i))
	}
	root := tree.LogRoot(leaves)
	return root[:]
}
