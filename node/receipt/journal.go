package receipt

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// FileName of the journal in its folder, and of the file that seals its key under the passphrase of the gateway's key (vault.SealedKey).
const (
	FileName    = "receipts.db"
	KeyFileName = "receipts.json"
)

const (
	saltBytes = 32
	// batchMax bounds the receipts that share a write.
	batchMax = 4096
	// leavesMin is the smallest number of leaves of an anchor, receipts and filling together.
	leavesMin = 64
	// requestAge is how many seconds after the time that it names an answered request is remembered: by then that time has long passed for every gateway.
	requestAge = 120
)

var (
	// ErrUsedUp: the authorisation was used as often as it may be. Nothing was recorded.
	ErrUsedUp = errors.New("the authorisation is used up")
	// ErrAnswered: the request has its receipt already. Nothing was recorded.
	ErrAnswered = errors.New("the request was answered already")
	// ErrClosed: the journal takes nothing any more.
	ErrClosed = errors.New("the journal of receipts is closed")
)

// Buckets of the file. Numbers are big-endian. Sealed and named: see secrets.
var (
	bReceipts = []byte("receipts") // seq → sealed: salt ‖ receipt
	bSubjects = []byte("subjects") // name of a uscc ‖ seq → nothing
	bAsked    = []byte("asked")    // name of a uscc and of who asked about it ‖ seq → nothing; its sequence is the last receipt that it has
	bUses     = []byte("uses")     // name of an authorisation → how often it opened something
	bUsedUp   = []byte("used up")  // name of an authorisation → sealed: its id; its last use is not told yet
	bAnchors  = []byte("anchors")  // hour → sealed: see anchorRow
	bEnds     = []byte("ends")     // end seq of an anchor that covers receipts → hour
	bAnswered = []byte("answered") // second that a request names ‖ name of its id → sealed: its id; swept after requestAge
)

// Entry is a receipt with its salt, as the firm and the lender get it.
type Entry struct {
	Seq     uint64
	Salt    []byte
	Receipt pb.QueryReceipt
	Raw     []byte // its encoding
}

// Request is what a receipt answers: a signed request is answered once, also by the process after this one. The zero Request is none.
type Request struct {
	SignedAt int64  // Unix seconds
	ID       []byte // who signed, and what
}

// Anchor is what goes to the ledger of an hour.
type Anchor struct {
	Hour   int64
	Root   [32]byte
	UsedUp [][]byte // ascending
}

// Proof leads from a receipt to the root of its anchor.
type Proof struct {
	Hour  int64
	Root  [32]byte
	Place uint64
	Path  []attest.Hash
}

// Journal is open. Safe for many goroutines.
type Journal struct {
	db      *bbolt.DB
	secrets secrets
	queue   chan *waiting
	done    chan struct{}
	closing chan struct{}
	once    sync.Once
	writes  atomic.Uint64
	sealMu  sync.Mutex
	trees   trees
	roots   roots
}

type waiting struct {
	entry   *Entry
	limit   uint32
	answers Request
	err     chan error
}

// Open opens the journal in a folder under its key, or makes one. A file that an older version wrote in clear is encrypted first. A folder is one process's at a
// time.
func Open(dir string, key []byte) (*Journal, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("the key of a journal has %d bytes, this one %d", KeyBytes, len(key))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := secrets{bytes.Clone(key)}
	db, err := take(dir)
	if err == nil {
		db, err = s.under(db, dir)
	}
	if err != nil {
		return nil, err
	}
	return newJournal(db, s)
}

func newJournal(db *bbolt.DB, s secrets) (*Journal, error) {
	if err := s.indexAskers(db); err != nil {
		db.Close()
		return nil, err
	}
	j := &Journal{
		db: db, secrets: s, queue: make(chan *waiting, batchMax), done: make(chan struct{}), closing: make(chan struct{}),
		trees: trees{turn: make(chan struct{}, 1), made: map[int64]*sealing{}},
	}
	go j.write()
	return j, nil
}

// Close waits for what is being written.
func (j *Journal) Close() error {
	j.once.Do(func() { close(j.closing) })
	<-j.done
	return j.db.Close()
}

