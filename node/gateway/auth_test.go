package gateway_test

import (
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// sign makes a header by hand, so that a test may make it wrong.
func sign(t *testing.T, key *ecdsa.PrivateKey, method, target string, body []byte, at time.Time, chain string) (addr, unix string, sig []byte) {
	t.Helper()
	unix = strconv.FormatInt(at.Unix(), 10)
	digest := pb.HTTPDigest(method, target, sum(body), unix, chain)
	sig, err := crypto.Sign(digest[:], key)
	must(t, err)
	a := crypto.PubkeyToAddress(key.PublicKey)
	return hex.EncodeToString(a[:]), unix, sig
}

func TestAuthorization(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	now := time.Now()
	w.now = func() time.Time { return now }
	target := "/v1/files/" + w.firm("a")
	key := w.Actors["auditor"].Key
	header := func(at time.Time) string {
		a, u, s := sign(t, key, "GET", target, nil, at, w.Chain)
		return fmt.Sprintf("Xinlian %s:%s:%x", a, u, s)
	}
	ask := func(h string) answer {
		t.Helper()
		return w.get("", target, "Authorization", h)
	}

	h := header(now)
	if a := ask(h); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := w.want(ask(h), 401, "E_AUTH") // once
	if a.header.Get("WWW-Authenticate") != "Xinlian" {
		t.Error("401 without WWW-Authenticate")
	}
	if a.header.Get("Retry-After") != "1" {
		t.Error("it does not say that a second later the same may be asked again")
	}
	if a := w.want(ask("Xinlian a:b:c"), 401, "E_AUTH"); a.header.Get("Retry-After") != "" {
		t.Error("what is not well formed does not become so")
	}
	// The other spelling is the same header.
	w.want(ask(strings.Replace(h, "Xinlian ", "Xinlian 0x", 1)), 401, "E_AUTH")
	for _, at := range []time.Duration{-60, -1, 1, 60} {
		if a := ask(header(now.Add(at * time.Second).Truncate(time.Second))); at > -60 && a.status != 200 {
			t.Errorf("%d s away: %d %s", at, a.status, a.body)
		}
	}
	w.want(ask(header(now.Add(-62*time.Second))), 401, "E_AUTH")
	w.want(ask(header(now.Add(62*time.Second))), 401, "E_AUTH")
	// What was used stays used for as long as its time passes.
	later := header(now.Add(30 * time.Second))
	ask(later)
	now = now.Add(80 * time.Second)
	w.want(ask(later), 401, "E_AUTH")
	now = now.Add(20 * time.Second)
	w.want(ask(later), 401, "E_AUTH")

	// With a nonce the same may be asked within a second, each once.
	nonced := func(signed, sent string) string {
		d := pb.HTTPDigest("GET", target, sum(nil), signed, w.Chain)
		s, err := crypto.Sign(d[:], key)
		must(t, err)
		a := crypto.PubkeyToAddress(key.PublicKey)
		return fmt.Sprintf("Xinlian %x:%s:%x", a, sent, s)
	}
	second := strconv.FormatInt(now.Unix(), 10)
	for i := range 4 {
		when := fmt.Sprintf("%s:%032x", second, i)
		h := nonced(when, when)
		if a := ask(h); a.status != 200 {
			t.Fatalf("nonce %d: %d %s", i, a.status, a.body)
		}
		w.want(ask(h), 401, "E_AUTH")
		w.want(ask(strings.Replace(h, "Xinlian ", "Xinlian 0x", 1)), 401, "E_AUTH")
	}
	n := fmt.Sprintf("%032x", 77)
	for name, h := range map[string]string{
		"another nonce than was signed": nonced(second+":"+n, second+":"+fmt.Sprintf("%032x", 78)),
		"the nonce left out":            nonced(second+":"+n, second),
		"a nonce put in":                nonced(second, second+":"+n),
		"no nonce":                      nonced(second+":", second+":"),
		"a short nonce":                 nonced(second+":"+n[1:], second+":"+n[1:]),
		"a long nonce":                  nonced(second+":"+n+"00", second+":"+n+"00"),
		"upper case":                    nonced(second+":"+strings.Repeat("A", 32), second+":"+strings.Repeat("A", 32)),
		"two nonces":                    nonced(second+":"+n+":"+n, second+":"+n+":"+n),
		"the time out of its window":    nonced("1:"+n, "1:"+n),
	} {
		if a := ask(h); a.status != 401 || a.code() != "E_AUTH" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}

	// Each part is signed for.
	tick := 0
	fresh := func() time.Time { tick++; return now.Add(time.Duration(tick) * time.Second) }
	addr, unix, sig := sign(t, key, "GET", target, nil, fresh(), w.Chain)
	w.want(w.get("", "/v1/files/"+w.firm("b"), "Authorization", fmt.Sprintf("Xinlian %s:%s:%x", addr, unix, sig)), 401, "E_AUTH")
	for name, h := range map[string]func() (string, string, []byte){
		"method": func() (string, string, []byte) { return sign(t, key, "POST", target, nil, fresh(), w.Chain) },
		"query":  func() (string, string, []byte) { return sign(t, key, "GET", target+"?a=1", nil, fresh(), w.Chain) },
		"body":   func() (string, string, []byte) { return sign(t, key, "GET", target, []byte("x"), fresh(), w.Chain) },
		"chain":  func() (string, string, []byte) { return sign(t, key, "GET", target, nil, fresh(), "test-other") },
		"time": func() (string, string, []byte) {
			a, _, s := sign(t, key, "GET", target, nil, fresh(), w.Chain)
			return a, strconv.FormatInt(now.Unix()-5, 10), s
		},
		"address": func() (string, string, []byte) {
			_, u, s := sign(t, key, "GET", target, nil, fresh(), w.Chain)
			other := crypto.PubkeyToAddress(w.Actors["ops"].Key.PublicKey)
			return hex.EncodeToString(other[:]), u, s
		},
		"high s": func() (string, string, []byte) {
			a, u, s := sign(t, key, "GET", target, nil, fresh(), w.Chain)
			n := crypto.S256().Params().N
			new(big.Int).Sub(n, new(big.Int).SetBytes(s[32:64])).FillBytes(s[32:64])
			s[64] ^= 1
			return a, u, s
		},
		"v 27": func() (string, string, []byte) {
			a, u, s := sign(t, key, "GET", target, nil, fresh(), w.Chain)
			s[64] += 27
			return a, u, s
		},
		"no member": func() (string, string, []byte) {
			stranger, err := crypto.ToECDSA(crypto.Keccak256([]byte("stranger")))
			must(t, err)
			return sign(t, stranger, "GET", target, nil, fresh(), w.Chain)
		},
		"leading zero": func() (string, string, []byte) {
			at := fresh()
			u := "0" + strconv.FormatInt(at.Unix(), 10)
			d := pb.HTTPDigest("GET", target, sum(nil), u, w.Chain)
			s, err := crypto.Sign(d[:], key)
			must(t, err)
			return addr, u, s
		},
	} {
		a, u, s := h()
		if got := ask(fmt.Sprintf("Xinlian %s:%s:%x", a, u, s)); got.status != 401 || got.code() != "E_AUTH" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, bad := range []string{"", "Xinlian", "Xinlian ", "Basic YTpi", "Xinlian a:b:c", "Xinlian " + addr + ":" + unix + ":", "xinlian " + strings.TrimPrefix(header(fresh()), "Xinlian ")} {
		w.want(ask(bad), 401, "E_AUTH")
	}
	// A header that is not good is refused on a public route too: who signs wants to be heard as who it is.
	w.want(w.get("", "/v1/status", "Authorization", "Xinlian a:b:c"), 401, "E_AUTH")
}

func TestMembersOnly(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	for _, target := range []string{"/v1/audit/genesis", "/v1/audit/blocks/1", "/v1/audit/commits/1", "/v1/audit/validators/1", "/v1/files/" + w.firm("a"), "/v1/txs/" + strings.Repeat("0", 64)} {
		w.want(w.get("", target), 401, "E_AUDIENCE")
	}
	// A key of a member that has left is a stranger's.
	if a := w.get("gy-scjg", "/v1/audit/blocks/1"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.do("propose by=gov1 remove=gy-scjg", "vote by=gov2 proposal=1", "vote by=gov3 proposal=1")
	w.GoTo(w.Today() + 200)
	w.Block()
	w.Block()
	w.want(w.get("gy-scjg", "/v1/audit/blocks/1"), 401, "E_AUTH")
}

// A signer never gives two equal headers.
func TestSignerNeverRepeats(t *testing.T) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("key")))
	must(t, err)
	s := gateway.NewSigner(key, "test-x")
	used := map[string]bool{}
	for range 20 {
		h, err := s.Header(http.MethodGet, "/v1/status", nil)
		must(t, err)
		if used[h] {
			t.Fatal("a header was given twice")
		}
		used[h] = true
	}
}
