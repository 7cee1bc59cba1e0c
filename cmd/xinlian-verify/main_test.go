package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/rogpeppe/go-internal/testscript"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"xinlian-verify": main})
}

// TestScripts runs the program itself on bundles made here, with real keys and the engine's own headers. `code N xinlian-verify …`
// asks for an exit code and for the shell habits that hold everywhere: on failure one line on stderr, on success none.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			node := httptest.NewServer(fakeNode())
			env.Defer(node.Close)
			env.Setenv("NODE", node.URL)
			env.Setenv("CLEAN", SubjectClean)
			env.Setenv("PUNISHED", SubjectPunished)
			env.Setenv("ABSENT", SubjectAbsent)
			env.Setenv("MANY", SubjectMany)
			env.Setenv("ANCHOR", fmt.Sprintf("%s/%d", Agency, Time.Unix()/3600))
			env.Setenv("AT", Time.Add(42*time.Second).Format(time.RFC3339))
			env.Setenv("LATE", Time.Add(48*time.Hour).Format(time.RFC3339))
			env.Setenv("NEXTYEAR", Time.AddDate(1, 0, 1).Format(time.RFC3339))
			env.Setenv("FULFILLED", CommitmentCode(4))
			return writeSamples(env.WorkDir)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"code": code},
	})
}

func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N command …")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = string(rune('0' + exit.ExitCode()))
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
	stderr := ts.ReadFile("stderr")
	lines := strings.Count(stderr, "\n")
	if want := min(1, int(got[0]-'0')); lines != want {
		ts.Fatalf("%d lines on stderr, want %d", lines, want)
	}
	if strings.Contains(stderr, ".go:") || strings.Contains(stderr, "goroutine") {
		ts.Fatalf("stderr shows the program's insides")
	}
}

func specs() map[string]Spec {
	clean, punished := Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS)
	controls := Punished(SubjectPunished, pb.SEVERITY_SERIOUS)
	for i := range controls.Penalties {
		controls.Penalties[i].DocNo = "x\x1b[2J\nOK  all is well"
	}
	return map[string]Spec{
		"controls": {Standings: []*pb.Standing{controls}, Noise: 9},
		"clean":    {Standings: []*pb.Standing{clean}, Noise: 9},
		"punished": {Standings: []*pb.Standing{punished}, Noise: 9},
		"absent":   {Asked: []string{SubjectAbsent}, Noise: 9},
		"many":     {Standings: []*pb.Standing{clean, punished}, Asked: []string{SubjectClean, SubjectPunished, SubjectAbsent}, Noise: 9},
		"good":     {Standings: []*pb.Standing{clean}, Asked: []string{SubjectClean, SubjectAbsent}, Noise: 9},
		"newset":   {Standings: []*pb.Standing{clean}, Set: Equal("b", 7)},
		"steps":    {Standings: []*pb.Standing{clean}, Steps: []Step{{Height: 70, Next: Equal("b", 7)}}},
		"fresh":    {Standings: []*pb.Standing{clean}, Time: time.Now().Add(-2 * time.Second)},
		"below":    {Standings: []*pb.Standing{clean}, Noise: 9, Height: 100},
		"older":    {Standings: []*pb.Standing{clean}, Noise: 9, Height: 98},
		"rival":    {Standings: []*pb.Standing{punished}, Noise: 9, Height: 98},
		"aside":    {Standings: []*pb.Standing{clean}, Noise: 9, Height: 102},
		"other":    {Standings: []*pb.Standing{clean}, Noise: 9, ChainID: "test-other"},
		// As large as it gets in a chain of ten million subjects: a path of 24.
		"members21":   {Standings: []*pb.Standing{clean}, Set: Equal("members", 21), Depth: 24},
		"punished100": {Standings: []*pb.Standing{punished}, Set: Equal("members", 100), Depth: 24},
		"ahead":       {Standings: []*pb.Standing{clean}, Time: time.Now().Add(time.Hour)},
	}
}

