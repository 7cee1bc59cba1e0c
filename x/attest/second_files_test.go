package attest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// judgedFile is one question about a pack, a delta, an anchor proof, a receipt or a rotation.
type judgedFile struct {
	Kind    string   `json:"kind"`
	File    string   `json:"file"` // base64, as are Base, Trust and Receipt
	Base    string   `json:"base,omitempty"`
	Trust   string   `json:"trust"`
	Claim   string   `json:"claim,omitempty"`
	MaxAge  string   `json:"max_age,omitempty"` // nanoseconds
	At      string   `json:"at"`
	Receipt string   `json:"receipt,omitempty"`
	Salt    string   `json:"salt,omitempty"` // hex, as is Path
	Place   string   `json:"place,omitempty"`
	Path    []string `json:"path,omitempty"`
	Bundle  *string  `json:"bundle,omitempty"` // base64, as is Opening: an answer that the receipt is to be of
	Opening string   `json:"opening,omitempty"`
	Exit    int      `json:"exit"`
	Code    string   `json:"code"`
	Said    string   `json:"said,omitempty"` // what an accepted one says
}

// files asks about packs and deltas, anchor proofs and receipts, and rotations, in the file files.jsonl of the folder.
func (q *questions) files(dir string) {
	f, err := os.Create(filepath.Join(dir, "files.jsonl"))
	if err != nil {
		q.t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	out := json.NewEncoder(w)
	write := func(j judgedFile, err error) {
		j.Exit, j.Code = attest.ExitCode(nil, err), attest.CodeOf(err)
		if err == nil {
			j.Exit, j.Code = 0, "OK"
		}
		q.counts[j.Kind+" "+j.Code]++
		if err := out.Encode(j); err != nil {
			q.t.Fatal(err)
		}
	}
	q.packs(2500, write)
	q.deltas(2000, write)
	q.anchors(2500, write)
	q.receipts(1500, write)
	q.rotations(1500, write)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		q.t.Fatal(err)
	}
}

var text64 = base64.StdEncoding.EncodeToString

// moment is a time around that of the samples' headers.
func (q *questions) moment() time.Time {
	if q.rng.IntN(8) > 0 {
		return now()
	}
	return pick(q.rng, []time.Time{Time.Add(-2 * time.Minute), Time.Add(-time.Minute), Time.Add(time.Hour), Time.Add(time.Hour + 1), Time.AddDate(1, 0, 1)})
}

func (q *questions) packs(n int, write func(judgedFile, error)) {
	all := []*pb.Pack{
		samplePack(pb.PACK_SERIOUS), samplePack(pb.PACK_NEGATIVE), Spec{}.Pack(pb.PACK_SERIOUS, nil, nil),
		Spec{Steps: []Step{{Height: 60, Next: Equal("c", 3)}}}.Pack(pb.PACK_NEGATIVE, nil, Members(uscc(1))),
	}
	trust := Spec{}.Trust()
	var genuine [][]byte
	// Where nobody is in either set, the one pack of a block becomes the other by its name alone.
	for _, p := range append(slices.Clone(all), Spec{}.Pack(pb.PACK_NEGATIVE, nil, nil)) {
		genuine = append(genuine, attest.EncodePack(p))
	}
	for range n {
		p := pick(q.rng, all)
		raw, kind := attest.EncodePack(p), "pack"
		switch q.rng.IntN(8) {
		case 0:
		case 1, 2, 3:
			raw, kind = q.edit(raw, [][]byte{attest.EncodePack(pick(q.rng, all)), sample().File()}), "pack bytes"
		default:
			kind = "pack fields"
			again := new(pb.Pack)
			if err := pb.Decode(bytes.Clone(raw[4:]), again); err != nil {
				q.t.Fatal(err)
			}
			for range 1 + q.rng.IntN(2) {
				q.mutate(reflect.ValueOf(again).Elem())
			}
			raw = attest.EncodePack(again)
		}
		opens := q.pack(judgedFile{Kind: kind, File: text64(raw)}, raw, trust, write)
		if opens && !slices.ContainsFunc(genuine, func(g []byte) bool { return bytes.Equal(g, raw) }) {
			q.t.Errorf("a changed pack is accepted: %x", raw)
		}
	}
}

func (q *questions) pack(j judgedFile, raw []byte, trust *attest.Trust, write func(judgedFile, error)) (opens bool) {
	at, claim := q.moment(), pick(q.rng, []attest.Claim{attest.NoSerious, attest.NoSerious, attest.NoNegative})
	j.Trust, j.Claim, j.MaxAge, j.At = text64(trust.Encode()), claim.String(), strconv.FormatInt(int64(time.Hour), 10), at.Format(time.RFC3339Nano)
	p, err := attest.OpenPack(raw, trust, attest.Policy{Claim: claim, MaxAge: time.Hour, Now: at})
	if err == nil {
		j.Said = fmt.Sprintf("%x %d %d %s", p.Root, p.Len(), p.Height, q.look(p))
	}
	write(j, err)
	return err == nil
}