// Writes is how many times the journal has written to disk: fewer than receipts, where many waited for one.
func (j *Journal) Writes() uint64 { return j.writes.Load() }

// Receipts is how many receipts the journal holds.
func (j *Journal) Receipts() (n uint64, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error { n = tx.Bucket(bReceipts).Sequence(); return nil }) // nothing is deleted
	return n, err
}

// Waiting is when the oldest receipt was made, by the gateway's clock, that the anchors up to an hour do not cover; zero: they cover all. hour is the last that
// the ledger holds, -1 if it holds none.
func (j *Journal) Waiting(hour int64) (since time.Time, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		next := uint64(1)
		if hour >= 0 {
			row, err := j.secrets.anchor(tx, be64(uint64(hour)))
			if err != nil {
				return err
			}
			if row == nil {
				return fmt.Errorf("the journal lacks the anchor of hour %d", hour)
			}
			next = row.end
		}
		if next > tx.Bucket(bReceipts).Sequence() {
			return nil
		}
		e, err := j.secrets.entry(tx, next)
		if err == nil {
			since = time.UnixMilli(e.Receipt.ClockMs)
		}
		return err
	})
	return since, err
}

// Record puts a receipt on disk and gives it its id and salt. limit is how often its authorisation may open something, 0 without a limit; a receipt that opens
// something counts. A request that has a receipt gets no second one. When it returns without an error the receipt is durable.
func (j *Journal) Record(r pb.QueryReceipt, limit uint32, answers Request) (*Entry, error) {
	random := make([]byte, 2*saltBytes)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	r.Id = random[:saltBytes:saltBytes]
	w := &waiting{entry: &Entry{Salt: random[saltBytes:], Receipt: r, Raw: pb.Encode(&r)}, limit: limit, answers: answers, err: make(chan error, 1)}
	select {
	case <-j.closing:
		return nil, ErrClosed
	case j.queue <- w:
	}
	select {
	case err := <-w.err:
		if err != nil {
			return nil, err
		}
		return w.entry, nil
	case <-j.done: // the writer may have answered as it ended
		select {
		case err := <-w.err:
			if err == nil {
				return w.entry, nil
			}
			return nil, err
		default:
			return nil, ErrClosed
		}
	}
}

// write is the one writer: everything that waits goes into one write. A crash before the write's end leaves none of it, and nobody was answered; a crash
// after it leaves all.
func (j *Journal) write() {
	defer close(j.done)
	for {
		var batch []*waiting
		select {
		case w := <-j.queue:
			batch = append(batch, w)
		case <-j.closing:
			return
		}
		runtime.Gosched() // with one processor those who ask now have not been able to: each would have a write of its own
	more:
		for len(batch) < batchMax {
			select {
			case w := <-j.queue:
				batch = append(batch, w)
			default:
				break more
			}
		}
		results := make([]error, len(batch))
		err := j.db.Update(func(tx *bbolt.Tx) error {
			for i, w := range batch {
				switch results[i] = j.put(tx, w); {
				case results[i] == nil, errors.Is(results[i], ErrUsedUp), errors.Is(results[i], ErrAnswered):
				default:
					return results[i]
				}
			}
			return sweep(tx, batch)
		})
		j.writes.Add(1)
		for i, w := range batch {
			if err != nil {
				results[i] = fmt.Errorf("write a receipt: %w", err)
			}
			w.err <- results[i]
		}
	}
}

// put enters one receipt, and counts its use.
func (j *Journal) put(tx *bbolt.Tx, w *waiting) error {
	r := &w.entry.Receipt
	var answered []byte
	if w.answers.ID != nil {
		answered = j.secrets.answered(w.answers)
		if tx.Bucket(bAnswered).Get(answered) != nil {
			return ErrAnswered
		}
	}
	if len(r.Opened) > 0 {
		used, name := j.secrets.count(tx, r.Authorisation), j.secrets.name(bUses, r.Authorisation)
		if w.limit != 0 && used >= uint64(w.limit) {
			return ErrUsedUp
		}
		if err := tx.Bucket(bUses).Put(name, be64(used+1)); err != nil {
			return err
		}
		if w.limit != 0 && used+1 == uint64(w.limit) {
			if err := j.secrets.put(tx, bUsedUp, j.secrets.name(bUsedUp, r.Authorisation), r.Authorisation); err != nil {
				return err
			}
		}
	}
	seq, err := tx.Bucket(bReceipts).NextSequence() // from 1
	if err != nil {
		return err
	}
	w.entry.Seq = seq
	if answered != nil {
		if err := j.secrets.put(tx, bAnswered, answered, w.answers.ID); err != nil {
			return err
		}
	}
	if err := j.secrets.put(tx, bReceipts, be64(seq), slices.Concat(w.entry.Salt, w.entry.Raw)); err != nil {
		return err
	}
	return j.secrets.lead(tx, r, be64(seq))
}

