package attest_test

import (
	"bufio"
	"bytes"
	stded25519 "crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// judged is one question with the answer of this implementation, for another one to answer: x/attest/ts does.
type judged struct {
	Kind    string          `json:"kind"`
	Bundle  string          `json:"bundle"` // base64, as is Trust
	Trust   string          `json:"trust"`
	Headers []string        `json:"headers"` // base64, as is Witness
	Witness string          `json:"witness,omitempty"`
	Stamps  []string        `json:"stamps"`
	Subject string          `json:"subject"` // empty: all of the bundle
	Claim   string          `json:"claim"`
	MaxAge  string          `json:"max_age"` // nanoseconds
	At      string          `json:"at"`
	Exit    int             `json:"exit"`
	Code    string          `json:"code"`
	View    json.RawMessage `json:"view,omitempty"` // of a verdict, and of one that is stale
}

// TestSecondImplementation writes what this implementation says of mutated bundles, trust files and policies into the folder
// XINLIAN_SECOND. `scripts/dev second` lets the TypeScript verifier answer the same questions. XINLIAN_SEED chooses another run.
func TestSecondImplementation(t *testing.T) {
	dir := os.Getenv("XINLIAN_SECOND")
	if dir == "" {
		t.Skip("XINLIAN_SECOND names no folder; scripts/dev second")
	}
	q := newQuestions(t)
	f, err := os.Create(filepath.Join(dir, "judged.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	q.out = json.NewEncoder(w)

	q.flips()
	q.bundles(4000)
	q.standings(3000)
	q.trusts(3000)
	q.policies(1000)
	q.forms(2500)
	q.witnesses(1000)
	q.stamps(800)
	if err := errors.Join(w.Flush(), f.Close(), writeSignatures(filepath.Join(dir, "signatures.json"))); err != nil {
		t.Fatal(err)
	}
	t.Log(q.counts)
}

// newQuestions begins the run that XINLIAN_SEED names.
func newQuestions(t *testing.T) *questions {
	t.Helper()
	seed, err := strconv.ParseUint(cmpOr(os.Getenv("XINLIAN_SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", seed)
	return &questions{t: t, rng: rand.New(rand.NewPCG(seed, 5)), counts: make(map[string]int)}
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

type questions struct {
	t      *testing.T
	rng    *rand.Rand
	out    *json.Encoder
	counts map[string]int // by kind and code
}

// beside is what may be given beside a bundle.
type beside struct {
	headers [][]byte
	witness []byte
	stamps  [][]byte
}

// ask judges and writes one question.
func (q *questions) ask(kind string, bundle, trust []byte, subject, claim string, age time.Duration, at time.Time) {
	q.askWith(kind, bundle, trust, beside{}, subject, claim, age, at)
}

func (q *questions) askWith(kind string, bundle, trust []byte, with beside, subject, claim string, age time.Duration, at time.Time) {
	text := base64.StdEncoding.EncodeToString
	j := judged{
		Kind: kind, Bundle: text(bundle), Trust: text(trust), Headers: []string{}, Witness: text(with.witness), Stamps: []string{},
		Subject: subject, Claim: claim, MaxAge: strconv.FormatInt(int64(age), 10), At: at.Format(time.RFC3339Nano),
	}
	for _, h := range with.headers {
		j.Headers = append(j.Headers, text(h))
	}
	for _, s := range with.stamps {
		j.Stamps = append(j.Stamps, text(s))
	}
	p := attest.Policy{Subject: subject, MaxAge: age, Now: at, Witness: with.witness, Stamps: with.stamps}
	v, err := q.judge(bundle, trust, with.headers, claim, &p)
	if err != nil && attest.CodeOf(err) == "" { // a claim that is none
		j.Exit, j.Code = 2, attest.CodePolicy
		q.write(j)
		return
	}
	j.Exit, j.Code = attest.ExitCode(v, err), attest.CodeOf(err)
	var e *attest.Error
	if v != nil {
		j.Code = v.Code
	}
	if v != nil || errors.As(err, &e) && e.Seen != nil {
		view := attest.VerdictView(v, err, p)
		view.Reason = "" // for people, each in its own words
		if j.View, err = json.Marshal(view); err != nil {
			q.t.Fatal(err)
		}
	}
	q.write(j)
}

func (q *questions) judge(bundle, trust []byte, headers [][]byte, claim string, p *attest.Policy) (*attest.Verdict, error) {
	t, err := attest.ParseTrust(trust)
	if err != nil {
		return nil, err
	}
	if p.Claim, err = attest.ParseClaim(claim); err != nil {
		return nil, err
	}
	v, err := attest.NewVerifier(t)
	if err != nil {
		return nil, err
	}
	for _, raw := range headers {
		h, err := v.Header(raw)
		if err != nil {
			return nil, err
		}
		p.Headers = append(p.Headers, h)
	}
	if p.Subject != "" {
		return v.Verify(bundle, *p)
	}
	all, err := v.VerifyMany(bundle, *p)
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if !x.Holds {
			return x, nil
		}
	}
	return all[0], nil
}

func (q *questions) write(j judged) {
	q.counts[j.Kind+" "+j.Code]++
	if err := q.out.Encode(j); err != nil {
		q.t.Fatal(err)
	}
}

// flips asks about every bit of a small bundle.
func (q *questions) flips() {
	s := sample()
	s.Set = Equal("set of 1", 1)
	raw, trust := s.File(), s.Trust().Encode()
	for i := range 8 * len(raw) {
		flipped := bytes.Clone(raw)
		flipped[i/8] ^= 0x80 >> (i % 8)
		q.ask("flip", flipped, trust, SubjectClean, "no-negative", time.Hour, now())
	}
}

// specs are the bundles that are mutated.
func specs() []Spec {
	base := sample()
	base.Noise = 5
	first := base
	first.Height = 1
	steps := base
	steps.Steps = []Step{{Height: 60, Next: NewSet("b", 40, 30, 20, 10, 5)}, {Height: 61, Next: Equal("c", 3)}}
	return []Spec{
		base, first, steps,
		{Standings: []*pb.Standing{Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Noise: 3},
		{Asked: []string{SubjectAbsent}, Noise: 9},
		{Standings: []*pb.Standing{TooMany(SubjectMany)}},
		{
			Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_GENERAL)},
			Asked:     []string{SubjectClean, SubjectPunished, SubjectAbsent}, Noise: 30,
		},
	}
}

// bundles asks about bundles with changed bytes and with changed fields.
func (q *questions) bundles(n int) {
	all := specs()
	var raws [][]byte
	var trusts [][]byte
	for _, s := range all {
		raws, trusts = append(raws, s.File()), append(trusts, s.Trust().Encode())
	}
	for range n {
		i := q.rng.IntN(len(all))
		subject := ""
		if q.rng.IntN(3) > 0 {
			subject = pick(q.rng, []string{SubjectClean, SubjectPunished, SubjectAbsent, SubjectMany})
		}
		raw, kind := bytes.Clone(raws[i]), "bytes"
		if q.rng.IntN(3) > 0 {
			kind = "fields"
			b, err := attest.DecodeBundle(raw)
			if err != nil {
				q.t.Fatal(err)
			}
			for range 1 + q.rng.IntN(2) {
				q.mutate(reflect.ValueOf(b).Elem())
			}
			raw = attest.EncodeBundle(b)
		} else {
			raw = q.edit(raw, raws)
		}
		q.ask(kind, raw, trusts[i], subject, "no-negative", time.Hour, now())
	}
}

// edit changes bytes anywhere.
func (q *questions) edit(raw []byte, others [][]byte) []byte {
	for range 1 + q.rng.IntN(3) {
		at := q.rng.IntN(len(raw) + 1)
		to := min(len(raw), at+q.rng.IntN(40))
		switch q.rng.IntN(5) {
		case 0:
			raw = append(raw[:at:at], raw[to:]...)
		case 1:
			raw = slices.Insert(raw, at, raw[at:to]...)
		case 2:
			raw = slices.Insert(raw, at, byte(q.rng.IntN(256)))
		case 3:
			if at < len(raw) {
				raw[at] = byte(q.rng.IntN(256))
			}
		default:
			if at < len(raw) {
				o := pick(q.rng, others)
				raw = append(raw[:at:at], o[min(at, len(o)):]...)
			}
		}
		if len(raw) == 0 {
			return raw
		}
	}
	return raw
}

// standings asks about standings that are validly signed for, with changed fields or bytes.
func (q *questions) standings(n int) {
	for range n {
		st := pick(q.rng, []func() *pb.Standing{
			func() *pb.Standing { return Clean(SubjectClean) },
			func() *pb.Standing { return Punished(SubjectClean, pb.SEVERITY_SERIOUS) },
			func() *pb.Standing { return TooMany(SubjectClean) },
			full,
			full,
		})()
		raw, kind := pb.Encode(st), "standing"
		if q.rng.IntN(4) == 0 {
			raw, kind = q.edit(raw, [][]byte{raw}), "standing bytes"
		} else if q.rng.IntN(12) > 0 {
			for range 1 + q.rng.IntN(2) {
				q.mutate(reflect.ValueOf(st).Elem())
			}
			raw = pb.Encode(st)
		}
		if len(raw) == 0 {
			continue
		}
		s := sample()
		s.Set, s.Raw = Equal("set of 1", 1), map[string][]byte{SubjectClean: raw}
		q.ask(kind, s.File(), s.Trust().Encode(), SubjectClean, pick(q.rng, claims), time.Hour, now())
	}
}

// full is a standing with members in all of its lists.
func full() *pb.Standing {
	s := Punished(SubjectClean, pb.SEVERITY_GENERAL)
	for i := range 2 {
		s.Lists = append(s.Lists, pb.PublicListEntry{Record: Sum("l", i), List: "L1", DocNo: "样例〔2026〕1号", Issuer: Agency, DecidedOn: 20500, MaxUntil: 21000})
		s.Abnormal = append(s.Abnormal, pb.PublicAbnormal{Record: Sum("a", i), Reason: "地址", Issuer: Agency, ListedOn: 20500, Objection: i == 0})
		s.Others = append(s.Others, pb.PublicOther{Record: Sum("o", i), Source: "S", DocNo: "样例〔2026〕2号", Issuer: Agency, Class: pb.SEVERITY_MINOR, Final: true})
		s.Incentives = append(s.Incentives, pb.PublicIncentive{
			Record: Sum("i", i), List: fmt.Sprint("N", i), Issuer: Agency, State: pb.INCENTIVE_CHECKED + pb.IncentiveState(i), ValidUntil: 21000,
		})
	}
	slices.SortFunc(s.Lists, func(a, b pb.PublicListEntry) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(s.Abnormal, func(a, b pb.PublicAbnormal) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(s.Others, func(a, b pb.PublicOther) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(s.Incentives, func(a, b pb.PublicIncentive) int { return bytes.Compare(a.Record, b.Record) })
	n := &s.Counts
	n.Lists, n.Abnormal, n.Others, n.Incentives, n.Noticed, n.Minor = 2, 2, 2, 1, 1, n.Minor+2
	return s
}

// trusts asks with trust files of changed values and of changed text.
func (q *questions) trusts(n int) {
	all := specs()
	var raws [][]byte
	for _, s := range all {
		raws = append(raws, s.File())
	}
	words := []string{
		`"version": 2`, `"version": 1.0`, `"version": 1e0`, `"version": -0`, `null`, `0`, `-1`, `9223372036854775807`, `9223372036854775808`, `""`,
		`"2026-11-20T08:00:00Z"`, `"2026-11-20T16:00:00.5+08:00"`, `"2026-11-20T08:00:60Z"`, `"2026-02-29T00:00:00Z"`, `"9999-12-31T23:59:59-23:59"`,
		`"1969-12-31T23:59:59Z"`, `"2026-11-20t08:00:00z"`, `"2026-11-20T08:00:00.1234567891Z"`, `"2026-11-20T08:00:00,5Z"`, `"2026-11-20T8:00:00Z"`,
		`"2026-11-20T08:00:00+24:00"`, `"2026-11-20T08:00:00+08:60"`, "\ufeff", `"until_height": 0`, `"valid_from": "2026-11-20T08:00:00Z"`,
		`\u0031`, `\ud800`, "\xff", "\t", `{`, `}`, `[`, `]`, `,`, `:`, `"`, `\`, `"\u0076ersion"`, `"Version"`, `true`, `1`, `{}`,
	}
	for range n {
		i := q.rng.IntN(len(all))
		trust := all[i].Trust()
		for range 1 + q.rng.IntN(3) {
			switch q.rng.IntN(8) {
			case 0:
				q.mutate(reflect.ValueOf(trust).Elem())
			case 1:
				trust.Validators = append(trust.Validators, trust.Validators[q.rng.IntN(len(trust.Validators))])
			case 2:
				trust.Anchor.Height = pick(q.rng, []int64{1, 2, 59, 60, 61, 62, 99, 100, 101, 102, math.MaxInt64})
			case 3:
				trust.NotAfter = now().Add(time.Duration(q.rng.IntN(3)-1) * time.Nanosecond)
			default:
				v := &trust.Validators[q.rng.IntN(len(trust.Validators))]
				switch q.rng.IntN(4) {
				case 0:
					v.FromHeight = pick(q.rng, []int64{0, 1, 60, 61, 100, 101, 102, math.MaxInt64})
				case 1:
					v.UntilHeight = pick(q.rng, []int64{0, 1, 60, 61, 100, 101, 102, math.MaxInt64})
				case 2:
					v.ValidFrom = Time.Add(time.Duration(q.rng.IntN(3)-1) * time.Nanosecond)
				default:
					v.ValidUntil = pick(q.rng, []time.Time{Time, Time.Add(-1), now(), now().Add(-1)})
				}
			}
			if len(trust.Validators) == 0 {
				break
			}
		}
		if len(trust.Validators) > 0 && q.rng.IntN(3) == 0 {
			b, err := attest.DecodeBundle(raws[i])
			if err != nil {
				q.t.Fatal(err)
			}
			trust.Anchor = attest.Anchor{Height: b.Header.Height, HeaderHash: attest.HeaderHash(b.Header)}
		}
		file, kind := trust.Encode(), "trust"
		if q.rng.IntN(2) == 0 {
			kind = "trust text"
			at := q.rng.IntN(len(file))
			if k := bytes.IndexAny(file[at:], "\"0123456789,:{}"); k >= 0 {
				at += k
			}
			to := min(len(file), at+q.rng.IntN(24))
			if q.rng.IntN(2) == 0 { // a whole value
				if a := bytes.IndexByte(file[at:], ':'); a >= 0 {
					at += a + 1
					to = at + max(0, bytes.IndexAny(file[at:], ",\n}"))
				}
			}
			file = slices.Concat(file[:at], []byte(pick(q.rng, words)), file[to:])
		}
		q.ask(kind, raws[i], file, "", "no-negative", time.Hour, now())
	}
}

var claims = []string{
	"enrolled", "no-negative", "no-serious", "may-promise", "standing", "commitment:" + CommitmentCode(5) + "=breached",
	"commitment:" + CommitmentCode(4) + "=breached", "commitment:" + CommitmentCode(9) + "=due", "incentive:N0", "incentive:N1", "incentive:a",
}

// policies asks good bundles about many claims, times and ages.
func (q *questions) policies(n int) {
	all := specs()
	words := append(slices.Clone(claims), "", "Enrolled", "enrolled ", "commitment:", "commitment:1=due", "commitment:"+CommitmentCode(1)+"=",
		"commitment:"+CommitmentCode(1)+"=due=due", "commitment:"+CommitmentCode(1)+"=Due", "incentive:", "incentive:一", "incentive:a b",
		"incentive:"+strings.Repeat("x", 64), "incentive:"+strings.Repeat("x", 65), "no-negative\n", "toString", "__proto__")
	subjects := []string{
		SubjectClean, SubjectPunished, SubjectAbsent, SubjectMany, Agency, "", "91410100Y000000161", "91410100y000000160", "９1410100Y000000160", " " + SubjectClean,
	}
	for range n {
		s := pick(q.rng, all)
		at := now()
		if q.rng.IntN(3) == 0 {
			at = pick(q.rng, []time.Time{
				Time, Time.Add(-time.Minute), Time.Add(-time.Minute - 1), Time.Add(time.Hour), Time.Add(time.Hour + 1),
				Time.AddDate(1, 0, 0), Time.AddDate(1, 0, 0).Add(1), time.Unix(0, 0).UTC(), Time.AddDate(80, 0, 0),
			})
		}
		age := pick(q.rng, []time.Duration{time.Hour, time.Hour, 1, 0, -1, time.Minute, math.MaxInt64})
		q.ask("policy", s.File(), s.Trust().Encode(), pick(q.rng, subjects), pick(q.rng, words), age, at)
	}
}

// forms asks about bundles in the other forms and as text, with header bundles of all kinds beside them.
func (q *questions) forms(n int) {
	all := specs()
	var raws, trusts [][]byte
	for _, s := range all {
		raws, trusts = append(raws, s.File()), append(trusts, s.Trust().Encode())
	}
	convert := func(raw []byte, to attest.Form) []byte {
		out, err := attest.Convert(raw, to)
		if err != nil {
			q.t.Fatal(err)
		}
		return out
	}
	for range n {
		i := q.rng.IntN(len(all))
		raw, trust, with := raws[i], trusts[i], beside{}
		kind := pick(q.rng, []string{"pinned", "known", "armor"})
		switch kind {
		case "pinned":
			raw = convert(raw, attest.PinnedSet)
			if q.rng.IntN(3) == 0 {
				t := all[i].Trust()
				t.Anchor.Height = pick(q.rng, []int64{50, 60, 61, 100, 101, 102})
				t.Validators[q.rng.IntN(len(t.Validators))].UntilHeight = pick(q.rng, []int64{0, 59, 60, 61, 101})
				trust = t.Encode()
			}
		case "known":
			with.headers = append(with.headers, raw)
			raw = convert(raw, attest.HeaderKnown)
			for range q.rng.IntN(3) {
				h := pick(q.rng, raws)
				switch q.rng.IntN(4) {
				case 0:
					h = convert(h, attest.PinnedSet)
				case 1:
					h = convert(h, attest.HeaderKnown)
				}
				with.headers = append(with.headers, h)
			}
			q.rng.Shuffle(len(with.headers), func(a, b int) { with.headers[a], with.headers[b] = with.headers[b], with.headers[a] })
			if q.rng.IntN(4) == 0 {
				with.headers = with.headers[1:]
			}
			if len(with.headers) > 0 && q.rng.IntN(6) == 0 {
				with.headers[0] = q.changed(with.headers[0], raws)
			}
		}
		if q.rng.IntN(3) > 0 {
			raw = q.changed(raw, raws)
		}
		if kind == "armor" {
			raw = attest.Armor(raw)
			if q.rng.IntN(2) == 0 {
				raw = q.edit(raw, [][]byte{raw})
			}
		}
		subject := pick(q.rng, []string{"", SubjectClean, SubjectPunished, SubjectAbsent})
		q.askWith(kind, raw, trust, with, subject, "no-negative", time.Hour, now())
	}
}

// changed is a bundle with changed bytes or fields.
func (q *questions) changed(raw []byte, others [][]byte) []byte {
	raw = bytes.Clone(raw)
	if q.rng.IntN(3) == 0 {
		return q.edit(raw, others)
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return raw
	}
	q.mutate(reflect.ValueOf(b).Elem())
	return attest.EncodeBundle(b)
}

// witnesses asks with witness files, and with trust files that ask for them.
func (q *questions) witnesses(n int) {
	s := sample()
	s.Set = Equal("set of 1", 1)
	raw := s.File()
	b := s.Bundle()
	checkpoint, err := attest.Checkpoint(b.Header.ChainId, b.Header.Height, attest.HeaderHash(b.Header))
	if err != nil {
		q.t.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprintf("w%d.example/xinlian", i) }
	key := func(i int) stded25519.PrivateKey { return stded25519.NewKeyFromSeed(Sum("witness", i)) }
	for range n {
		trust := s.Trust()
		keys := q.rng.IntN(4)
		for i := range keys {
			trust.Witnesses.Keys = append(trust.Witnesses.Keys, attest.Witness{Name: name(i), PubKey: key(i).Public().(stded25519.PublicKey)})
		}
		if keys > 0 {
			trust.Witnesses.Required = q.rng.IntN(keys + 1)
			trust.Witnesses.Within = time.Duration(q.rng.IntN(3)) * 30 * time.Second
		}
		note := append(bytes.Clone(checkpoint), '\n')
		for range q.rng.IntN(5) {
			at := pick(q.rng, []time.Time{Time, Time, Time.Add(20 * time.Second), Time.Add(-60 * time.Second), Time.Add(-61 * time.Second), Time.Add(31 * time.Second), now().Add(60 * time.Second), now().Add(61 * time.Second), time.Unix(0, 0)})
			i := q.rng.IntN(4)
			note = append(note, attest.Cosign(checkpoint, name(i), key(pick(q.rng, []int{i, i, i, i, 0})), at)...)
		}
		if q.rng.IntN(2) == 0 {
			note = q.edit(note, [][]byte{note})
		}
		file := trust.Encode()
		if q.rng.IntN(4) == 0 && keys > 0 {
			at := bytes.Index(file, []byte(`"witnesses"`)) + q.rng.IntN(200)
			to := min(len(file), at+q.rng.IntN(8))
			file = slices.Concat(file[:min(at, to)], []byte(pick(q.rng, []string{"", "0", "-1", "+", " ", `"`, "null", "3162240001", "é"})), file[to:])
		}
		q.askWith("witness", raw, file, beside{witness: note}, SubjectClean, "no-negative", time.Hour, now())
	}
}

// stamps asks with time stamps and with keys of authorities of which some bytes are changed.
func (q *questions) stamps(n int) {
	s := sample()
	s.Noise = 20 // as the stamps were made for
	raw := s.File()
	names := []string{"rsa", "ec", "ec384"}
	var files [][]byte
	for _, name := range append(slices.Clone(names), "rsa-with-certificate", "rsa-other", "refused") {
		files = append(files, stampFile(name+".tsr"))
	}
	at := time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)
	for range n {
		trust := s.Trust()
		keys := q.rng.IntN(4)
		for _, name := range names[:keys] {
			trust.Stamps.Authorities = append(trust.Stamps.Authorities, authority(name))
		}
		if keys > 0 {
			trust.Stamps.Required = q.rng.IntN(keys + 1)
			trust.Stamps.Within = time.Duration(q.rng.IntN(3)) * 80 * time.Hour
		}
		with := beside{}
		for range q.rng.IntN(3) {
			with.stamps = append(with.stamps, pick(q.rng, files))
		}
		if len(with.stamps) > 0 && q.rng.IntN(3) > 0 {
			with.stamps[0] = q.edit(bytes.Clone(with.stamps[0]), files)
		}
		if keys > 0 && q.rng.IntN(3) == 0 {
			a := &trust.Stamps.Authorities[0]
			a.PublicKey = q.edit(bytes.Clone(a.PublicKey), [][]byte{a.PublicKey})
		}
		q.askWith("stamp", raw, trust.Encode(), with, SubjectClean, "no-negative", 240*time.Hour, pick(q.rng, []time.Time{at, at, at, Time}))
	}
}

// mutate changes one value somewhere inside v.
func (q *questions) mutate(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = t.Add(time.Duration(q.rng.IntN(5)-2) * time.Hour)
			return
		}
		q.mutate(v.Field(q.rng.IntN(v.NumField())))
	case reflect.Slice:
		q.mutateSlice(v)
	case reflect.Pointer:
		switch {
		case v.IsNil() || q.rng.IntN(8) == 0:
			v.Set(reflect.New(v.Type().Elem()))
		case q.rng.IntN(8) == 0:
			v.Set(reflect.Zero(v.Type()))
		default:
			q.mutate(v.Elem())
		}
	case reflect.Array:
		q.mutate(v.Index(q.rng.IntN(v.Len())))
	case reflect.String:
		b := []byte(v.String())
		if q.rng.IntN(4) == 0 {
			b = pick(q.rng, [][]byte{nil, []byte(SubjectClean), []byte(Agency), []byte("\xff\xfe"), bytes.Repeat([]byte("x"), 64), bytes.Repeat([]byte("x"), 65), bytes.Repeat([]byte("号"), 67)})
		} else {
			b = q.edit(b, [][]byte{b})
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint32, reflect.Uint64, reflect.Uint8:
		v.SetUint(pick(q.rng, []uint64{0, 1, 2, 3, 4, 6, 7, 14, 99, 100, v.Uint() + 1, v.Uint() - 1, math.MaxUint64}) & (1<<v.Type().Bits() - 1))
	case reflect.Int32:
		v.SetInt(int64(int32(pick(q.rng, []int64{0, 1, 3, 4, 5, 8, 9, v.Int() + 1, v.Int() - 1, -1, math.MinInt32, math.MaxInt32, 2932896, 2932897, 999999999, 1000000000}))))
	case reflect.Int, reflect.Int64:
		v.SetInt(pick(q.rng, []int64{0, 1, v.Int() + 1, v.Int() - 1, -v.Int(), math.MinInt64, math.MaxInt64, 253402300799, 253402300800, math.MaxInt64 / 8}))
	default:
		q.t.Fatalf("a value of kind %s", v.Kind())
	}
}

func (q *questions) mutateSlice(v reflect.Value) {
	n := v.Len()
	if n == 0 || q.rng.IntN(8) == 0 {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		return
	}
	at, to := q.rng.IntN(n), q.rng.IntN(n)
	elem := reflect.New(v.Type().Elem()).Elem()
	elem.Set(v.Index(at))
	clone := reflect.MakeSlice(v.Type(), n, n)
	reflect.Copy(clone, v)
	v.Set(clone)
	switch k := q.rng.IntN(6); {
	case k == 0: // one less
		v.Set(reflect.AppendSlice(v.Slice(0, at), v.Slice(at+1, n)))
	case k == 1: // one twice
		v.Set(reflect.Append(v, elem))
	case k == 2 && n > 1: // two change places
		other := reflect.New(v.Type().Elem()).Elem()
		other.Set(v.Index(to))
		v.Index(at).Set(other)
		v.Index(to).Set(elem)
	case k == 3 && n > 1: // cut off
		v.Set(v.Slice(0, at))
	default:
		q.mutate(v.Index(at))
	}
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// writeSignatures writes the verdicts of ZIP-215 over good, bad and degenerate signatures.
func writeSignatures(name string) error {
	type signature struct {
		Key       string `json:"key"`
		Message   string `json:"message"`
		Signature string `json:"signature"`
		Valid     bool   `json:"valid"`
	}
	var all []signature
	add := func(key ed25519.PubKey, msg, sig []byte) {
		all = append(all, signature{hex.EncodeToString(key), hex.EncodeToString(msg), hex.EncodeToString(sig), key.VerifySignature(msg, sig)})
	}
	msg := []byte("a vote")
	good := ed25519.GenPrivKeyFromSecret([]byte("good"))
	pub := good.PubKey().(ed25519.PubKey)
	goodSig, err := good.Sign(msg)
	if err != nil {
		return err
	}
	add(pub, msg, goodSig)
	for i := range 8 * len(goodSig) {
		sig := bytes.Clone(goodSig)
		sig[i/8] ^= 1 << (i % 8)
		add(pub, msg, sig)
	}
	surplus := bytes.Clone(goodSig)
	addOrder(surplus[32:])
	add(pub, msg, surplus)
	points := append(slices.Clone(attest.EdgePoints), hex.EncodeToString(pub), hex.EncodeToString(goodSig[:32]))
	scalars := append(slices.Clone(attest.EdgeScalars), hex.EncodeToString(goodSig[32:]))
	for _, a := range points {
		for _, r := range points {
			for _, s := range scalars {
				key, err1 := hex.DecodeString(a)
				sig, err2 := hex.DecodeString(r + s)
				if err := errors.Join(err1, err2); err != nil {
					return err
				}
				add(key, msg, sig)
			}
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(name, out, 0o644)
}
