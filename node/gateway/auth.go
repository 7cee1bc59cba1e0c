package gateway

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// scheme of the Authorization header: Xinlian ADDRESS:UNIXTIME:SIGNATURE or Xinlian ADDRESS:UNIXTIME:NONCE:SIGNATURE, in hexadecimal but for the time.
const scheme = "Xinlian"

// caller is a member that asks, or a firm, with the key that it asks with.
type caller struct {
	member   *pb.Member // of a firm an empty row, so that no agency's name is its own
	key      *pb.MemberKey
	firm     string        // code of the firm whose own key it is; empty: a member asks
	signedAt int64         // Unix seconds
	digest   [32]byte      // of the request, as it was signed
	today    calendar.Date // legal day of the newest block: windows of mandates are judged by it
	auditor  bool
	lender   bool                     // lends: is told what the public is, and what firms authorise
	heirOf   func(agency string) bool // carries on the powers of an agency that has left; nil: of none
}

// recognises says whether a record of an agency is the reader's to decide on.
func (c *caller) recognises(agency string) bool {
	return agency != "" && (c.member.Uscc == agency || c.heirOf != nil && c.heirOf(agency))
}

// authorization reads the Authorization header: what can be said of it before the body is there. Nil: there is none. One that is not good is refused, never
// taken for none.
func (g *Gateway) authorization(r *http.Request) (*authHeader, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, bad("the header stands twice")
	}
	// 1. Form.
	h, err := parseHeader(values[0])
	if err != "" {
		return nil, bad(err)
	}
	// 2. Time.
	return &h, checkTime(&h, g.o.Now())
}

func bad(why string) *refusal {
	return refuse(http.StatusUnauthorized, ErrAuth.With("Authorization: %s", why))
}

// usedAlready names the wait after which there is a second that nobody has signed for: without a nonce, another program with the same key may have asked the same in this one.
func usedAlready() error {
	e := bad("it was used already; every request is signed on its own, with a nonce or a time of its own")
	e.retryAfter = 1
	return e
}

func checkTime(h *authHeader, now time.Time) error {
	if at := time.Unix(h.at, 0); at.Sub(now) > authAge || now.Sub(at) > authAge {
		return bad("its time is more than 60 s from this node's clock")
	}
	return nil
}

// authenticate finds out who asks, by a header whose form is good. None: the public (nil).
func (g *Gateway) authenticate(r *http.Request, h *authHeader, body []byte) (*caller, error) {
	if h == nil {
		return nil, nil
	}
	now := g.o.Now()
	if err := checkTime(h, now); err != nil { // once more: the body took its time
		return nil, err
	}
	// 3. Signature, recovered over exactly what was asked.
	chain := g.b.App.Chain()
	if chain == nil {
		return nil, refuse(http.StatusServiceUnavailable, ErrNotReady)
	}
	digest := pb.HTTPDigest(r.Method, r.RequestURI, bodyHash(body), h.when, chain.ID)
	if !recovers(digest, h.sig, h.address) {
		return nil, bad("the signature is not that of the address over method, path, body, time and chain id")
	}
	// 4. A member or a firm with a key in force.
	who := &caller{signedAt: h.at, digest: digest}
	read := g.b.App.Read(func(r x.Reader) error {
		m, key, ok := member.ByAddress(r, h.address)
		who.today = calendar.Of(g.b.App.Status().LegalTime.Unix())
		if k, firms := subject.Key(r, h.address); !ok && firms && subject.Holds(r, k.Subject, h.address) == nil {
			who.member, who.key, who.firm = new(pb.Member), &pb.MemberKey{Address: k.Address}, k.Subject
			return nil
		}
		if !ok || m.Removed || !member.InWindow(who.today, key.ValidFrom, key.ValidTo) {
			return bad("the address is no key in force of a member or a firm")
		}
		who.member, who.key = m, key
		who.auditor, who.lender = member.HasRole(key, pb.ROLE_AUDITOR), member.HasRole(key, pb.ROLE_LENDER)
		return nil
	})
	who.heirOf = func(agency string) (is bool) {
		err := g.b.App.Read(func(r x.Reader) error {
			heir, ok := member.Heir(r, agency)
			is = ok && heir.Uscc == who.member.Uscc
			return nil
		})
		return err == nil && is
	}
	if read != nil {
		return nil, read
	}
	// 5. Once. Last, so that only members and firms can fill the memory.
	switch g.seen.first(h.at, [20]byte(h.address), digest, now) {
	case seenBefore:
		return nil, usedAlready()
	case seenFull:
		return nil, refuse(http.StatusTooManyRequests, ErrRate.With("more signed requests than the node remembers"))
	}
	return who, nil
}

type authHeader struct {
	address []byte
	when    string // the time as it is written, and the nonce
	at      int64
	sig     []byte
}

