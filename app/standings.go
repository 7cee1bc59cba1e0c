package app

import (
	"crypto/sha256"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// standings are salts and standings (信用状况) in memory, under what the tree holds of them: the hash of their leaf's value. What lenders ask for is then found
// without the disk. A row lies in a file that is mapped into memory, and where the system has taken its page, which it does as it likes, the thread
// that reads waits for the disk with all that it has yet to run.
//
// A hash is that of one standing: nothing in here can be out of date, and a proof never gets another standing than its own. What is not in here,
// because there is no room or because nobody has looked yet, is read from its row.
//
// It is memory of this node alone. No rule reads it. nil remembers nothing.
type standings struct {
	cache *fastcache.Cache // outside the collector's heap; what was entered first leaves first
}

func newStandings(bytes int) *standings {
	if bytes <= 0 {
		return nil
	}
	return &standings{fastcache.New(bytes)}
}

// find gives the standing whose leaf has a value of this hash.
func (m *standings) find(value tree.Hash) (salt, raw []byte, ok bool) {
	if m == nil {
		return nil, nil, false
	}
	both := m.cache.Get(nil, value[:])
	if len(both) < sha256.Size {
		return nil, nil, false
	}
	return both[:sha256.Size:sha256.Size], both[sha256.Size:], true
}

// enter takes a standing, and gives its salt and the hash under which it is found.
func (m *standings) enter(secret []byte, uscc string, raw []byte) (salt []byte, value tree.Hash) {
	salt = standing.Salt(secret, uscc, raw)
	v := standing.LeafValue(salt, raw)
	value = tree.ValueHash(v[:])
	if m != nil {
		m.cache.Set(value[:], append(salt[:len(salt):len(salt)], raw...)) // larger than the cache takes: it is read from its row each time
	}
	return salt, value
}

// enterChanged takes the standings that a block has changed, before anybody can ask for them: a firm whose standing has just changed is answered as fast
// as all others.
func (m *standings) enterChanged(secret []byte, c *changes) {
	if m == nil {
		return
	}
	first := int(standing.Prefix())
	c.eachOf(first, first, func(c change) {
		if !c.deleted {
			m.enter(secret, standing.Subject(c.key), c.value)
		}
	})
}

// full says that what is entered now drives out what was entered before.
func (m *standings) full() bool {
	var s fastcache.Stats
	m.cache.UpdateStats(&s)
	return s.BytesSize >= s.MaxBytesSize
}

func (m *standings) close() {
	if m != nil {
		m.cache.Reset() // its memory is not the collector's
	}
}

// rememberRun is how many standings are read in one go.
const rememberRun = 512

// Remember reads some standings from a subject on, by code, into memory, so that whoever asks for one of them does not wait for the disk, and says how many.
// next is the subject to go on with; empty: all that there is room for are read, or what is not can be read by who asks for it.
func (a *App) Remember(from string) (next string, n int) {
	if a.standings == nil || a.Chain() == nil || a.standings.full() {
		return "", 0
	}
	secret := a.Chain().Secret
	err := a.Read(func(r x.Reader) error {
		standing.RawFrom(r, from, func(uscc string, raw []byte) bool {
			if n == rememberRun {
				next = uscc
				return false
			}
			a.standings.enter(secret, uscc, raw)
			n++
			return true
		})
		return nil
	})
	if err != nil || n < rememberRun {
		return "", n
	}
	return next, n
}
