package attest_test

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// truth is one state with firms that are enrolled and firms that are not, and a header for it that is known.
type truth struct {
	verifier *attest.Verifier
	headers  []*attest.Header
	asked    []string
	entries  map[string]pb.Entry
	proofs   []*pb.Bundle // genuine, header-known, one for each subject and one for all
}

func newTruth(t testing.TB) *truth {
	t.Helper()
	s := Spec{Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Noise: 12}
	w := &truth{asked: []string{SubjectClean, SubjectPunished, SubjectAbsent, SubjectMany, Agency}, entries: make(map[string]pb.Entry)}
	var err error
	if w.verifier, err = attest.NewVerifier(s.Trust()); err != nil {
		t.Fatal(err)
	}
	for _, asked := range append([][]string{w.asked}, [][]string{{SubjectClean}, {SubjectPunished}, {SubjectAbsent}, {SubjectMany}, {Agency}}...) {
		s.Asked = asked
		raw := s.File()
		h, err := w.verifier.Header(raw)
		if err != nil {
			t.Fatal(err)
		}
		w.headers = []*attest.Header{h}
		b, err := attest.DecodeBundle(convert(raw, attest.HeaderKnown))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entries {
			w.entries[e.Subject] = e
		}
		w.proofs = append(w.proofs, b)
	}
	return w
}

// hold fails where a bundle over the known header is accepted that says anything but the truth: presence and absence of one firm can then never both be.
func (w *truth) hold(t testing.TB, b *pb.Bundle) (accepted bool) {
	t.Helper()
	p := policy("", attest.Standing)
	p.Headers = w.headers
	verdicts, err := w.verifier.VerifyMany(attest.EncodeBundle(b), p)
	if err != nil {
		return false
	}
	for i, e := range b.Entries {
		if was := w.entries[e.Subject]; !bytes.Equal(was.Standing, e.Standing) || !bytes.Equal(was.Salt, e.Salt) {
			t.Fatalf("entry %d is accepted and false: %v", i, e)
		}
	}
	for _, v := range verdicts {
		if v.Enrolled != (len(w.entries[v.Subject].Standing) > 0) {
			t.Fatalf("%s is proven to be enrolled: %t", v.Subject, v.Enrolled)
		}
	}
	return true
}

func byPath(entries []pb.Entry) {
	slices.SortFunc(entries, func(a, b pb.Entry) int {
		x, y := tree.PathOf(attest.StandingKey(a.Subject)), tree.PathOf(attest.StandingKey(b.Subject))
		return bytes.Compare(x[:], y[:])
	})
}

// TestPresenceAndAbsence puts parts of genuine proofs together in many ways: entries true and false, shapes and hashes of other proofs, cut, doubled, moved.
func TestPresenceAndAbsence(t *testing.T) {
	w := newTruth(t)
	for _, b := range w.proofs {
		if !w.hold(t, b) {
			t.Fatal("a genuine proof is refused")
		}
	}
	r := rand.New(rand.NewSource(3))
	rounds, accepted := 60000, 0
	if testing.Short() {
		rounds = 6000
	}
	for range rounds {
		b, other := *w.proofs[r.Intn(len(w.proofs))], w.proofs[r.Intn(len(w.proofs))]
		b.Entries = slices.Clone(b.Entries)
		for range 1 + r.Intn(3) {
			i := r.Intn(len(b.Entries))
			switch r.Intn(9) {
			case 0: // as absent
				b.Entries[i].Standing, b.Entries[i].Salt = nil, nil
			case 1: // as present, with the standing of a firm without records
				b.Entries[i] = EntryOf(b.Entries[i].Subject, Clean(b.Entries[i].Subject))
			case 2:
				b.Entries[i].Subject = w.asked[r.Intn(len(w.asked))]
			case 3:
				b.Entries = append(b.Entries, other.Entries[r.Intn(len(other.Entries))])
			case 4:
				if len(b.Entries) > 1 {
					b.Entries = slices.Delete(b.Entries, i, i+1)
				}
			case 5:
				b.Shape = other.Shape
			case 6:
				b.Hashes = other.Hashes
			case 7:
				if len(b.Shape) > 0 {
					b.Shape = bytes.Clone(b.Shape)
					b.Shape[r.Intn(len(b.Shape))] ^= 1 << r.Intn(8)
				}
			case 8: // a leaf or a branch of the proof as a hash, a hash less, a hash more
				b.Hashes = bytes.Clone(b.Hashes)
				switch n := len(b.Hashes) / 32; {
				case n > 0 && r.Intn(2) == 0:
					j := 32 * r.Intn(n)
					b.Hashes = slices.Delete(b.Hashes, j, j+32)
				default:
					e := other.Entries[r.Intn(len(other.Entries))]
					path, v := tree.PathOf(attest.StandingKey(e.Subject)), attest.StandingValue(e.Salt, e.Standing)
					vh := tree.ValueHash(v[:])
					leaf := tree.LeafHash(path, vh)
					b.Hashes = append(b.Hashes, [][]byte{path[:], vh[:], leaf[:]}[r.Intn(3)]...)
				}
			}
		}
		if r.Intn(4) > 0 {
			byPath(b.Entries)
		}
		if w.hold(t, &b) {
			accepted++
		}
	}
	t.Logf("%d of %d put together are genuine again", accepted, rounds)
	if accepted == 0 {
		t.Error("nothing is ever accepted: nothing is tried")
	}
}