func writeSamples(dir string) error {
	write := func(name string, raw []byte) error { return os.WriteFile(filepath.Join(dir, name), raw, 0o644) }
	for name, s := range specs() {
		if err := write(name+".xla", s.File()); err != nil {
			return err
		}
	}
	clean := specs()["clean"]
	raw := clean.File()
	later := clean
	later.Height, later.Edit = 102, func(h *cmttypes.Header) {
		at := attest.HeaderHash(clean.Bundle().Header)
		h.LastBlockID.Hash = at[:]
	}
	if err := write("later.xla", later.File()); err != nil {
		return err
	}
	// The file of a witness as older programs wrote it.
	witnessed := func(chainID string) []byte {
		at := attest.HeaderHash(clean.Bundle().Header)
		return fmt.Appendf(nil, "{\"chain_id\":%q,\"height\":101,\"hash\":%q}\n", chainID, base64.StdEncoding.EncodeToString(at[:]))
	}
	broken := bytes.Clone(raw)
	broken[len(broken)-40] ^= 1
	view, err := attest.BundleView(clean.Bundle())
	if err != nil {
		return err
	}
	js, err := json.Marshal(view)
	if err != nil {
		return err
	}
	trust := clean.Trust()
	younger, other, forever := *trust, *trust, *trust
	younger.Anchor.Height = 1000
	other.ChainID = "test-other"
	forever.NotAfter = time.Now().AddDate(1, 0, 0)
	// A trust file that follows with witnesses, and what leads to it.
	next := *trust
	next.Witnesses.Required, next.NotAfter = 2, next.NotAfter.AddDate(0, 1, 0)
	var cosigned, few, enough []byte
	point, err := attest.Checkpoint("test-attest", 101, attest.HeaderHash(clean.Bundle().Header))
	if err != nil {
		return err
	}
	cosigned = append(point, '\n')
	for _, name := range []string{"w1.example/xinlian", "w2.example/xinlian"} {
		key := ed25519.NewKeyFromSeed(Sum(name))
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		if err := write(name[:2]+".pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
			return err
		}
		next.Witnesses.Keys = append(next.Witnesses.Keys, attest.Witness{Name: name, PubKey: key.Public().(ed25519.PublicKey)})
		cosigned = append(cosigned, attest.Cosign(point[:len(point):len(point)], name, key, Time)...)
	}
	var signatures []attest.RotationSignature
	for i := range 3 {
		few = attest.EncodeRotation(trust.Encode(), next.Encode(), signatures)
		signatures = append(signatures, attest.SignRotation(trust.Encode(), next.Encode(), ed25519.PrivateKey(Equal("a", 4).Key(i))))
	}
	enough = attest.EncodeRotation(trust.Encode(), next.Encode(), signatures)
	newest := next
	newest.NotAfter = next.NotAfter.AddDate(0, 1, 0)
	for _, files := range []map[string][]byte{packs(), openings(), receipts()} {
		for name, raw := range files {
			if err := write(name, raw); err != nil {
				return err
			}
		}
	}
	text := attest.Armor(raw)
	anchorless, overlap := *trust, *trust
	anchorless.Anchor.HeaderHash = attest.Hash{}
	overlap.Validators = append(slices.Clone(trust.Validators), trust.Validators[0])
	for name, raw := range map[string][]byte{
		"bom.json": append([]byte("\uFEFF"), trust.Encode()...), "anchorless.json": anchorless.Encode(), "overlap.json": overlap.Encode(),
		"witnesses.json": next.Encode(), "clean.xlw": cosigned, "few.json": few, "rotation.json": enough, "newest.json": newest.Encode(),
		"old.state": witnessed("test-attest"), "other.state": witnessed("test-other"),
		"crlf.txt": bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), "two.txt": append(bytes.Clone(text), text...),
		"broken.xla": broken, "json.xla": js, "empty.xla": nil, "version2.xla": append([]byte("XLA2"), raw[4:]...),
		"trust.json": trust.Encode(), "younger.json": younger.Encode(), "other.json": other.Encode(), "forever.json": forever.Encode(),
		"notrust.json":  bytes.Replace(trust.Encode(), []byte(`"power"`), []byte(`"Power"`), 1),
		"version2.json": bytes.Replace(trust.Encode(), []byte(`"version": 1`), []byte(`"version": 2`), 1),
	} {
		if err := write(name, raw); err != nil {
			return err
		}
	}
	return nil
}

// grades of the samples. PROOF.md lets dates be missing.
var grades = map[string]*pb.RestrictedGrade{
	"A":  {Grade: "A", Issuer: Agency, AssessedOn: 20600, ValidUntil: 20965},
	"B+": {Grade: "B+", Issuer: Agency, AssessedOn: 20600, ValidUntil: 20965},
	"C":  {Grade: "C", Issuer: Agency},
}

