package state

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The tree's own files (树文件) beside Badger's: an image of all leaves at one height, and logs of the changes of the blocks after it. With them a start
// reads 64 bytes a leaf in order instead of every bound row.
//
// Nothing in them is believed: the tree that they give must have the root of the marker, else it is computed from the rows. So they are not synced, and a
// file that is lost, torn, false or of a history that a rollback has undone costs time and nothing else. What must hold is only that the log of a block
// is written before its marker: killed in between, the record is one too many and is cut off; the other way round it would be one too few.
//
//	tree-HEIGHT.image   the leaves after that height. Made under another name, beside the blocks, when the logs have grown to half of the image before
//	tree-HEIGHT.log     the changes of the blocks after that height, up to where the next log begins
//
// A log begins where the making of an image begins, so a half-made image leaves the older image with a chain of two logs. FORMAT.md has the bytes.
type treeFiles struct {
	dir string
	log *slog.Logger

	least int64 // bytes of logs for which no image is made

	// Owned by the goroutine that commits.
	file   *os.File // the newest log; nil: none is written
	buf    []byte
	from   uint64 // height at which the newest log begins
	size   int64  // bytes of all logs after the image
	wanted bool   // an image is due, whatever the size

	mu     sync.Mutex
	ended  *sync.Cond
	making bool
	quit   bool
	image  uint64 // height of the newest image; 0: none, and none is needed: the tree was empty
	bytes  int64  // of it
	done   int64  // bytes of logs that an image has made superfluous and that size still counts
	tried  int64  // size at which the last one failed
}

const (
	imageMagic   = "XLTI"
	logMagic     = "XLTL"
	imageHeadLen = len(imageMagic) + 8 + hashLen + 8
	logHeadLen   = len(logMagic) + 8
	recordHead   = 8 + hashLen + 4 // height ‖ root ‖ changes
	changeLen    = 1 + 2*hashLen
	leafLen      = 2 * hashLen

	// Logs smaller than this are read in a moment: no image for them.
	defaultImageLeast = 8 << 20
	// An image is made when the logs have grown to this part of the last one: each change is then written about twice more in images, and a start
	// reads up to half as much again.
	imagePart = 2

	imageSuffix, logSuffix, makingSuffix = ".image", ".log", ".image.making"
)

// castagnoli is the checksum of a record. A record that passes and is false is found by the root.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func newTreeFiles(o Options) *treeFiles {
	t := &treeFiles{dir: o.Dir, log: o.Logger, least: o.imageLeast}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.ended = sync.NewCond(&t.mu)
	return t
}

func (t *treeFiles) path(height uint64, suffix string) string {
	return filepath.Join(t.dir, fmt.Sprintf("tree-%020d%s", height, suffix))
}

