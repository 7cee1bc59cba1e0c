package apptest

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	endOfKey             = map[string]pb.KeyEnd{"in force": pb.KEY_END_UNSET, "rotated": pb.KEY_ROTATED, "lost": pb.KEY_LOST, "returned": pb.KEY_RETURNED}
	stateOfAuthorisation = map[string]pb.AuthorisationState{
		"live": pb.AUTHORISATION_LIVE, "used up": pb.AUTHORISATION_USED_UP, "expired": pb.AUTHORISATION_EXPIRED, "withdrawn": pb.AUTHORISATION_WITHDRAWN,
		"deregistered": pb.AUTHORISATION_DEREGISTERED,
	}
)

// compareConsent holds keys, authorisations, grades and anchors against the model, row by row, and what a gateway may open for whom.
func (s *sim) compareConsent(r x.Reader) {
	t, m := s.t, s.m
	for word, k := range m.keys {
		got, found := subject.Key(r, keyOfFirm(word).Address())
		if !found || got.Subject != s.firms[k.firm] || got.End != endOfKey[k.state] || int(got.RegisteredOn) != k.registered || int(got.EndedOn) != k.ended {
			t.Errorf("key %s: %v, model %+v", word, got, k)
		}
	}
	for name, a := range m.authorisations {
		id := s.Authorisation(a.firm, "SQ-"+name[2:])
		got, found := consent.Get(r, id)
		if !found || got.State != stateOfAuthorisation[a.state] || got.Content.Subject != s.firms[a.firm] || int(got.Content.ValidUntil) != a.until ||
			int(got.RecordedOn) != a.recorded || int(got.EndedOn) != a.ended {
			t.Errorf("authorisation %s: %v, model %+v", name, got, a)
		}
		// The query that it is for, and each that differs from it in one thing.
		q := mQuery{firm: a.firm, by: a.to, via: a.via, purpose: a.purpose, class: a.classes[0], used: max(0, a.uses-1)}
		others := []mQuery{q, q, q, q, q, q, q}
		others[1].firm = map[bool]string{true: "B", false: "A"}[a.firm == "A"]
		others[2].by = map[bool]string{true: "bank2", false: "bank"}[a.to == "bank"]
		others[3].via = map[bool]string{true: "gw2", false: "gw"}[a.via == "gw"]
		others[4].purpose = 1 + a.purpose%6
		others[5].class = 3 - a.classes[len(a.classes)-1]
		others[6].used++
		for _, q := range others {
			err := consent.Allows(r, id, consent.Query{
				Subject: s.firms[q.firm], Requester: s.agency(q.by), Gateway: s.agency(q.via), Purpose: pb.Purpose(q.purpose), Today: calendar.Date(m.today), Used: uint64(q.used),
			}, pb.DataClass(q.class))
			got := ok
			if why := new(x.Rejection); errors.As(err, &why) {
				got = why.Code
			}
			if want := m.allows(name, q); !slices.Contains(strings.Split(want, "|"), got) {
				t.Errorf("%+v by authorisation %s: the ledger says %s, the model %s", q, name, got, want)
			}
			s.asked[got]++
		}
	}
	for firm, g := range m.grades {
		got, stands := consent.GradeOf(r, s.firms[firm])
		if stands != (g.ended == 0) || got == nil || got.Grade != g.grade || int(got.EndedOn) != g.ended || int(got.RecordedOn) != g.recorded || int(got.AssessedOn) != g.found {
			t.Errorf("grade of %s: %v, model %+v", firm, got, g)
		}
	}
	for gateway, all := range m.anchors {
		for _, a := range all {
			if got, found := consent.AnchorOf(r, s.agency(gateway), a.hour); !found || !bytes.Equal(got.Root, digest(a.root)) {
				t.Errorf("anchor of %s: %v, model %+v", gateway, got, a)
			}
		}
		last := slices.MaxFunc(all, func(a, b mAnchor) int { return cmp.Compare(a.hour, b.hour) })
		if got, found := consent.LastAnchor(r, s.agency(gateway)); !found || got.Hour != last.hour {
			t.Errorf("newest anchor of %s: %v, model %+v", gateway, got, last)
		}
	}
	var have [3]int
	for firm := range m.firms {
		subject.Keys(r, s.firms[firm], func(*pb.SubjectKey) bool { have[0]++; return true })
		consent.Each(r, s.firms[firm], func(*pb.Authorisation) bool { have[1]++; return true })
		if _, stands := consent.GradeOf(r, s.firms[firm]); stands {
			have[2]++
		}
	}
	want := [3]int{len(m.keys), len(m.authorisations), 0}
	for _, g := range m.grades {
		if g.ended == 0 {
			want[2]++
		}
	}
	if have != want {
		t.Errorf("keys, authorisations, grades: %v; model %v", have, want)
	}
}