// section is a restricted section made by PROOF.md, with what opens some of its classes: the firm's grade, and one commitment.
func section(grade string, opened ...pb.DataClass) (digest, file []byte) {
	h := func(parts ...[]byte) []byte {
		sum := sha256.Sum256(bytes.Join(parts, nil))
		return sum[:]
	}
	o := &pb.RestrictedOpening{Salt: Sum("salt", grade)}
	s := new(pb.RestrictedSection)
	for i, content := range [][]byte{
		pb.Encode(grades[grade]),
		pb.Encode(&pb.RestrictedCommitments{Commitments: []pb.PublicCommitment{
			{Code: CommitmentCode(9), Type: 6, State: pb.COMMITMENT_SUPERVISED, MadeOn: 20649, Acceptor: Agency},
		}}),
	} {
		c := pb.OpenedClass{Class: pb.DataClass(i + 1), Salt: Sum("class", grade, i), Content: content}
		s.Classes = append(s.Classes, h([]byte("xinlian/class/v1"), []byte{byte(c.Class)}, c.Salt, content))
		if slices.Contains(opened, c.Class) {
			o.Opened = append(o.Opened, c)
		}
	}
	o.Section = pb.Encode(s)
	return h([]byte("xinlian/restricted/v1"), o.Salt, o.Section), attest.EncodeRestricted(o)
}

// openings are files that open restricted sections, and the bundles that they belong to.
func openings() map[string][]byte {
	firm, other := Clean(SubjectClean), Clean(SubjectMany)
	files := map[string][]byte{}
	firm.Restricted, files["both.xlr"] = section("B+", pb.DATA_GRADE, pb.DATA_COMMITMENTS)
	_, files["grade.xlr"] = section("B+", pb.DATA_GRADE)
	_, files["commitments.xlr"] = section("B+", pb.DATA_COMMITMENTS)
	_, files["closed.xlr"] = section("B+")
	other.Restricted, files["other.xlr"] = section("A", pb.DATA_GRADE)
	dateless := Clean(SubjectClean)
	dateless.Restricted, files["dateless.xlr"] = section("C", pb.DATA_GRADE)
	files["dateless.xla"] = Spec{Standings: []*pb.Standing{dateless}, Noise: 9}.File()
	files["cut.xlr"] = files["both.xlr"][:len(files["both.xlr"])-1]
	files["raised.xlr"] = bytes.Replace(files["both.xlr"], []byte("B+"), []byte("A+"), 1)
	files["authorised.xla"] = Spec{Standings: []*pb.Standing{firm}, Noise: 9}.File()
	files["other-firm.xla"] = Spec{Standings: []*pb.Standing{other}, Noise: 9}.File()
	return files
}

