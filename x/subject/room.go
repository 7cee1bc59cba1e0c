package subject

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
)

// Room in a file (档案容量). A standing, a snapshot and much of a block cost by the rows of one subject, and who may record may record without end. So there is
// a bound on the rows that members add to a file:
//
//   - A file of fewer than pb.FileCommon versions is open to all, and nobody counts. Nearly every file ends there: its head, which is written anyway, says so.
//   - From there on the rows that a member adds are counted, and it has room for file_rows_member_max. So nobody takes the room of another.
//   - All members together have room for file_rows_max.
//
// What follows upon a row that stands (公示、修复、撤销、归档、销毁, the result of an objection) is never refused for want of room, and what it adds is not
// counted; a correction may have to wait for the next day (AdmitAgain). It is the member that signs whose room is taken: a mandate lends none, so that one key
// cannot fill a file in the names of many.
var room = x.Declare(x.TableInfo{
	Prefix: 0x36, Layout: "rows added uscc[18] member[18]; without a member: by all", Binding: x.Own, LeafOf: x.LeafOf{Key: roomLeafKey, Value: roomLeafValue},
})

// The leaf of a count: key 'Q' ‖ HMAC(K, row key), as that of a file: nobody without the chain's secret can tell whose it is, or that a file is long.
func roomLeafKey(secret, key []byte) []byte {
	return x.MAC(append(make([]byte, 0, 1+sha256.Size), 'Q'), secret, key)
}

func roomLeafValue(_, _, row []byte) [32]byte { return tree.ValueHash(row) }

// Admit takes room in a subject's file for rows that a message adds, or refuses.
func Admit(ctx *x.Ctx, uscc string, rows int) error { return admit(ctx, uscc, rows, true) }

// AdmitOwn is Admit for what must not depend on what others have added: what a firm objects to, what its repair asks for, the key in place of a lost one, a
// court's ruling, and what turns a row that stands back and forth. The signer's own room bounds it alone.
func AdmitOwn(ctx *x.Ctx, uscc string, rows int) error { return admit(ctx, uscc, rows, false) }

// AdmitAgain is for what must always be possible and could be done again without end, as a correction: it takes room, and where there is none it is done
// once a day. today: it was done today already.
func AdmitAgain(ctx *x.Ctx, uscc string, today bool) error {
	r := lacking(ctx, uscc, ctx.Member, 1, false)
	switch {
	case r == nil:
		Added(ctx, uscc, ctx.Member, 1)
	case today:
		return r.On(ctx.Today.AddDays(1))
	}
	return nil
}

func admit(ctx *x.Ctx, uscc string, rows int, bounded bool) error {
	if r := lacking(ctx, uscc, ctx.Member, rows, bounded); r != nil {
		return r
	}
	Added(ctx, uscc, ctx.Member, rows)
	return nil
}

// HasRoom refuses what Admit would refuse of a member, and takes nothing: for a row that a timer adds later.
func HasRoom(r x.Reader, uscc, member string) error {
	if r := lacking(r, uscc, member, 1, true); r != nil {
		return r
	}
	return nil
}

// Added counts rows that a member has added. Where nobody counts it does nothing.
func Added(ctx *x.Ctx, uscc, member string, rows int) {
	if FileSize(ctx, uscc) < pb.FileCommon {
		return
	}
	for _, of := range []string{member, ""} {
		ctx.Set(roomKey(uscc, of), binary.BigEndian.AppendUint64(nil, AddedBy(ctx, uscc, of)+uint64(rows)))
	}
}

// AddedBy is how many rows a member has added to a file since its rows are counted; without a member: all of them.
func AddedBy(r x.Reader, uscc, member string) uint64 {
	raw, ok := x.Peek(r, roomKey(uscc, member))
	if !ok {
		return 0
	}
	if len(raw) != 8 {
		x.Faultf("the count of rows that %q added to the file of %s has %d bytes", member, uscc, len(raw))
	}
	return binary.BigEndian.Uint64(raw)
}

func roomKey(uscc, member string) []byte { return x.Key(room.Prefix, []byte(uscc), []byte(member)) }

// lacking says what room a member lacks; nil: none.
func lacking(r x.Reader, uscc, member string, rows int, bounded bool) *x.Rejection {
	if FileSize(r, uscc) < pb.FileCommon {
		return nil
	}
	// A count is at most what a parameter once was, and rows are those of one message: no sum is too large.
	most, all := uint64(catalog.Int(r, "file_rows_member_max")), uint64(catalog.Int(r, "file_rows_max"))
	switch {
	case AddedBy(r, uscc, member)+uint64(rows) > most:
		return full(x.ErrTooMany.With("%s has added as many rows to the file of %s as one member may, %d", member, uscc, most))
	case bounded && AddedBy(r, uscc, "")+uint64(rows) > all:
		return full(x.ErrTooMany.With("members have added as many rows to the file of %s as they may, %d", uscc, all))
	}
	return nil
}

// full gives E_LIMIT the rule of files.
func full(r *x.Rejection) *x.Rejection {
	r.Rule, r.Remedy = "[D], file_rows_member_max, file_rows_max", "look at what was recorded of the subject; if all of it is right, have governance raise the parameter"
	return r
}

// FileSize is the number of versions in a subject's file, without a look at the peaks of its head.
func FileSize(r x.Reader, uscc string) uint64 {
	raw, ok := x.Peek(r, HeadKey(uscc))
	if !ok {
		return 0
	}
	if len(raw) == 0 || raw[0] != headSize { // the first field is the size: no file is empty
		x.Faultf("the head of the file of %s has no size", uscc)
	}
	size, _ := binary.Uvarint(raw[1:])
	return size
}

// checkRoom is SUB-5: the counts stand for long files alone and add up.
func checkRoom(r x.Reader) (err error) {
	sum := map[string]uint64{}
	r.Iterate([]byte{room.Prefix}, nil, func(key, raw []byte) bool {
		if len(key) != 19 && len(key) != 37 || len(raw) != 8 || bytes.Equal(raw, make([]byte, 8)) {
			err = fmt.Errorf("SUB-5: the count of rows under %x is damaged", key)
			return false
		}
		uscc, n := string(key[1:19]), binary.BigEndian.Uint64(raw)
		switch size := FileSize(r, uscc); {
		case size < pb.FileCommon || n > size-pb.FileCommon:
			err = fmt.Errorf("SUB-5: %d rows are counted in the file of %s, which has %d versions", n, uscc, size)
		case len(key) == 37:
			sum[uscc] -= n // wraps around, and back
		default:
			sum[uscc] += n
		}
		return err == nil
	})
	for uscc, rest := range sum { // DETERMINISM: a check; whichever file is wrong, the answer is that one is
		if err == nil && rest != 0 {
			err = fmt.Errorf("SUB-5: the rows that members added to the file of %s are not what is counted of all", uscc)
		}
	}
	return err
}
