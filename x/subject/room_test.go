package subject_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/subject"
	"github.com/xinlian-ledger/xinlian/x/xtest"
)

const firm = "91410100Y000000160"

// TestRoomAgainstModel: members add rows to a file in any order, and some of it is undone. No member ever adds more than its room, all together no more than
// the file has, whoever has room left and needs no other's is let in, and what is refused changes nothing.
func TestRoomAgainstModel(t *testing.T) {
	t.Parallel()
	const most, all = 7, 16
	rapid.Check(t, func(t *rapid.T) {
		mem := xtest.NewMemory()
		for name, value := range map[string]int64{"file_rows_member_max": most, "file_rows_max": all} {
			mem.Set(x.Key(0x20, []byte(name)), x.EncodeRow(&pb.Param{Name: name, Value: value}))
		}
		size := uint64(rapid.IntRange(pb.FileCommon-6, pb.FileCommon).Draw(t, "size"))
		grow := func(rows int) { // what is admitted is written
			size += uint64(rows)
			mem.Set(subject.HeadKey(firm), x.EncodeRow(&pb.FileHead{Size_: size}))
		}
		grow(0)
		ctx := &x.Ctx{State: mem, Today: 20_000}
		added, sum := map[string]int{}, 0
		for range rapid.IntRange(1, 60).Draw(t, "acts") {
			ctx.Member = fmt.Sprintf("11410100Y00000%03d%d", rapid.IntRange(0, 5).Draw(t, "member"), 0)
			rows, before, how := rapid.IntRange(1, 3).Draw(t, "rows"), mem.Clone(), rapid.IntRange(0, 3).Draw(t, "how")
			counted := size >= pb.FileCommon
			own := !counted || added[ctx.Member]+rows <= most
			want, takes := own && (!counted || sum+rows <= all), true
			var err error
			switch how {
			case 0, 1:
				err = subject.Admit(ctx, firm, rows)
			case 2:
				want, err = own, subject.AdmitOwn(ctx, firm, rows)
			case 3:
				rows = 1
				today := rapid.Bool().Draw(t, "today")
				takes = !counted || added[ctx.Member] < most
				want, err = takes || !today, subject.AdmitAgain(ctx, firm, today)
				var r *x.Rejection
				if errors.As(err, &r) && r.PassesOn != ctx.Today+1 {
					t.Fatalf("it passes on %s", r.PassesOn)
				}
			}
			switch {
			case (err == nil) != want || err != nil && !errors.Is(err, x.ErrTooMany):
				t.Fatalf("%s has %d of %d rows, %d more: %v", ctx.Member, added[ctx.Member], sum, rows, err)
			case err != nil && !mem.Equal(before):
				t.Fatal("a refusal changed something")
			case err != nil:
				continue
			case rapid.IntRange(0, 4).Draw(t, "undone") == 0:
				mem.Rows = before.Rows
				continue
			}
			if counted && takes {
				added[ctx.Member], sum = added[ctx.Member]+rows, sum+rows
			}
			grow(rows)
			if got := subject.AddedBy(mem, firm, ctx.Member); added[ctx.Member] > most || got != uint64(added[ctx.Member]) {
				t.Fatalf("%d rows of %s are counted, it has added %d", got, ctx.Member, added[ctx.Member])
			}
			if err := subject.CheckRoom(mem); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestRoomIsHeld: SUB-5 finds counts that do not add up, and counts of a file that is too short for them.
func TestRoomIsHeld(t *testing.T) {
	t.Parallel()
	for _, wrong := range []func(mem *xtest.Memory, of, all []byte){
		func(mem *xtest.Memory, of, _ []byte) { mem.Delete(of) },
		func(mem *xtest.Memory, _, all []byte) { mem.Set(all, []byte{0, 0, 0, 0, 0, 0, 0, 3}) },
		func(mem *xtest.Memory, _, all []byte) { mem.Set(all, make([]byte, 8)) },
		func(mem *xtest.Memory, of, _ []byte) { mem.Set(of, []byte{2}) },
		func(mem *xtest.Memory, _, _ []byte) {
			mem.Set(subject.HeadKey(firm), x.EncodeRow(&pb.FileHead{Size_: pb.FileCommon + 1}))
		},
	} {
		mem := xtest.NewMemory()
		mem.Set(subject.HeadKey(firm), x.EncodeRow(&pb.FileHead{Size_: pb.FileCommon + 2}))
		ctx := &x.Ctx{State: mem}
		subject.Added(ctx, firm, firm, 2)
		if err := subject.CheckRoom(mem); err != nil {
			t.Fatal(err)
		}
		wrong(mem, x.Key(0x36, []byte(firm), []byte(firm)), x.Key(0x36, []byte(firm)))
		if err := subject.CheckRoom(mem); err == nil {
			t.Error("nothing was found")
		}
	}
}

// TestRoomLeaf: the leaf of a count is the one of x/standing/FORMAT.md.
func TestRoomLeaf(t *testing.T) {
	t.Parallel()
	secret, key, row := []byte("secret"), append([]byte{0x36}, firm...), []byte{0, 0, 0, 0, 0, 0, 0, 2}
	m := hmac.New(sha256.New, secret)
	m.Write(key)
	leaf, value, ok := x.LeafOfRow(secret, key, row)
	if !ok || string(leaf) != "Q"+string(m.Sum(nil)) || value != sha256.Sum256(row) {
		t.Fatalf("%x %x", leaf, value)
	}
}
