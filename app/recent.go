package app

import (
	"encoding/binary"
	"math"
	"sync"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// recent says of most transactions, without a look at the disk, that they are in no block: nearly every transaction at the mempool's gate is new, and
// looking for what is not there is the dearest kind of read. It is memory of this node alone and is asked at that gate alone; what it does not rule out
// is looked up in the seen-set.
type recent struct {
	mu sync.RWMutex
	// before are minutes of expiry about which nothing is known: their buckets stood when this process began.
	before int64
	// minutes are the ids of executed transactions, by the minute in which these expire.
	minutes map[int64]*[recentBits / 64]uint64
}

// recentBits of a minute: 128 KB, of which 1,000 transactions a second set a sixth. More of them cost look-ups, nothing else.
const recentBits = 1 << 20

// begin forgets everything and starts from the newest state, whose executed transactions it does not know.
func (c *recent) begin(a *App) error {
	before := int64(math.MinInt64)
	err := a.Read(func(r x.Reader) error {
		buckets.Each(r, func(m []byte, _ *pb.SeenBucket) bool {
			before = int64(uint64FromBytes(m)) + 1
			return true
		})
		return nil
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.minutes = before, nil
	return nil
}

// add enters what a block has executed, and lets go what has expired.
func (c *recent) add(ids [][32]byte, expires []int64, blockTime int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.minutes == nil {
		c.minutes = map[int64]*[recentBits / 64]uint64{}
	}
	for i, id := range ids {
		m := expires[i] / 60
		if m < blockTime/60 {
			continue // a transaction that did not pass the gate has no id
		}
		if c.minutes[m] == nil {
			c.minutes[m] = new([recentBits / 64]uint64)
		}
		for _, b := range recentMarks(id) {
			c.minutes[m][b/64] |= 1 << (b % 64)
		}
	}
	for m := range c.minutes { // DETERMINISM: memory of this node alone, order does not matter
		if m < blockTime/60 {
			delete(c.minutes, m)
		}
	}
}

// rulesOut says that a transaction is certainly in no block. false says nothing, and is what no memory says.
func (c *recent) rulesOut(id [32]byte, expiresAt int64) bool {
	if c == nil {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	m := expiresAt / 60
	if m < c.before {
		return false
	}
	bits := c.minutes[m]
	if bits == nil {
		return true
	}
	for _, b := range recentMarks(id) {
		if bits[b/64]&(1<<(b%64)) == 0 {
			return true
		}
	}
	return false
}

// recentMarks are the bits of an id, which is a hash.
func recentMarks(id [32]byte) (marks [3]uint32) {
	for i := range marks {
		marks[i] = binary.BigEndian.Uint32(id[4*i:]) % recentBits
	}
	return marks
}
