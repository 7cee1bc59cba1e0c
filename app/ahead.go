package app

import (
	"maps"
	"sync"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// aheadLeast is how many messages a goroutine of readAhead is worth.
const aheadLeast = 256

// readAhead reads the rows that the messages of a block will ask for, many at a time, into the cache of s: half of the time of a block of penalties
// goes to three reads of each, and the rules run on one processor.
// DETERMINISM: the goroutines read rows of a committed height, which do not change. What is not read here is read when a rule asks for it.
func (a *App) readAhead(s *Snapshot, txs []*parsed) {
	var keys [][]byte
	for _, p := range txs {
		if p.err != nil {
			continue
		}
		for i := range p.body.Messages {
			m, ok := p.body.Messages[i].Sum.(*pb.Msg_RecordPenalty)
			if !ok || len(m.RecordPenalty.Content.Subject) != 18 { // refused without a look at the state
				continue
			}
			c := &m.RecordPenalty.Content
			id, rows := sanction.PenaltyID(c.Issuer, c.DocNo, c.Subject), subject.RowsOf(c.Subject)
			keys = append(keys, sanction.IndexKey(id[:]), rows[0], rows[1])
		}
	}
	const each = 3
	workers := min(a.opts.Workers, len(keys)/(each*aheadLeast))
	if workers < 2 {
		return
	}
	caches := make([]map[string]cached, workers) // the first has room for all
	for w := range caches {
		room := len(keys)/workers + 1
		if w == 0 {
			room = len(s.cache) + len(keys)
		}
		caches[w] = make(map[string]cached, room)
	}
	broken := make([]any, workers) // what a goroutine panicked with: it is the block's
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { broken[w] = recover() }()
			r, err := a.At(s.Height())
			if err != nil {
				panic(x.Fault{Err: err})
			}
			defer r.Close()
			r.known, r.cache = s.cache, caches[w]
			for i := w * len(keys) / workers; i < (w+1)*len(keys)/workers; i++ {
				r.Peek(keys[i])
			}
		}()
	}
	wg.Wait()
	for _, p := range broken {
		if p != nil {
			panic(p)
		}
	}
	for _, c := range append(caches[1:], s.cache) {
		maps.Copy(caches[0], c)
	}
	s.cache = caches[0]
}
