package app

import (
	"bytes"
	"errors"
	"math/big"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// signatures checks signatures, and remembers which transactions it found good: by SHA-256 of the whole transaction, so that another
// signature over the same body is checked on its own. The memory only skips work; forgetting changes nothing.
type signatures struct {
	workers int
	mu      sync.Mutex
	young   map[[32]byte]struct{} // owned by mu
	old     map[[32]byte]struct{}
}

// remembered bounds each of the two generations.
const remembered = 1 << 16

func newSignatures(workers int) *signatures {
	return &signatures{workers: workers, young: map[[32]byte]struct{}{}, old: map[[32]byte]struct{}{}}
}

func (s *signatures) known(h [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.young[h]; ok {
		return true
	}
	_, ok := s.old[h]
	return ok
}

func (s *signatures) remember(h [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= remembered {
		s.old, s.young = s.young, make(map[[32]byte]struct{}, remembered)
	}
	s.young[h] = struct{}{}
}

// valid says whether the signature is canonical and recovers to the signer.
func (s *signatures) valid(p *parsed) bool {
	if p.good.Load() {
		return true
	}
	if !s.known(p.hash) {
		if recovers(p) != nil {
			return false
		}
		s.remember(p.hash)
	}
	p.good.Store(true)
	return true
}

// testingOnlyRecovers is told of each signature that is recovered: a look at it is nothing beside that.
var testingOnlyRecovers atomic.Pointer[func(digest [32]byte)]

// recovers checks that the signature is canonical and recovers to the signer.
func recovers(p *parsed) error { return recoversTo(p.id, p.sig, p.body.Signer) }

func recoversTo(digest [32]byte, sig, signer []byte) error {
	if told := testingOnlyRecovers.Load(); told != nil {
		(*told)(digest)
	}
	if !crypto.ValidateSignatureValues(sig[64], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64]), true) {
		return errors.New("the signature is not in its canonical form (low s, v 0 or 1)")
	}
	pub, err := crypto.Ecrecover(digest[:], sig)
	if err != nil {
		return err
	}
	if address := crypto.Keccak256(pub[1:])[12:]; !bytes.Equal(address, signer) {
		return errors.New("the signature is another key's")
	}
	return nil
}

// signed is subject.Signed: what a firm's own key has signed inside a message.
func signed(digest [32]byte, sig, address []byte) bool {
	return len(sig) == pb.SignatureBytes && recoversTo(digest, sig, address) == nil
}

// warm checks the signatures of many transactions at a time, ahead of the serial gate. It computes and never decides: the gate asks again.
// DETERMINISM: the goroutines order nothing; their only effect is what signatures remembers.
func (s *signatures) warm(txs []*parsed) {
	var new []*parsed // nearly every transaction of a block was checked when it came
	for _, p := range txs {
		if p.err == nil && !p.good.Load() {
			new = append(new, p)
		}
	}
	s.beside(len(new), func(i int) { s.valid(new[i]) })
}

// decode decodes transactions and checks their signatures, many at a time.
// DETERMINISM: as warm; a transaction decodes to the same thing wherever it is done.
func (s *signatures) decode(raw [][]byte) []*parsed {
	txs := make([]*parsed, len(raw))
	s.beside(len(raw), func(i int) {
		txs[i] = parse(raw[i])
		if txs[i].err == nil {
			s.valid(txs[i])
		}
	})
	return txs
}

// beside does n pieces of work on all workers, of which the caller is one: where it is the only one, nobody is waited for.
func (s *signatures) beside(n int, do func(i int)) {
	var (
		wg   sync.WaitGroup
		next atomic.Int64
	)
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	for range min(s.workers, n) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}
