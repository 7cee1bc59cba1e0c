// Package slots is a hash table of numbers without their keys: whoever keeps rows numbers them, and finds the number of a row by its key. Beside each
// number stand 32 bits of the hash, so that most keys that are not the right one are never looked at: a search touches one line of memory, and one more
// where it finds something. There is no pointer in it, so the collector has nothing to look through.
//
// DETERMINISM: the hash is another one in every process. It decides where a number stands and nothing else; there is no way to go through a table.
//
// Trust: a wrong search hides a row that was written or finds another one, and the rules that ask compute another state than those of other nodes.
package slots

import "hash/maphash"

// Table is a hash table with open addressing. The zero value is empty. Many may search it side by side while nobody changes it.
type Table struct {
	slots []uint64 // (number + 1) << 32 | hash; 0 is free
	used  int
}

var seed = maphash.MakeSeed()

// Hash of a key, for the calls below.
func Hash(key []byte) uint32 { return uint32(maphash.Bytes(seed, key)) }

// Find gives the number with a hash that is the right one.
func (t *Table) Find(h uint32, is func(n uint32) bool) (n uint32, ok bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if s := t.slots[i]; uint32(s) == h && is(uint32(s>>32)-1) {
			return uint32(s>>32) - 1, true
		}
	}
	return 0, false
}

// Clear takes all numbers out. Room of which little was in use is given up: to clear it would cost more than to make as much as is needed.
func (t *Table) Clear() {
	if 8*t.used < len(t.slots) {
		t.slots = nil
	}
	clear(t.slots)
	t.used = 0
}

// Add enters a number whose key is not there.
func (t *Table) Add(h, n uint32) {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.move(max(64, 2*len(t.slots)))
	}
	t.place((uint64(n)+1)<<32 | uint64(h))
	t.used++
}

// Grow makes room for so many numbers in all, so that the table need not be moved while it fills.
func (t *Table) Grow(numbers int) {
	size := max(64, len(t.slots))
	for 3*size < 4*(numbers+1) {
		size *= 2
	}
	if size > len(t.slots) {
		t.move(size)
	}
}

func (t *Table) move(size int) {
	old := t.slots
	t.slots = make([]uint64, size)
	for _, s := range old {
		if s != 0 {
			t.place(s)
		}
	}
}

func (t *Table) place(s uint64) {
	mask := uint32(len(t.slots) - 1)
	i := uint32(s) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// Remove takes a number out, which is there, and moves what stood behind it into the gap, where that is nearer to its own place.
func (t *Table) Remove(h, n uint32) {
	mask := uint32(len(t.slots) - 1)
	i := h & mask
	for t.slots[i] != (uint64(n)+1)<<32|uint64(h) {
		i = (i + 1) & mask
	}
	t.used--
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s == 0 {
			t.slots[i] = 0
			return
		}
		if home := uint32(s) & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i], i = s, j
		}
	}
}