// restricted is the digest of a firm's restricted section, by the lines of x/standing/FORMAT.md over the grade that stands and the commitments of 公开类型 2.
func (s *sim) restricted(r x.Reader, firm string) []byte {
	mac := func(parts ...string) string {
		h := hmac.New(sha256.New, s.Secret)
		h.Write([]byte(strings.Join(parts, "")))
		return string(h.Sum(nil))
	}
	sum := func(parts ...string) string {
		h := sha256.Sum256([]byte(strings.Join(parts, "")))
		return string(h[:])
	}
	uscc, contents := s.firms[firm], [2]string{}
	if g := s.m.grades[firm]; g.grade != "" && g.ended == 0 {
		contents[0] = string(pb.Encode(&pb.RestrictedGrade{Grade: g.grade, Issuer: s.agency("pj"), AssessedOn: int32(g.found), ValidUntil: int32(g.until)}))
	}
	narrow := new(pb.RestrictedCommitments)
	for code, c := range s.m.commitments {
		if c.firm == firm && c.public == 2 && !c.hidden {
			narrow.Commitments = append(narrow.Commitments, s.publicCommitment(r, code, c))
		}
	}
	if len(narrow.Commitments) > 0 {
		slices.SortFunc(narrow.Commitments, func(a, b pb.PublicCommitment) int { return strings.Compare(a.Code, b.Code) })
		contents[1] = string(pb.Encode(narrow))
	}
	section := new(pb.RestrictedSection)
	for i, content := range contents {
		class := string([]byte{byte(i + 1)})
		salt := mac("xinlian/class/v1", uscc, class, sum(content))
		section.Classes = append(section.Classes, []byte(sum("xinlian/class/v1", class, salt, content)))
	}
	raw := string(pb.Encode(section))
	return []byte(sum("xinlian/restricted/v1", mac("xinlian/restricted/v1", uscc, sum(raw)), raw))
}

func (s *sim) publicCommitment(r x.Reader, code string, c mCommitment) pb.PublicCommitment {
	row, _ := commitment.Get(r, code)
	return pb.PublicCommitment{
		Code: code, Type: uint32(c.kind), State: stateOfCommitment[c.state], MadeOn: row.Content.MadeOn, ValidUntil: int32(c.until), Acceptor: s.agency(c.acceptor), Objection: c.marks > 0,
	}
}

// comparePacks makes both sets (离线信用包) from who has something public now, their roots by app/state/FORMAT.md, and with them the app hash of the newest
// block. A record that was repaired, has expired or was withdrawn is in none of it: the root is again the one from before (INV-03).
func (s *sim) comparePacks() {
	var serious, negative []string
	for firm := range s.m.firms {
		is, has := false, false
		for _, p := range s.m.records {
			if p.firm == firm && p.public() {
				has = true
				is = is || p.kind == "list" || p.class == 3 && p.kind != "abnormal"
			}
		}
		if has {
			negative = append(negative, s.firms[firm])
		}
		if is {
			serious = append(serious, s.firms[firm])
		}
	}
	s.packed[fmt.Sprint(len(serious), "/", len(negative))]++
	p, err := s.Apps[0].Prove(s.Height(), []string{s.firms["clean"]})
	must(s.t, err)
	release, state, found := s.Apps[0].Tree(s.Height())
	if !found {
		s.t.Fatal("the newest height is not in memory")
	}
	release()
	sum := func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }
	entry := func(name string, digest []byte) []byte { // its leaf in the app hash
		return sum(slices.Concat([]byte{0}, binary.AppendUvarint(nil, uint64(len(name))), []byte(name), binary.AppendUvarint(nil, 32), digest))
	}
	node := func(l, r []byte) []byte { return sum(slices.Concat([]byte{1}, l, r)) }
	digest := func(set byte, root []byte) []byte {
		salt := hmac.New(sha256.New, s.Secret)
		salt.Write(slices.Concat([]byte("xinlian/pack/v1"), []byte{set}, state[:]))
		return sum(slices.Concat([]byte("xinlian/pack/v1"), salt.Sum(nil), root))
	}
	pack := sum(slices.Concat(digest(1, packRoot("serious", serious)), digest(2, packRoot("negative", negative))))
	want := node(node(entry("catalog", sum(p.Catalog)), entry("log", p.LogHash)), node(entry("pack", pack), entry("state", sum(state[:]))))
	if !bytes.Equal(p.Pack, pack) || !bytes.Equal(s.AppHash, want) {
		s.t.Errorf("the app hash is %x, by the model %x; serious are %q, negative %q", s.AppHash, want, serious, negative)
	}
}

// packRoot is the root of a set: a leaf a member at the path of its standing, all with one value.
func packRoot(set string, members []string) []byte {
	value := sha256.Sum256([]byte("xinlian/pack/" + set + "/v1"))
	var paths [][32]byte
	for _, uscc := range members {
		paths = append(paths, sha256.Sum256([]byte("S"+uscc)))
	}
	var below func(paths [][32]byte, depth int) []byte
	below = func(paths [][32]byte, depth int) []byte {
		var sides [2][][32]byte
		switch len(paths) {
		case 0:
			return make([]byte, 32)
		case 1:
			leaf := sha256.Sum256(slices.Concat([]byte{0}, paths[0][:], value[:]))
			return leaf[:]
		}
		for _, p := range paths {
			bit := p[depth/8] >> (7 - depth%8) & 1
			sides[bit] = append(sides[bit], p)
		}
		inner := sha256.Sum256(slices.Concat([]byte{1}, below(sides[0], depth+1), below(sides[1], depth+1)))
		return inner[:]
	}
	return below(paths, 0)
}
