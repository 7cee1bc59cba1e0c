package inspection

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Domains separate these digests from every other.
const (
	listDomain      = "xinlian/inspection/list/v1"
	drawDomain      = "xinlian/inspection/draw/v1"
	inspectorDomain = "xinlian/inspection/inspector/v1"
)

// Drawn is a candidate that was drawn, with the numbers of its inspectors in the roster, ascending.
type Drawn struct {
	Subject string
	Class   uint32
	Team    []uint32
}

// ListDigest is what the plan holds of a sealed list, which is sorted by code.
func ListDigest(list []pb.Candidate) [32]byte {
	h := sha256.New()
	h.Write([]byte(listDomain))
	for i := range list {
		h.Write([]byte(list[i].Subject))
		h.Write([]byte{byte(list[i].Class)})
	}
	return [32]byte(h.Sum(nil))
}

// Draw is the draw of DRAW.md: who of a sealed list is inspected, and by whom, in the order of their lots. Anybody who has the list can call it.
func Draw(seed, plan []byte, rates []uint32, inspectors, team uint32, list []pb.Candidate) []Drawn {
	type lot struct {
		value [32]byte
		c     pb.Candidate
	}
	var drawn []lot
	for class := uint32(1); class <= classes; class++ {
		var lots []lot
		for _, c := range list {
			if c.Class == class {
				lots = append(lots, lot{sha256.Sum256(bytes.Join([][]byte{[]byte(drawDomain), seed, plan, []byte(c.Subject)}, nil)), c})
			}
		}
		slices.SortFunc(lots, func(a, b lot) int { return bytes.Compare(a.value[:], b.value[:]) })
		n := (len(lots)*int(rates[class-1]) + 999) / 1000
		drawn = append(drawn, lots[:n]...)
	}
	slices.SortFunc(drawn, func(a, b lot) int { return bytes.Compare(a.value[:], b.value[:]) })
	roster := rosterOrder(seed, plan, inspectors)
	out := make([]Drawn, len(drawn))
	for k, l := range drawn {
		d := Drawn{Subject: l.c.Subject, Class: l.c.Class}
		for j := range int(team) {
			d.Team = append(d.Team, roster[(k*int(team)+j)%len(roster)])
		}
		slices.Sort(d.Team)
		out[k] = d
	}
	return out
}

// rosterOrder puts the numbers of the roster into the order of their lots.
func rosterOrder(seed, plan []byte, inspectors uint32) []uint32 {
	lots := make(map[uint32][32]byte, inspectors) // DETERMINISM: looked up, never ranged over
	order := make([]uint32, inspectors)
	for i := range order {
		n := uint32(i + 1)
		order[i] = n
		lots[n] = sha256.Sum256(bytes.Join([][]byte{[]byte(inspectorDomain), seed, plan, binary.BigEndian.AppendUint32(nil, n)}, nil))
	}
	slices.SortFunc(order, func(a, b uint32) int {
		x, y := lots[a], lots[b]
		return cmp.Or(bytes.Compare(x[:], y[:]), cmp.Compare(a, b))
	})
	return order
}