// answered is where a request stands.
func (s secrets) answered(r Request) []byte {
	return append(be64(uint64(r.SignedAt)), s.name(bAnswered, r.ID)...)
}

// sweep forgets requests that are no longer taken, by the clock of the newest receipt of a write: so few that the write stays one of its receipts, and more than it brings.
func sweep(tx *bbolt.Tx, batch []*waiting) error {
	now := int64(0)
	for _, w := range batch {
		now = max(now, w.entry.Receipt.ClockMs/1000)
	}
	b := tx.Bucket(bAnswered)
	var old [][]byte
	c := b.Cursor()
	for k, _ := c.First(); k != nil && len(old) < 2*len(batch) && int64(binary.BigEndian.Uint64(k)) < now-requestAge; k, _ = c.Next() {
		old = append(old, k)
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (s secrets) count(tx *bbolt.Tx, authorisation []byte) uint64 {
	if v := tx.Bucket(bUses).Get(s.name(bUses, authorisation)); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// Used is how often an authorisation has opened something.
func (j *Journal) Used(authorisation []byte) (n uint64, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error { n = j.secrets.count(tx, authorisation); return nil })
	return n, err
}

func (s secrets) entry(tx *bbolt.Tx, seq uint64) (*Entry, error) {
	raw, err := s.get(tx, bReceipts, be64(seq))
	if err != nil {
		return nil, err
	}
	if len(raw) <= saltBytes {
		return nil, fmt.Errorf("the journal lacks receipt %d", seq)
	}
	e := &Entry{Seq: seq, Salt: raw[:saltBytes:saltBytes], Raw: raw[saltBytes:]}
	if err := pb.Decode(e.Raw, &e.Receipt); err != nil {
		return nil, fmt.Errorf("receipt %d of the journal: %w", seq, err)
	}
	return e, nil
}

// anchorRow: first ‖ end (of the receipts, end not among them) ‖ filling's seed[32] ‖ number of used-up ids ‖ those.
type anchorRow struct {
	first, end uint64
	seed       []byte
	usedUp     [][]byte
}

func (a *anchorRow) encode() []byte {
	out := slices.Concat(be64(a.first), be64(a.end), a.seed, be64(uint64(len(a.usedUp))))
	for _, id := range a.usedUp {
		out = append(out, id...)
	}
	return out
}

func decodeAnchor(raw []byte) (*anchorRow, error) {
	const head = 8 + 8 + saltBytes + 8
	if len(raw) < head || uint64(len(raw)-head) != binary.BigEndian.Uint64(raw[head-8:head])*pb.DigestBytes {
		return nil, errors.New("an anchor of the journal is damaged")
	}
	a := &anchorRow{first: binary.BigEndian.Uint64(raw), end: binary.BigEndian.Uint64(raw[8:]), seed: bytes.Clone(raw[16 : 16+saltBytes])}
	for id := range slices.Chunk(raw[head:], pb.DigestBytes) {
		a.usedUp = append(a.usedUp, bytes.Clone(id))
	}
	return a, nil
}

// anchor reads the row of an hour; nil: there is none.
func (s secrets) anchor(tx *bbolt.Tx, hour []byte) (*anchorRow, error) {
	raw, err := s.get(tx, bAnchors, hour)
	if raw == nil {
		return nil, err
	}
	return decodeAnchor(raw)
}

// Seal makes the anchor of an hour: of all receipts that no earlier one covers. An hour that is sealed stays as it is; one before the last is refused.
func (j *Journal) Seal(hour int64) (*Anchor, error) {
	j.sealMu.Lock()
	defer j.sealMu.Unlock()
	var out *Anchor
	err := j.db.Update(func(tx *bbolt.Tx) error {
		anchors := tx.Bucket(bAnchors)
		if row, err := j.secrets.anchor(tx, be64(uint64(hour))); row != nil || err != nil {
			if err == nil {
				out, err = j.secrets.made(tx, hour, row)
			}
			return err
		}
		row := &anchorRow{first: 1, end: tx.Bucket(bReceipts).Sequence() + 1, seed: make([]byte, saltBytes)}
		if k, _ := anchors.Cursor().Last(); k != nil {
			last, err := j.secrets.anchor(tx, k)
			if err != nil {
				return err
			}
			if int64(binary.BigEndian.Uint64(k)) > hour {
				return fmt.Errorf("hour %d lies before the last that was sealed", hour)
			}
			row.first = last.end
		}
		if _, err := rand.Read(row.seed); err != nil {
			return err
		}
		used := tx.Bucket(bUsedUp)
		c := used.Cursor()
		for k, v := c.First(); k != nil && len(row.usedUp) < pb.UsedUpMax; k, v = c.Next() {
			id, err := j.secrets.open(bUsedUp, k, v)
			if err != nil {
				return err
			}
			row.usedUp = append(row.usedUp, id)
		}
		slices.SortFunc(row.usedUp, bytes.Compare)
		for _, id := range row.usedUp {
			if err := used.Delete(j.secrets.name(bUsedUp, id)); err != nil {
				return err
			}
		}
		if err := j.secrets.put(tx, bAnchors, be64(uint64(hour)), row.encode()); err != nil {
			return err
		}
		if row.end > row.first {
			if err := tx.Bucket(bEnds).Put(be64(row.end), be64(uint64(hour))); err != nil {
				return err
			}
		}
		var err error
		out, err = j.secrets.made(tx, hour, row)
		return err
	})
	if err == nil {
		j.roots.keep(hour, out.Root)
	}
	return out, err
}

// Agrees says whether an anchor that the ledger holds is this journal's: it has sealed the hour, with that root. One that was lost may have sealed it otherwise, and does
// not know then what became of the authorisations.
func (j *Journal) Agrees(ctx context.Context, hour int64, root []byte) (bool, error) {
	if have, ok := j.roots.look(hour); ok {
		return have == attest.Hash(root), nil
	}
	var row *anchorRow
	err := j.db.View(func(tx *bbolt.Tx) (err error) {
		row, err = j.secrets.anchor(tx, be64(uint64(hour)))
		return err
	})
	if err != nil || row == nil {
		return false, err
	}
	t, _, err := j.treeOf(ctx, hour, row)
	if err != nil {
		return false, err
	}
	j.roots.keep(hour, t.root())
	return t.root() == attest.Hash(root), nil
}

// roots are those of the anchors that were sealed or looked at last: each query asks for one.
type roots struct {
	mu sync.Mutex
	of map[int64]attest.Hash // guarded by mu
}

const rootsMax = 16

func (r *roots) look(hour int64) (root attest.Hash, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	root, ok = r.of[hour]
	return root, ok
}

func (r *roots) keep(hour int64, root attest.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || len(r.of) >= rootsMax {
		r.of = map[int64]attest.Hash{}
	}
	r.of[hour] = root
}

// made is an anchor as the ledger gets it.
func (s secrets) made(tx *bbolt.Tx, hour int64, row *anchorRow) (*Anchor, error) {
	leaves, err := s.leaves(tx, row.first, row.end)
	if err != nil {
		return nil, err
	}
	return &Anchor{Hour: hour, Root: row.tree(leaves).root(), UsedUp: row.usedUp}, nil
}

// LastHour is the last hour that was sealed; none: -1.
func (j *Journal) LastHour() (hour int64, err error) {
	hour = -1
	err = j.db.View(func(tx *bbolt.Tx) error {
		if k, _ := tx.Bucket(bAnchors).Cursor().Last(); k != nil {
			hour = int64(binary.BigEndian.Uint64(k))
		}
		return nil
	})
	return hour, err
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