// look is what a pack says of the first twenty firms.
func (q *questions) look(p *attest.Pack) (out string) {
	for _, code := range usccs(0, 20) {
		in, err := p.Contains(code)
		if err != nil {
			q.t.Fatal(err)
		}
		out += map[bool]string{true: "1", false: "0"}[in]
	}
	return out
}

// deltas asks about deltas and what they make.
func (q *questions) deltas(n int, write func(judgedFile, error)) {
	trust := Spec{}.Trust()
	some := func() []byte {
		var codes []string
		for i := range 20 {
			if q.rng.IntN(3) == 0 {
				codes = append(codes, uscc(i))
			}
		}
		return Members(codes...)
	}
	for range n {
		old, next := Spec{}.Pack(pb.PACK_SERIOUS, some(), nil), Spec{Height: 130}.Pack(pb.PACK_SERIOUS, some(), nil)
		root := SetRoot(pb.PACK_SERIOUS, old.Members)
		d := &pb.PackDelta{Base: root[:], Pack: *next}
		d.Pack.Members = nil
		d.Added, d.Removed = attest.DiffMembers(old.Members, next.Members)
		base, raw, kind := attest.EncodePack(old), attest.EncodeDelta(d), "delta"
		switch q.rng.IntN(8) {
		case 0:
		case 1, 2:
			raw, kind = q.edit(raw, [][]byte{base}), "delta bytes"
		case 3:
			base, kind = q.edit(base, [][]byte{raw}), "delta base"
		default:
			q.mutate(reflect.ValueOf(d).Elem())
			raw, kind = attest.EncodeDelta(d), "delta fields"
		}
		j := judgedFile{Kind: kind, File: text64(raw), Base: text64(base)}
		made, err := attest.ApplyDelta(base, raw)
		if err != nil {
			j.Trust, j.Claim, j.MaxAge, j.At = text64(trust.Encode()), "no-serious", "1", now().Format(time.RFC3339Nano)
			write(j, err)
			continue
		}
		q.pack(j, made, trust, write)
	}
}

// anchors asks about anchor proofs, of rows that are validly signed for and of others.
func (q *questions) anchors(n int, write func(judgedFile, error)) {
	trust := Spec{}.Trust()
	good := attest.EncodeAnchorProof(sampleAnchor())
	for range n {
		raw, kind := bytes.Clone(good), "anchor"
		switch q.rng.IntN(8) {
		case 0:
		case 1, 2, 3:
			raw, kind = q.edit(raw, [][]byte{sample().File(), attest.EncodePack(samplePack(pb.PACK_SERIOUS))}), "anchor bytes"
		case 4, 5:
			row := sampleRow()
			q.mutate(reflect.ValueOf(&row).Elem())
			raw, kind = attest.EncodeAnchorProof(anchorOf(anchorSpec(), row)), "anchor row"
		default:
			p := sampleAnchor()
			for range 1 + q.rng.IntN(2) {
				q.mutate(reflect.ValueOf(p).Elem())
			}
			raw, kind = attest.EncodeAnchorProof(p), "anchor fields"
		}
		at := q.moment()
		j := judgedFile{Kind: kind, File: text64(raw), Trust: text64(trust.Encode()), At: at.Format(time.RFC3339Nano)}
		a, err := attest.OpenAnchorProof(raw, trust, attest.Policy{Now: at})
		if err == nil {
			j.Said = fmt.Sprintf("%s %d %x %d %d", a.Gateway, a.Hour, a.Root, a.BlockHeight, a.HeaderHeight)
			if kind != "anchor row" && !bytes.Equal(raw, good) {
				q.t.Errorf("a changed anchor proof is accepted: %x", raw)
			}
		}
		write(j, err)
	}
}