// receipts are what a firm holds of two queries, the second not anchored yet, and what nodes tell of the anchor.
func receipts() map[string][]byte {
	answer := openings()
	digest := attest.AnswerDigest(answer["authorised.xla"], answer["grade.xlr"])
	r := &pb.QueryReceipt{
		Id: Sum("receipt"), Subject: SubjectClean, Requester: SubjectMany, Gateway: Agency, Authorisation: Sum("authorisation"), Purpose: pb.PURPOSE_PRE_LOAN,
		Asked: []pb.DataClass{pb.DATA_GRADE}, Opened: []pb.DataClass{pb.DATA_GRADE}, AtHeight: 100, AtTime: Time.Unix(), ClockMs: Time.UnixMilli(), AnswerDigest: digest[:],
	}
	raw, salt := pb.Encode(r), Sum("salt of the receipt")
	const place = 37
	var path []attest.Hash
	var digits []string
	for i := range 6 {
		path = append(path, attest.Hash(Sum("sibling", i)))
		digits = append(digits, hex.EncodeToString(path[i][:]))
	}
	root := attest.ReceiptRoot(attest.ReceiptLeaf(salt, raw), place, path)
	hour := Time.Unix() / 3600
	text := func(v any) []byte {
		out, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return out
	}
	held := func(raw []byte, anchor any) object {
		return object{"id": "said beside it", "bytes": base64.StdEncoding.EncodeToString(raw), "salt": hex.EncodeToString(salt), "anchor": anchor}
	}
	anchor := func(root attest.Hash, path []string, place int) object {
		return object{"hour": hour, "root": hex.EncodeToString(root[:]), "place": place, "path": path}
	}
	told := func(root attest.Hash, hour int64) []byte {
		return text(object{"gateway": Agency, "hour": hour, "root": hex.EncodeToString(root[:]), "height": 105})
	}
	proof := func(s Spec, root attest.Hash) []byte {
		row := pb.ReceiptAnchor{Gateway: Agency, Hour: hour, Root: root[:], Height: 105}
		return attest.EncodeAnchorProof(s.AnchorProof(row, AnchorRows(row), attest.AnchorKey(Agency, hour)))
	}
	forged := proof(Spec{Height: 140}, root)
	forged[len(forged)-1]++
	later, whole := *r, anchor(root, digits, place)
	later.Purpose = pb.PURPOSE_POST_LOAN
	none := *r
	none.Purpose = 77
	asked := func(bundle, opening string) []byte {
		o := object{"subject": "said beside it", "attestation": answer[bundle], "receipt": held(raw, whole)}
		if opening != "" {
			o["opening"] = answer[opening]
		}
		return text(o)
	}
	// Of another answer, anchored at the place beside.
	before := *r
	before.AnswerDigest = Sum("another answer")
	leaf := attest.ReceiptLeaf(salt, pb.Encode(&before))
	both := append([]attest.Hash{attest.ReceiptLeaf(salt, raw)}, path[1:]...)
	sides := [2][]string{slices.Clone(digits), slices.Clone(digits)}
	sides[0][0], sides[1][0] = hex.EncodeToString(leaf[:]), hex.EncodeToString(both[0][:])
	shared := attest.ReceiptRoot(attest.ReceiptLeaf(salt, raw), place, append([]attest.Hash{leaf}, path[1:]...))
	return map[string][]byte{
		"receipts.json": text(object{"receipts": []object{held(raw, whole)}}), "asked.json": text(object{"receipt": held(raw, whole)}), "receipt.json": text(held(raw, whole)),
		"answer.json": asked("authorised.xla", "grade.xlr"), "swapped.json": asked("other-firm.xla", "grade.xlr"), "halved.json": asked("authorised.xla", ""),
		"authorised.txt": attest.Armor(answer["authorised.xla"]),
		"page.json":      text(object{"receipts": []object{held(raw, anchor(shared, sides[0], place)), held(pb.Encode(&before), anchor(shared, sides[1], place-1))}}),
		"shared.json":    told(shared, hour),
		"fresh.json":     text(object{"receipt": held(raw, nil)}),
		"waiting.json":   text(object{"receipts": []object{held(raw, whole), held(pb.Encode(&later), nil)}}),
		"forged.json":    text(held(pb.Encode(&later), whole)), "nothing.json": text(held(pb.Encode(&none), whole)), "long.json": text(held(append(bytes.Clone(raw), 0), whole)),
		"moved.json": text(held(raw, anchor(root, digits, place+64))), "short.json": text(held(raw, anchor(root, digits[:5], place))),
		"anchor.json": told(root, hour), "liar.json": told(attest.Hash(Sum("liar")), hour), "next.json": told(root, hour+1), "noanchor.json": text(object{"code": "E_NO_ANCHOR"}),
		"anchor.xln": proof(Spec{Height: 140}, root), "other-root.xln": proof(Spec{Height: 140}, attest.Hash(Sum("liar"))), "forged.xln": forged,
		"strangers.xln": proof(Spec{Height: 140, Set: Equal("stranger", 4)}, root), "version2.xln": append([]byte("XLN2"), forged[4:]...),
		// A root of its own: what a forger can make alone.
		"alone.json": text(held(pb.Encode(&later), anchor(attest.ReceiptRoot(attest.ReceiptLeaf(salt, pb.Encode(&later)), place, path), digits, place))),
	}
}

// packs are offline packs in which SubjectPunished has a serious record and, in the newer one, SubjectMany has one instead.
func packs() map[string][]byte {
	old, negative, next := Members(SubjectPunished, Agency), Members(SubjectPunished, Agency, SubjectMany), Members(SubjectMany, Agency)
	serious := Spec{}.Pack(pb.PACK_SERIOUS, old, negative)
	newer := Spec{Height: 140}.Pack(pb.PACK_SERIOUS, next, negative)
	root := SetRoot(pb.PACK_SERIOUS, old)
	delta := &pb.PackDelta{Base: root[:], Pack: *newer, Added: Members(SubjectMany), Removed: Members(SubjectPunished)}
	delta.Pack.Members = nil
	cut := *serious
	cut.Members = cut.Members[32:]
	return map[string][]byte{
		"serious.xlp": attest.EncodePack(serious), "negative.xlp": attest.EncodePack(Spec{}.Pack(pb.PACK_NEGATIVE, old, negative)),
		"newer.xlp": attest.EncodePack(newer), "newer.xld": attest.EncodeDelta(delta), "cut.xlp": attest.EncodePack(&cut),
		"other.xlp": attest.EncodePack(Spec{ChainID: "test-other"}.Pack(pb.PACK_SERIOUS, old, negative)),
	}
}

