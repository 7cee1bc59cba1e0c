package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// TestDeletedStaysDeleted: while a compaction moves rows from level 0 to the level below for the first time, Badger merges what has come to level 0 since, and the
// mark of a deletion is among it. What it hides is in the tables that are on their way. The mark must stay.
//
// The clock is that of the test (synctest): Badger merges tables within level 0 when they are 10 seconds old.
func TestDeletedStaysDeleted(t *testing.T) {
	t.Parallel()
	for range 100 { // chance says which compactor is the first
		if tryDeletedStaysDeleted(t) {
			return
		}
	}
	t.Error("each time the compactor that merges within level 0 was the first one")
}

// tryDeletedStaysDeleted is false where the one that may merge within level 0 has begun to move it: then nobody merges meanwhile.
func tryDeletedStaysDeleted(t *testing.T) (tried bool) {
	const merger, mover = 0, 1 // as Badger counts its compactors
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Bool
		first, arrive := make(chan int, 1), make(chan struct{})
		merged, moved := make(chan struct{}, 100), make(chan struct{}, 100)
		said := func(format string, args []any) {
			done := strings.HasSuffix(format, "DONE")
			if !done && !strings.Contains(format, "LOG Compact. Added") { // a compaction has read its tables
				return
			}
			who := args[0].(int)
			if who != merger && who != mover { // nobody's compactor: the folder is made
				return
			}
			if done {
				if who == mover {
					moved <- struct{}{}
				}
			} else if begun.CompareAndSwap(false, true) {
				if first <- who; who == mover {
					<-arrive
				}
			} else if who == merger {
				merged <- struct{}{}
			}
		}
		s := mustOpen(t, Options{InMemory: true, Bind: testBind, Retain: 1, memTable: 7 << 20, testingOnlySaid: said})
		defer s.Close()
		const key = "key"
		height := uint64(0)
		commit := func(change func(w *WriteSet)) { // nearly a table
			t.Helper()
			height++
			w := NewWriteSet()
			for n := range 12 {
				w.Set(fmt.Appendf(nil, "other %02d", n), bytes.Repeat([]byte{byte(height)}, 500<<10))
			}
			if change != nil {
				change(w)
			}
			mustCommit(t, s, height, w)
		}
		level0 := func() int { return s.db.Levels()[0].NumTables }
		check := func(when string, want bool) {
			t.Helper()
			v, err := s.View(height)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			if _, found, err := v.Get([]byte(key)); err != nil || found != want {
				t.Fatalf("%s: the row is there: %v, %v", when, found, err)
			}
		}

		commit(func(w *WriteSet) { w.Set([]byte(key), []byte("x")) })
		for level0() < 15 {
			commit(nil)
		}
		if <-first != mover {
			return
		}
		tried = true
		defer func() {
			select {
			case <-arrive:
			default:
				close(arrive) // Close waits for it
			}
		}()
		check("before it is deleted", true)
		commit(func(w *WriteSet) { w.Delete([]byte(key)) })
		for moving := level0(); level0() < moving+6; {
			commit(nil)
		}
		<-merged
		check("deleted, while what came before is moved", false)
		close(arrive)
		<-moved
		check("deleted, when what came before has moved", false)
	})
	return tried
}

// TestYoungFolderGrows: a folder in which nothing has gone below level 0 yet, as an older program or a crash leaves it, is grown when it is opened.
func TestYoungFolderGrows(t *testing.T) {
	o := Options{Dir: tempDir(t), Bind: testBind, testingOnlyFail: func(step string) error {
		if step == "before settle" {
			return errors.New("cut off")
		}
		return nil
	}}
	s := mustOpen(t, o)
	if _, err := s.Stage(1, NewWriteSet()); err != nil {
		t.Fatal(err)
	}
	wantLine(t, s.Commit(1, tree.Hash{}, nil), "cut off")
	s.Close()
	o.testingOnlyFail = nil
	s = mustOpen(t, o)
	defer s.Close()
	if !s.grown() {
		t.Error("no table below level 0 has the marker's key in its range")
	}
}
