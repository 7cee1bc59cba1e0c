package subject

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// TestHeadIsItsMessage: a head is written as the generated code writes pb.FileHead, in the room that there is for it, and read back; a byte more or less is a fault.
func TestHeadIsItsMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f tree.Frontier
		for i := range rapid.IntRange(0, 300).Draw(t, "size") {
			f.Append(tree.ValueHash([]byte{byte(i), byte(i >> 8)}))
		}
		h := &pb.FileHead{Size_: f.Size}
		for i := range f.Peaks {
			h.Peaks = append(h.Peaks, f.Peaks[i][:])
		}
		raw := appendHead(nil, f)
		if want := x.EncodeRow(h); !bytes.Equal(raw, want) {
			t.Fatalf("%d entries: %x, the generated code writes %x", f.Size, raw, want)
		}
		if len(raw) > headMax(f) {
			t.Fatalf("%d entries: %d bytes, more than %d", f.Size, len(raw), headMax(f))
		}
		if back := decodeHead(raw); back.Size != f.Size || !slices.Equal(back.Peaks, f.Peaks) {
			t.Fatalf("%d entries are read as %d", f.Size, back.Size)
		}
		if cut := rapid.IntRange(1, max(1, len(raw))).Draw(t, "cut"); len(raw) > 0 && cut < len(raw) && !faults(raw[:cut]) {
			t.Fatalf("%d bytes of %x pass", cut, raw)
		}
		if !faults(append(raw, rapid.Byte().Draw(t, "more"))) {
			t.Fatalf("a byte behind %x passes", raw)
		}
	})
}

func faults(raw []byte) (yes bool) {
	defer func() {
		err, ok := recover().(x.Fault)
		yes = ok && errors.Is(err, tree.ErrFrontier)
	}()
	decodeHead(raw)
	return false
}
