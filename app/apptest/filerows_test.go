package apptest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// TestFileRowsHaveOneForm: rows of a file that come from outside are taken in the one form that this program writes.
func TestFileRowsHaveOneForm(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1})
	firm := USCC("91410100", "Y00100")
	for _, line := range []string{"enrol firm=A", "record by=zz-scjg firm=A no=1 fine=1000", "publish by=zz-scjg firm=A no=1"} {
		s.must(line)
	}
	var rows []subject.Row
	var head []byte
	s.Read(func(r x.Reader) {
		subject.EachFileRow(r, firm, func(key, value []byte) bool {
			rows = append(rows, subject.Row{Key: bytes.Clone(key), Value: bytes.Clone(value)})
			return true
		})
		raw, _ := r.Get(subject.HeadKey(firm))
		head = bytes.Clone(raw)
	})
	must(t, subject.CheckFileRows(firm, head, rows))
	last := len(rows) - 1 // a record: its number in the file goes before it
	seq, n := binary.Uvarint(rows[last].Value)
	if n != 1 || seq == 0 {
		t.Fatalf("row %x has number %d in %d bytes", rows[last].Key, seq, n)
	}
	for _, wrong := range []struct {
		value []byte
		want  string
	}{
		{slices.Concat([]byte{byte(seq) | 0x80, 0}, rows[last].Value[1:]), "has no file number"}, // the same number in two bytes
		{nil, "has no file number"},
		{bytes.Repeat([]byte{0xff}, 11), "has no file number"},
		{slices.Concat(rows[last].Value, []byte{0}), "is not the newest version"},
		{slices.Concat([]byte{byte(seq) - 1}, rows[last].Value[1:]), "is not the newest version"},
	} {
		changed := slices.Clone(rows)
		changed[last].Value = wrong.value
		if err := subject.CheckFileRows(firm, head, changed); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%x: %v, want %q", wrong.value[:min(8, len(wrong.value))], err, wrong.want)
		}
	}
	if err := subject.CheckFileRows(firm, head[:len(head)-1], rows); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a head without its last byte: %v", err)
	}
}

// must runs a command that has to succeed.
func (s *Script) must(line string) {
	s.tb.Helper()
	if out := s.command(line); out != "OK" {
		s.tb.Fatalf("%s: %s", line, out)
	}
}
