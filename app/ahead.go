package app

import (
	"bytes"
	"sync"

	"github.com/xinlian-ledger/xinlian/app/slots"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// aheadLeast is how many messages a goroutine of readAhead is worth.
const aheadLeast = 256

// readRows are rows of a committed height, each read once, whether it is there or not. Nobody changes them when they are read.
type readRows struct {
	numbers slots.Table // key → number
	rows    []readRow
}

type readRow struct {
	key []byte
	cached
}

// find gives a row that was read; nil: it was not.
func (r *readRows) find(h uint32, key []byte) *cached {
	if r == nil {
		return nil
	}
	n, ok := r.numbers.Find(h, func(n uint32) bool { return bytes.Equal(r.rows[n].key, key) })
	if !ok {
		return nil
	}
	return &r.rows[n].cached
}

// want enters a row that is to be read.
func (r *readRows) want(key []byte) {
	h := slots.Hash(key)
	if r.find(h, key) == nil {
		r.numbers.Add(h, uint32(len(r.rows)))
		r.rows = append(r.rows, readRow{key: key})
	}
}

// readAhead reads the rows that the messages of a block will ask for, many at a time, for whoever asks s for them: half of the time of a block of
// penalties goes to three reads of each, and the rules run on one processor.
// DETERMINISM: the goroutines read rows of a committed height, which do not change. What is not read here is read when a rule asks for it.
func (a *App) readAhead(s *Snapshot, txs []*parsed) {
	const each = 3
	penalties := 0
	for _, p := range txs {
		if p.err == nil {
			for i := range p.body.Messages {
				if _, ok := p.body.Messages[i].Sum.(*pb.Msg_RecordPenalty); ok {
					penalties++
				}
			}
		}
	}
	workers := min(a.opts.Workers, penalties/aheadLeast)
	if workers < 2 {
		return
	}
	all := &readRows{rows: make([]readRow, 0, each*penalties)}
	all.numbers.Grow(each * penalties)
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
			all.want(sanction.IndexKey(id[:]))
			all.want(rows[0])
			all.want(rows[1])
		}
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
			r.known = s.cache
			n := len(all.rows)
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				row := &all.rows[i]
				row.value, row.found = r.Peek(row.key)
			}
		}()
	}
	wg.Wait()
	for _, p := range broken {
		if p != nil {
			panic(p)
		}
	}
	s.ahead = all
}