// fakeNode answers as a gateway does; one without the route for many under /old.
func fakeNode() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/subjects/{uscc}/attestation", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != attest.MediaType {
			http.Error(w, "accept", http.StatusNotAcceptable)
			return
		}
		switch r.PathValue("uscc") {
		case SubjectClean:
			raw := specs()["clean"].File()
			if form := r.FormValue("form"); form != "" {
				raw, _ = attest.Convert(raw, attest.Form(form))
			}
			w.Write(raw)
		case SubjectPunished: // a node that answers with somebody else's bundle
			w.Write(specs()["clean"].File())
		case SubjectAbsent:
			w.Write([]byte("{}"))
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte(`{"code":"E_NO_PROOF","title":"no proven height yet","detail":"wait\nfor a block"}`))
		}
	})
	mux.HandleFunc("GET /v1/packs/serious", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == attest.PackMediaType && r.Header.Get("Accept-Encoding") == "" {
			w.Write(packs()["serious.xlp"])
		}
	})
	mux.HandleFunc("GET /v1/anchors/{gateway}/{hour}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != attest.AnchorProofMediaType {
			http.Error(w, "accept", http.StatusNotAcceptable)
			return
		}
		w.Write(receipts()["anchor.xln"]) // of whatever is asked for
	})
	mux.HandleFunc("GET /v1/packs/negative", func(w http.ResponseWriter, r *http.Request) { // a node that gives another set
		w.Write(packs()["serious.xlp"])
	})
	mux.HandleFunc("GET /bomb/v1/packs/serious", func(w http.ResponseWriter, r *http.Request) { // a few bytes that are gigabytes
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(packs()["serious.xlp"])
		z.Write(make([]byte, 64<<20))
		z.Close()
	})
	mux.HandleFunc("GET /v1/packs/serious/delta", func(w http.ResponseWriter, r *http.Request) {
		if name := sha256.Sum256(packs()["serious.xlp"]); r.FormValue("base") != hex.EncodeToString(name[:]) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusGone)
			w.Write([]byte(`{"code":"E_PACK_BASE","title":"no delta from that set","detail":"no delta from that set","remedy":"get the whole pack"}`))
			return
		}
		w.Write(packs()["newer.xld"])
	})
	mux.HandleFunc("POST /v1/attestations", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Subjects []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || !slices.Equal(body.Subjects, []string{SubjectClean, SubjectAbsent}) {
			http.Error(w, "subjects", http.StatusBadRequest)
			return
		}
		w.Write(specs()["good"].File())
	})
	return mux
}

// TestQR: a code of each size is read to the bytes that it was made of.
func TestQR(t *testing.T) {
	for _, n := range []int{1, 17, 300, 1024, 2000, qrBytesMax} {
		raw := make([]byte, 0, n+32)
		for i := 0; len(raw) < n; i++ {
			raw = append(raw, Sum("qr", n, i)...)
		}
		raw = raw[:n]
		picture, err := draw(raw)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if again, err := readQR(picture); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := draw(make([]byte, qrBytesMax+1)); err == nil {
		t.Error("more than a code holds was drawn")
	}
}

// TestLinks keeps what a verifier must not contain out of it, and the network out of the library.
func TestLinks(t *testing.T) {
	deps := func(pkg string) []string {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	const engine = "github.com/cometbft/cometbft/"
	for _, d := range deps(".") {
		for _, banned := range []string{
			"github.com/dgraph-io/badger", "github.com/ethereum/go-ethereum",
			engine + "node", engine + "p2p", engine + "rpc", engine + "light", engine + "types",
		} {
			if d == banned || strings.HasPrefix(d, banned+"/") {
				t.Errorf("xinlian-verify links %s", d)
			}
		}
	}
	for _, d := range deps("github.com/xinlian-ledger/xinlian/x/attest") {
		if d == "net" || strings.HasPrefix(d, "net/") {
			t.Errorf("x/attest links %s", d)
		}
	}
}
