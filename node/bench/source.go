package bench

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// SubjectsMax is what the codes of synthetic firms have room for.
const SubjectsMax = 10_000_000

// region of every firm and decision here: a district that the region table holds, below a prefecture.
const region = "410105"

// firm gives the code of a synthetic firm. The letter X in the organisation code keeps it apart from the sample's.
func firm(n int) string { return code.CompleteUSCC("91"+region, fmt.Sprintf("X%07d", n)) }

// signer is an agency that records, with its key.
type signer struct {
	key  *keys.Key
	uscc string
	at   string // a region in which it may decide
}

// source makes signed transactions of synthetic firms and penalties.
type source struct {
	chain    string
	registry signer
	agencies []signer
	run      uint64 // tells the documents of one run from another's
	today    calendar.Date
	now      func() time.Time // the chain's clock, nearly
}

// newSource opens the keys of a network: the registry's, and those of every agency that may fine.
func newSource(n *runner.Network, run uint64) (*source, error) {
	// Yesterday: no midnight passes it.
	s := &source{chain: n.ChainID, run: run, today: calendar.Of(time.Now().Unix()) - 1, now: time.Now}
	k, m, err := n.Key("registry")
	if err != nil {
		return nil, err
	}
	s.registry = signer{key: k, uscc: m.USCC}
	for _, a := range sample.Members() {
		if len(a.Competences) == 0 || !slices.Contains(a.Competences[0].PenaltyKinds, 3) {
			continue
		}
		k, m, err := n.Key(a.Key)
		if err != nil {
			return nil, err
		}
		s.agencies = append(s.agencies, signer{key: k, uscc: m.USCC, at: a.Competences[0].Regions[0]})
	}
	return s, nil
}

// expires is how far ahead the transactions of a run expire; less than the chain allows, since block time is a little behind.
const expires = (pb.ExpiryAheadSeconds - 60) * time.Second

// enrolments of firms from..to, in transactions of perTx.
func (s *source) enrolments(from, to, perTx int) ([][]byte, error) {
	return s.sign((to-from+perTx-1)/perTx, func(i int) (signer, []pb.Msg) {
		var msgs []pb.Msg
		for n := from + i*perTx; n < min(from+(i+1)*perTx, to); n++ {
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: s.registry.uscc, Subject: pb.Subject{Uscc: firm(n), Region: region, Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}})
		}
		return s.registry, msgs
	})
}

// penalties makes transactions of perTx penalties each, over the firms and over the agencies in turn.
func (s *source) penalties(txs, perTx, firms int) ([][]byte, error) {
	return s.penaltiesOf(0, txs*perTx, perTx, func(n int) int { return n % firms })
}

// spread makes penalties from..to, each of a firm far from the one before: neighbours on a disk are not written together.
func (s *source) spread(from, to, perTx, firms int) ([][]byte, error) {
	const step = 7_368_787 // a prime: all firms have their turn
	return s.penaltiesOf(from, to, perTx, func(n int) int { return int(uint64(n) * step % uint64(firms)) })
}

// penaltiesOf makes penalties from..to, in transactions of perTx.
func (s *source) penaltiesOf(from, to, perTx int, of func(n int) int) ([][]byte, error) {
	facts := sha256.Sum256([]byte("synthetic facts"))
	return s.sign((to-from+perTx-1)/perTx, func(i int) (signer, []pb.Msg) {
		by := s.agencies[i%len(s.agencies)]
		msgs := make([]pb.Msg, min(perTx, to-from-i*perTx))
		for j := range msgs {
			n := from + i*perTx + j
			msgs[j] = pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
				Issuer: by.uscc, Subject: firm(of(n)), DocNo: fmt.Sprintf("示例监罚〔2026〕%d号", s.run*TxsMax+uint64(n)+1), Kinds: []uint32{3},
				FineFen: 1_000_000, DecidedOn: int32(s.today), ViolationRegion: by.at, Procedure: 2, NoticeServedOn: int32(s.today) - 7, Statement: 1,
				ServedOn: int32(s.today), RepairNoticeServed: true, PowerCode: "SC-MARKET", TextDigest: facts[:],
			}}}}
		}
		return by, msgs
	})
}

// sign makes transactions on all processors, before the clock runs.
func (s *source) sign(count int, make1 func(i int) (signer, []pb.Msg)) ([][]byte, error) {
	out := make([][]byte, count)
	until := s.now().Add(expires).Unix()
	var (
		wg    sync.WaitGroup
		first error
		once  sync.Once
	)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < count; i += workers {
				by, msgs := make1(i)
				nonce, err := keys.Nonce()
				if err == nil {
					out[i], _, err = by.key.SignTx(s.chain, msgs, until, nonce)
				}
				if err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		}()
	}
	wg.Wait()
	return out, first
}

// runNumber tells two runs over one network apart. Document numbers stay below eleven digits with it, so that none reads as a mobile phone number.
func runNumber() (uint64, error) {
	n, err := keys.Nonce()
	if err != nil {
		return 0, fmt.Errorf("number of the run: %w", err)
	}
	return n % runs, nil
}

const runs = 1 + (9_999_999_999-TxsMax)/TxsMax