// receipts asks whether receipts are covered, most of them by an anchor of their own, so that the form decides.
func (q *questions) receipts(n int, write func(judgedFile, error)) {
	s := anchorSpec()
	s.Set = Equal("set of 1", 1)
	trust := s.Trust()
	some := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(q.rng.Uint32())
		}
		return b
	}
	for range n {
		raw, salt, place, path := sampleReceipt()
		kind := "receipt"
		var bundle, opening []byte // short ones: what they are does not matter to a receipt
		answered := q.rng.IntN(3) == 0
		if answered {
			r := new(pb.QueryReceipt)
			if err := pb.Decode(raw, r); err != nil {
				q.t.Fatal(err)
			}
			bundle, opening = some(1+q.rng.IntN(40)), some(max(0, q.rng.IntN(60)-20))
			d := attest.AnswerDigest(bundle, opening)
			r.AnswerDigest = d[:]
			raw, kind = pb.Encode(r), "receipt answer"
			switch q.rng.IntN(4) {
			case 0:
				bundle = q.edit(bundle, [][]byte{opening})
			case 1:
				opening = q.edit(opening, [][]byte{bundle})
			}
		}
		switch q.rng.IntN(5) {
		case 0:
		case 1:
			raw, kind = q.edit(raw, [][]byte{salt}), "receipt bytes"
		default:
			r := new(pb.QueryReceipt)
			if err := pb.Decode(raw, r); err != nil {
				q.t.Fatal(err)
			}
			if answered { // another field is not asked about: the answer decides
				break
			}
			q.mutate(reflect.ValueOf(r).Elem())
			raw, kind = pb.Encode(r), "receipt fields"
		}
		switch q.rng.IntN(12) {
		case 0:
			place = q.rng.Uint64() >> q.rng.IntN(64)
		case 1:
			path = path[:q.rng.IntN(len(path)+1)]
		case 2:
			path = slices.Repeat(path, 8)[:q.rng.IntN(48)]
		case 3:
			salt = salt[:q.rng.IntN(33)]
		}
		row := sampleRow()
		if q.rng.IntN(6) > 0 {
			root := attest.ReceiptRoot(attest.ReceiptLeaf(salt, raw), place, path)
			row.Root = root[:]
		}
		file := attest.EncodeAnchorProof(anchorOf(s, row))
		j := judgedFile{
			Kind: kind, File: text64(file), Trust: text64(trust.Encode()), At: now().Format(time.RFC3339Nano),
			Receipt: text64(raw), Salt: hex.EncodeToString(salt), Place: strconv.FormatUint(place, 10),
		}
		for _, h := range path {
			j.Path = append(j.Path, hex.EncodeToString(h[:]))
		}
		if answered {
			text := text64(bundle)
			j.Bundle, j.Opening = &text, text64(opening)
		}
		a, err := attest.OpenAnchorProof(file, trust, attest.Policy{Now: now()})
		if err != nil {
			q.t.Fatal(err)
		}
		r, err := a.Covers(raw, salt, place, path)
		if err == nil && answered {
			err = attest.CheckAnswer(r, bundle, opening)
		}
		if err == nil {
			j.Said = fmt.Sprintf("%s %s %d %d %d %d %d %d %x", r.Subject, r.Requester, int32(r.Purpose), r.AtHeight, r.AtTime, r.ClockMs, r.Refusal, r.LatencyUs, r.AnswerDigest)
		}
		write(j, err)
	}
}

// rotations asks about rotations whose trust files, signatures or bytes are changed.
func (q *questions) rotations(n int, write func(judgedFile, error)) {
	all := []int{0, 1, 2, 3}
	for range n {
		r := newRotation()
		switch q.rng.IntN(4) {
		case 0:
			q.mutate(reflect.ValueOf(r.old).Elem())
		case 1:
			q.mutate(reflect.ValueOf(r.new).Elem())
		}
		signatures := r.sign(all[:2+q.rng.IntN(3)]...)
		if q.rng.IntN(4) == 0 {
			q.mutate(reflect.ValueOf(&signatures).Elem())
		}
		old, raw, kind := r.old.Encode(), r.file(signatures), "rotation"
		if q.rng.IntN(3) == 0 {
			raw, kind = q.edit(raw, [][]byte{old}), "rotation bytes"
		}
		at := q.moment()
		j := judgedFile{Kind: kind, File: text64(raw), Base: text64(old), At: at.Format(time.RFC3339Nano)}
		next, err := attest.Rotate(old, raw, at)
		if err == nil {
			j.Said = text64(next)
		}
		write(j, err)
	}
}

// TestFilesToJudge: what is asked has answers of both kinds, of each kind of file.
func TestFilesToJudge(t *testing.T) {
	dir := os.Getenv("XINLIAN_SECOND")
	if dir == "" {
		t.Skip("XINLIAN_SECOND names no folder; scripts/dev second")
	}
	q := newQuestions(t)
	q.files(dir)
	if q.counts["receipt answer E_RECEIPT"] == 0 {
		t.Error("no receipt of another answer is refused")
	}
	for _, kind := range []string{"pack", "delta", "anchor", "receipt", "receipt answer", "rotation"} {
		if q.counts[kind+" OK"] == 0 {
			t.Errorf("no %s is accepted", kind)
		}
	}
	t.Log(q.counts)
}