func parseHeader(value string) (h authHeader, why string) {
	rest, ok := strings.CutPrefix(value, scheme+" ")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 3 && len(parts) != 4 {
		return h, "it is not of the form Xinlian ADDRESS:UNIXTIME:NONCE:SIGNATURE"
	}
	address, err := hex.DecodeString(strings.TrimPrefix(parts[0], "0x"))
	if err != nil || len(address) != pb.AddressBytes {
		return h, "the address is not 40 hexadecimal digits"
	}
	// One spelling of a time, since the spelling is signed.
	at, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || at < 0 || strconv.FormatInt(at, 10) != parts[1] {
		return h, "the time is not a number of seconds"
	}
	when, last := parts[1], len(parts)-1
	if last == 3 {
		if nonce := parts[2]; len(nonce) != 2*nonceBytes || strings.Trim(nonce, "0123456789abcdef") != "" {
			return h, "the nonce is not 32 lower-case hexadecimal digits"
		}
		when += ":" + parts[2] // no time holds a colon: what is signed for one form is never good in the other
	}
	sig, err := hex.DecodeString(strings.TrimPrefix(parts[last], "0x"))
	if err != nil || len(sig) != pb.SignatureBytes {
		return h, "the signature is not 130 hexadecimal digits"
	}
	return authHeader{address, when, at, sig}, ""
}

// nonceBytes make nonces of which no two that anybody draws are the same.
const nonceBytes = 16

// recovers checks that the signature is in its one form (low s, v 0 or 1) and that of the address.
func recovers(digest [32]byte, sig, address []byte) bool {
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64])
	if !crypto.ValidateSignatureValues(sig[64], r, s, true) {
		return false
	}
	pub, err := crypto.SigToPub(digest[:], sig)
	if err != nil {
		return false
	}
	a := crypto.PubkeyToAddress(*pub)
	return string(a[:]) == string(address)
}

// seenHeaders remembers which headers were used, by the second that they name, as long as that second could still pass. What is remembered is
// the address and what was signed, not the signature: another signature over the same is the same header.
type seenHeaders struct {
	mu    sync.Mutex
	used  map[int64]map[seenKey]struct{} // guarded by mu
	count int                            // guarded by mu
	of    map[[20]byte]int               // guarded by mu; of one address, so that one key leaves room to others
}

type seenKey struct {
	address [20]byte
	digest  [32]byte
}

type seenResult int

const (
	seenFirst seenResult = iota
	seenBefore
	seenFull
)

func (s *seenHeaders) first(at int64, address [20]byte, digest [32]byte, now time.Time) seenResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == nil {
		s.used, s.of = map[int64]map[seenKey]struct{}{}, map[[20]byte]int{}
	}
	oldest := now.Add(-authAge).Unix()
	for t, m := range s.used { // at most one entry a second of the window
		if t < oldest {
			for k := range m {
				if s.of[k.address]--; s.of[k.address] == 0 {
					delete(s.of, k.address)
				}
			}
			s.count -= len(m)
			delete(s.used, t)
		}
	}
	k := seenKey{address, digest}
	if _, ok := s.used[at][k]; ok {
		return seenBefore
	}
	if s.count >= authSeenMax || s.of[address] >= authSeenOne {
		return seenFull // forgetting would let one be used again
	}
	if s.used[at] == nil {
		s.used[at] = map[seenKey]struct{}{}
	}
	s.used[at][k] = struct{}{}
	s.count++
	s.of[address]++
	return seenFirst
}

// Signer signs requests for a member's client. Every header is good once, so each has a nonce of its own. Safe for many goroutines.
type Signer struct {
	key     *ecdsa.PrivateKey
	address string
	chainID string
}

// NewSigner gives a signer for a chain.
func NewSigner(key *ecdsa.PrivateKey, chainID string) *Signer {
	a := crypto.PubkeyToAddress(key.PublicKey)
	return &Signer{key: key, address: hex.EncodeToString(a[:]), chainID: chainID}
}

// Header gives the Authorization header of a request. target is the request target as it goes over the wire: path with query.
func (s *Signer) Header(method, target string, body []byte) (string, error) {
	var nonce [nonceBytes]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return "", err
	}
	when := fmt.Sprintf("%d:%x", time.Now().Unix(), nonce)
	digest := pb.HTTPDigest(method, target, bodyHash(body), when, s.chainID)
	sig, err := crypto.Sign(digest[:], s.key)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s:%s:%x", scheme, s.address, when, sig), nil
}

// Sign sets the Authorization header of a request whose body is given.
func (s *Signer) Sign(r *http.Request, body []byte) error {
	h, err := s.Header(r.Method, r.URL.RequestURI(), body)
	if err == nil {
		r.Header.Set("Authorization", h)
	}
	return err
}
