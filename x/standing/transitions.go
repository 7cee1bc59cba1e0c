package standing

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Refresh makes the standings of the touched subjects anew and returns how many changed.
func Refresh(ctx *x.Ctx) (changed int) {
	touched := make([]string, 0, len(ctx.Touched))
	for s := range ctx.Touched { // DETERMINISM: sorted below
		touched = append(touched, s)
	}
	slices.Sort(touched)
	for _, uscc := range touched {
		s, ok := subject.Get(ctx, uscc)
		if !ok {
			x.Faultf("subject %s was touched and is not enrolled", uscc)
		}
		raw := x.EncodeRow(Build(ctx, ctx.Chain.Secret, s))
		if old, ok := Get(ctx, uscc); !ok || !bytes.Equal(old, raw) {
			ctx.Set(x.Key(standings.Prefix, []byte(uscc)), raw)
			changed++
		}
	}
	return changed
}

// Build makes the standing of a subject from its records. It is a function of what the public may see.
func Build(r x.Reader, secret []byte, s *pb.Subject) *pb.Standing {
	st := &pb.Standing{Subject: s.Uscc, Region: s.Region, Category: s.Category, Status: s.Status, MayPromise: true}
	shown := map[string]bool{} // commitments that the public sees
	restricted := new(pb.RestrictedSection)
	commitment.Each(r, s.Uscc, func(c *pb.Commitment) bool {
		if commitment.Public(c) {
			st.Commitments = append(st.Commitments, publicCommitment(c))
			shown[c.Content.Code] = true
			if c.State == pb.COMMITMENT_BREACHED {
				st.Counts.Breached++
			}
		}
		restrict(restricted, c)
		return true
	})
	sanction.Each(r, s.Uscc, func(p *pb.Penalty) bool {
		if !sanction.Public(p) {
			return true
		}
		st.Penalties = append(st.Penalties, pb.PublicPenalty{
			Record: p.Id, DocNo: p.Content.DocNo, Issuer: p.Content.Issuer, Class: p.Class, Kinds: p.Content.Kinds,
			DecidedOn: p.Content.DecidedOn, MinUntil: p.MinUntil, MaxUntil: p.MaxUntil, Final: p.Final,
		})
		switch p.Class {
		case pb.SEVERITY_MINOR:
			st.Counts.Minor++
		case pb.SEVERITY_GENERAL:
			st.Counts.General++
		case pb.SEVERITY_SERIOUS:
			st.Counts.Serious++
			st.MayPromise = false
		}
		return true
	})
	// A bar whose cause the public does not see must not be seen either: without a public commitment there is nothing to look for.
	if len(shown) > 0 {
		commitment.Bars(r, s.Uscc, func(b *pb.PromiseBar) bool {
			if b.Cause == pb.BAR_BREACH && b.LiftedOn == 0 && shown[b.Commitment] {
				st.MayPromise = false
			}
			return true
		})
	}
	st.Counts.Commitments = uint32(len(st.Commitments))
	st.Counts.Penalties = uint32(len(st.Penalties))

	section := x.EncodeRow(restricted)
	st.Restricted = RestrictedDigest(RestrictedSalt(secret, s.Uscc, section), section)
	shorten(st, int(catalog.Int(r, "standing_bytes_max")))
	return st
}

// Restricted makes the restricted section of a subject.
func Restricted(r x.Reader, uscc string) *pb.RestrictedSection {
	sec := new(pb.RestrictedSection)
	commitment.Each(r, uscc, func(c *pb.Commitment) bool {
		restrict(sec, c)
		return true
	})
	return sec
}

// restrict adds a commitment to the section that it belongs to, if it does.
func restrict(sec *pb.RestrictedSection, c *pb.Commitment) {
	if c.Content.Publication == 2 && !c.Hidden {
		sec.Commitments = append(sec.Commitments, publicCommitment(c))
	}
}

func publicCommitment(c *pb.Commitment) pb.PublicCommitment {
	return pb.PublicCommitment{
		Code: c.Content.Code, Type: c.Content.Type, State: c.State, MadeOn: c.Content.MadeOn, ValidUntil: c.Content.ValidUntil, Acceptor: c.Content.Acceptor,
	}
}

// shorten replaces a list by its root where the document would pass its limit: first the commitments, then the penalties. The counts stay, so
// every claim about classes can still be answered.
func shorten(st *pb.Standing, limit int) {
	if st.Size() <= limit {
		return
	}
	if n := len(st.Commitments); n > 0 { // a root stands for a list, never for none
		st.CommitmentsRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Commitments[i]) })
		st.Commitments = nil
	}
	if n := len(st.Penalties); n > 0 && st.Size() > limit {
		st.PenaltiesRoot = listRoot(n, func(i int) []byte { return x.EncodeRow(&st.Penalties[i]) })
		st.Penalties = nil
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