// FuzzPresenceAndAbsence is the same for proofs that nobody thought of.
func FuzzPresenceAndAbsence(f *testing.F) {
	w := newTruth(f)
	for _, b := range w.proofs {
		f.Add(b.Shape, b.Hashes, uint8(0), true)
		f.Add(b.Shape, b.Hashes, uint8(2), false)
	}
	f.Fuzz(func(t *testing.T, shape, hashes []byte, who uint8, present bool) {
		b := *w.proofs[0]
		subject := w.asked[int(who)%len(w.asked)]
		b.Entries = []pb.Entry{{Subject: subject}}
		if present {
			if b.Entries[0] = w.entries[subject]; len(b.Entries[0].Standing) == 0 {
				b.Entries[0] = EntryOf(subject, Clean(subject))
			}
		}
		b.Shape, b.Hashes = shape, hashes
		w.hold(t, &b)
	})
}

// FuzzArmor: text that is read is the one form of what it holds.
func FuzzArmor(f *testing.F) {
	raw := sample().File()
	f.Add(attest.Armor(raw))
	f.Add(attest.Armor(convert(raw, attest.HeaderKnown)))
	f.Add(attest.Armor(nil))
	f.Add(bytes.ReplaceAll(attest.Armor(raw), []byte("\n"), []byte("\r\n")))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := attest.DecodeBundle(in)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		if out := attest.EncodeBundle(b); !bytes.Equal(out, in) && !bytes.Equal(attest.Armor(out), in) {
			t.Fatal("one bundle in two forms of text")
		}
	})
}

// FuzzWitnessFile: no witness counts that has not signed, and whatever else is in the file, the verdict has a class and a code.
func FuzzWitnessFile(f *testing.F) {
	s := sample()
	raw, trust := s.File(), s.Trust()
	names := []string{"w1.example/xinlian", "w2.example/xinlian"}
	trust.Witnesses = attest.Witnesses{Keys: []attest.Witness{witnessOf(names[0]), witnessOf(names[1])}}
	body, err := attest.Checkpoint("test-attest", 101, attest.HeaderHash(s.Bundle().Header))
	if err != nil {
		f.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		f.Fatal(err)
	}
	line := attest.Cosign(body, names[0], witnessKey(names[0]), Time)
	f.Add(slices.Concat(body, []byte("\n"), line))
	f.Add(slices.Concat(body, []byte("\n"), line, []byte("— other.example AAAAAAE=\n")))
	f.Add(slices.Concat(body, []byte("\n"), attest.Cosign(body, names[1], witnessKey("other"), Time)))
	f.Fuzz(func(t *testing.T, note []byte) {
		p := policy(SubjectClean, attest.NoNegative)
		p.Witness = note
		d, err := v.Verify(raw, p)
		switch {
		case err != nil && attest.CodeOf(err) == "":
			t.Fatalf("no code: %v", err)
		case err == nil && len(d.Witnessed) > 0 && (!slices.Equal(d.Witnessed, names[:1]) || !bytes.Contains(note, line)):
			t.Fatalf("%v count in\n%s", d.Witnessed, note)
		}
	})
}

// FuzzTimeStamp: no stamp counts but of the authority that made it, over the header, at the time that it says.
func FuzzTimeStamp(f *testing.F) {
	s := sample()
	s.Noise = 20
	raw, trust := s.File(), s.Trust()
	trust.Stamps = attest.Stamps{Authorities: []attest.Authority{authority("rsa"), authority("ec"), authority("ec384")}}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		f.Fatal(err)
	}
	p := policy(SubjectClean, attest.NoNegative)
	p.Now, p.MaxAge = time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC), 240*time.Hour
	hash := attest.HeaderHash(s.Bundle().Header)
	for _, name := range []string{"rsa.tsr", "rsa-with-certificate.tsr", "ec.tsr", "ec384.tsr", "rsa-other.tsr", "refused.tsr"} {
		f.Add(stampFile(name))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		p := p
		p.Stamps = [][]byte{in}
		d, err := v.Verify(raw, p)
		switch {
		case err != nil && attest.CodeOf(err) == "":
			t.Fatalf("no code: %v", err)
		case err == nil && len(d.Stamped) > 0 && (len(d.Stamped) > 1 || !bytes.Contains(in, hash[:])):
			t.Fatalf("%v count", d.Stamped)
		}
	})
}