// heights of the files with a suffix, ascending.
func (t *treeFiles) heights(suffix string) ([]uint64, error) {
	files, err := os.ReadDir(t.dir)
	if err != nil {
		return nil, fmt.Errorf("read the state folder: %w", err)
	}
	var out []uint64
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Name(), "tree-")
		if number, whole := strings.CutSuffix(name, suffix); ok && whole && len(number) == 20 {
			if h, err := strconv.ParseUint(number, 10, 64); err == nil {
				out = append(out, h)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// errNoTree says that the files do not give the tree of a height. It never leaves this package.
var errNoTree = errors.New("the tree's files do not reach this height")

// load gives the tree of the marker, if the files do, and the end of its last record. Where before is the marker of the height below, the tree of that height is readable
// too: its state is the one that the newest header proves, and a start has it as the process before had it. Not where an image begins at the marker: it has one height.
func (t *treeFiles) load(m, before Marker, kept int, room int64) (f *forest, logs []uint64, end int64, err error) {
	images, err := t.heights(imageSuffix)
	if err != nil {
		return nil, nil, 0, err
	}
	all, err := t.heights(logSuffix)
	if err != nil {
		return nil, nil, 0, err
	}
	t.image, t.bytes = 0, 0
	for _, h := range slices.Backward(images) {
		if h <= m.Height {
			t.image = h
			break
		}
	}
	i, found := slices.BinarySearch(all, t.image)
	if !found {
		return nil, nil, 0, errNoTree
	}
	logs = all[i:]
	changes, newest, end, err := t.readLogs(&logs, m)
	if err != nil {
		return nil, nil, 0, err
	}
	first := m
	if before.Height > 0 && before.Height == m.Height-1 && before.Height >= t.image {
		first = before
	} else {
		newest = len(changes)
	}
	leaves := func() (tree.Leaf, bool) { return tree.Leaf{}, false }
	stop := func() error { return nil }
	if t.image > 0 {
		if leaves, stop, err = t.readImage(); err != nil {
			return nil, nil, 0, err
		}
	}
	f = newForest()
	f.keep(kept, room)
	next := withChanges(leaves, changes, lastOfEachPath(changes[:newest]))
	root, err := f.build(func(yield func(tree.Leaf) bool) {
		for l, ok := next(); ok && yield(l); l, ok = next() {
		}
	})
	if e := stop(); err == nil {
		err = e
	}
	switch {
	case err != nil:
		return nil, nil, 0, err
	case root != first.Root:
		return nil, nil, 0, falseRoot(first, root)
	}
	f.publishBuilt(first.Height)
	if first.Height < m.Height {
		if root, err = f.stage(changes[newest:]); err != nil {
			return nil, nil, 0, err
		}
		if root != m.Root {
			return nil, nil, 0, falseRoot(m, root)
		}
		f.publish(m.Height)
	}
	return f, logs, end, nil
}

func falseRoot(m Marker, root tree.Hash) error {
	return fmt.Errorf("the tree's files give root %x of height %d, the marker says %x", root, m.Height, m.Root)
}

// readLogs reads the changes of the blocks from the image to the marker; those of the newest block begin at newest. logs becomes those that hold them, and end is where the
// last record of the last of them ends.
func (t *treeFiles) readLogs(logs *[]uint64, m Marker) (changes []Change, newest int, end int64, err error) {
	// Room for all of them at once: growing step by step would take nearly twice as much.
	room := 0
	for _, from := range *logs {
		if info, err := os.Stat(t.path(from, logSuffix)); err == nil {
			room += int(info.Size()) / changeLen
		}
	}
	changes = make([]Change, 0, room)
	at, size := (*logs)[0], int64(0)
	for n, from := range *logs {
		if from > m.Height {
			*logs = (*logs)[:n]
			break
		}
		if from != at {
			return nil, 0, 0, errNoTree
		}
		if end, err = t.readLog(from, &at, m.Height, &changes, &newest); err != nil {
			return nil, 0, 0, err
		}
		size += end
	}
	if at != m.Height {
		return nil, 0, 0, errNoTree
	}
	t.size = size
	return changes, newest, end, nil
}

// placed is a change by its place in a list and the first bytes of its path.
type placed struct {
	first uint64
	n     uint32
}

// lastOfEachPath orders changes by path; of several changes of a leaf the last one counts. What is moved are places: to sort the changes themselves takes
// many times as long.
func lastOfEachPath(changes []Change) []placed {
	order := make([]placed, len(changes))
	for i := range changes {
		order[i] = placed{binary.BigEndian.Uint64(changes[i].Path[:]), uint32(i)}
	}
	slices.SortFunc(order, func(a, b placed) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Or(comparePaths(&changes[a.n].Path, &changes[b.n].Path), cmp.Compare(a.n, b.n))
	})
	kept := order[:0]
	for i, p := range order {
		if i+1 < len(order) && changes[p.n].Path == changes[order[i+1].n].Path {
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// readLog appends the changes of the records after height at, up to the height `to`, and moves at; those of the last record begin at newest. A record that is torn ends the log.
func (t *treeFiles) readLog(from uint64, at *uint64, to uint64, changes *[]Change, newest *int) (end int64, err error) {
	f, err := os.Open(t.path(from, logSuffix))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	head := make([]byte, logHeadLen)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(logMagic)]) != logMagic || binary.BigEndian.Uint64(head[len(logMagic):]) != from {
		return 0, errNoTree
	}
	end = int64(logHeadLen)
	var record []byte
	for *at < to {
		record = slices.Grow(record[:0], recordHead)[:recordHead]
		if _, err := io.ReadFull(r, record); err != nil {
			return end, nil
		}
		n := int(binary.BigEndian.Uint32(record[recordHead-4:]))
		if binary.BigEndian.Uint64(record) != *at+1 || int64(n) > info.Size()/int64(changeLen) { // what is longer than its file takes no memory
			return end, nil
		}
		record = slices.Grow(record, n*changeLen+4)[:recordHead+n*changeLen+4]
		if _, err := io.ReadFull(r, record[recordHead:]); err != nil {
			return end, nil
		}
		body := record[:len(record)-4]
		if castagnoli(body) != binary.BigEndian.Uint32(record[len(body):]) {
			return end, nil
		}
		*newest = len(*changes)
		for b := body[recordHead:]; len(b) > 0; b = b[changeLen:] {
			*changes = append(*changes, Change{Delete: b[0] == 1, Path: tree.Hash(b[1 : 1+hashLen]), ValueHash: tree.Hash(b[1+hashLen : changeLen])})
		}
		*at++
		end += int64(len(record))
	}
	return end, nil
}

// readImage gives the leaves of the newest image one after the other; stop says whether all of them came.
func (t *treeFiles) readImage() (next func() (tree.Leaf, bool), stop func() error, err error) {
	f, err := os.Open(t.path(t.image, imageSuffix))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	head := make([]byte, imageHeadLen)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, nil, errNoTree
	}
	count := binary.BigEndian.Uint64(head[imageHeadLen-8:])
	if string(head[:len(imageMagic)]) != imageMagic || count != uint64(info.Size()-int64(imageHeadLen))/uint64(leafLen) {
		return nil, nil, errNoTree
	}
	t.bytes = info.Size()
	var failed error
	b := make([]byte, leafLen)
	next = func() (l tree.Leaf, ok bool) {
		if count == 0 || failed != nil {
			return l, false
		}
		if _, failed = io.ReadFull(r, b); failed != nil {
			return l, false
		}
		count--
		copy(l.Path[:], b)
		copy(l.ValueHash[:], b[hashLen:])
		return l, true
	}
	return next, func() error { return errors.Join(failed, f.Close()) }, nil
}

// withChanges merges changes, in an order by path, into leaves that ascend by path.
func withChanges(leaves func() (tree.Leaf, bool), changes []Change, order []placed) func() (tree.Leaf, bool) {
	leaf, more := leaves()
	return func() (tree.Leaf, bool) {
		for {
			if len(order) > 0 && (!more || comparePaths(&changes[order[0].n].Path, &leaf.Path) <= 0) {
				c := &changes[order[0].n]
				order = order[1:]
				if more && c.Path == leaf.Path {
					leaf, more = leaves()
				}
				if c.Delete {
					continue
				}
				return tree.Leaf{Path: c.Path, ValueHash: c.ValueHash}, true
			}
			if !more {
				return tree.Leaf{}, false
			}
			out := leaf
			leaf, more = leaves()
			return out, true
		}
	}
}

// resume goes on with the last log, without what stands after its end, and removes the files that are of no use any more.
func (t *treeFiles) resume(logs []uint64, end int64) error {
	t.from = logs[len(logs)-1]
	f, err := os.OpenFile(t.path(t.from, logSuffix), os.O_WRONLY, 0o600)
	if err == nil {
		if err = f.Truncate(end); err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
	}
	if err != nil {
		return fmt.Errorf("the tree's log: %w", err)
	}
	t.file, t.wanted, t.quit = f, false, false
	return t.clean(t.image, t.from)
}

// restart forgets all files and begins a log at a height, whose image is due at once unless it is 0.
func (t *treeFiles) restart(height uint64) error {
	t.close()
	t.mu.Lock()
	t.quit, t.image, t.bytes, t.done, t.tried = false, 0, 0, 0, 0
	t.mu.Unlock()
	if err := t.clean(1, 0); err != nil {
		return err
	}
	t.size, t.wanted = 0, height > 0
	return t.begin(height)
}

// begin makes a new log and writes there from now on.
func (t *treeFiles) begin(height uint64) error {
	f, err := os.OpenFile(t.path(height, logSuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(binary.BigEndian.AppendUint64([]byte(logMagic), height))
	}
	if err != nil {
		return fmt.Errorf("the tree's log: %w", err)
	}
	if t.file != nil {
		t.file.Close()
	}
	t.file, t.from = f, height
	return nil
}

// clean removes images but the one of a height, and logs outside [image,last]. image > last: all of them.
func (t *treeFiles) clean(image, last uint64) error {
	for _, suffix := range []string{imageSuffix, makingSuffix, logSuffix} {
		heights, err := t.heights(suffix)
		if err != nil {
			return err
		}
		for _, h := range heights {
			if suffix == imageSuffix && h == image && image <= last || suffix == logSuffix && h >= image && h <= last {
				continue
			}
			if err := os.Remove(t.path(h, suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("the tree's files: %w", err)
			}
		}
	}
	return nil
}

// append writes the changes of a block.
func (t *treeFiles) append(height uint64, root tree.Hash, changes []Change) error {
	b := binary.BigEndian.AppendUint64(t.buf[:0], height)
	b = append(b, root[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(changes)))
	for i := range changes {
		c := &changes[i]
		if c.Delete {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = append(append(b, c.Path[:]...), c.ValueHash[:]...)
	}
	b = binary.BigEndian.AppendUint32(b, castagnoli(b))
	t.buf = b
	if _, err := t.file.Write(b); err != nil {
		return fmt.Errorf("the tree's log: %w", err)
	}
	t.size += int64(len(b))
	return nil
}

// makeImage makes an image of the newest version beside the blocks, if one is due and none is in the making. What fails is logged and tried again when the
// logs have doubled.
func (t *treeFiles) makeImage(f *forest) error {
	t.mu.Lock()
	t.size, t.done = t.size-t.done, 0
	due := t.wanted || t.size >= max(t.least, t.bytes/imagePart, 2*t.tried)
	start := due && !t.making && !t.quit
	t.making = t.making || start
	t.mu.Unlock()
	if !start {
		return nil
	}
	v, ok := f.acquire(f.newest().height)
	if !ok {
		panic("state: the newest version is not readable") // bug
	}
	if v.Height() > t.from {
		if err := t.begin(v.Height()); err != nil {
			v.Release()
			t.made(0, 0, t.size)
			return err
		}
	}
	t.wanted = false
	before := t.size
	go func() {
		defer v.Release()
		size, err := t.writeImage(v)
		if err == nil {
			err = t.clean(v.Height(), math.MaxUint64)
		}
		if err == nil {
			t.made(v.Height(), size, before)
			return
		}
		t.made(0, 0, before)
		if !errors.Is(err, ErrClosed) {
			t.log.Warn("no image of the tree: a start will take longer", "height", v.Height(), "err", err)
		}
	}()
	return nil
}

// made notes what came of an image for which logs of so many bytes stood; height 0: nothing.
func (t *treeFiles) made(height uint64, size, before int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.making = false; height > 0 {
		t.image, t.bytes, t.done, t.tried = height, size, before, 0
	} else {
		t.tried = before
	}
	t.ended.Broadcast()
}

func (t *treeFiles) stopping() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.quit
}

// writeImage writes an image under another name, syncs it and gives it its own.
func (t *treeFiles) writeImage(v *Version) (size int64, err error) {
	making := t.path(v.Height(), makingSuffix)
	f, err := os.OpenFile(making, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(making)
		}
	}()
	const piece = 1 << 20
	buf := append(make([]byte, 0, piece+leafLen), imageMagic...)
	buf = binary.BigEndian.AppendUint64(buf, v.Height())
	root := v.Root()
	buf = binary.BigEndian.AppendUint64(append(buf, root[:]...), v.Len())
	n := 0
	if err := v.leaves(func(l *tree.Leaf) error {
		if n++; n%4096 == 0 && t.stopping() {
			return ErrClosed
		}
		buf = append(append(buf, l.Path[:]...), l.ValueHash[:]...)
		if len(buf) < piece {
			return nil
		}
		_, err := f.Write(buf)
		buf = buf[:0]
		return err
	}); err != nil {
		return 0, err
	}
	if _, err := f.Write(buf); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return int64(imageHeadLen + n*leafLen), os.Rename(making, t.path(v.Height(), imageSuffix))
}

// close ends what is in the making. Nothing needs to be written.
func (t *treeFiles) close() {
	t.mu.Lock()
	t.quit = true
	for t.making {
		t.ended.Wait()
	}
	t.mu.Unlock()
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
}
