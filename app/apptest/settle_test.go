package apptest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/xtest"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestSettleLooksOnce: however many records of a firm leave publicity in a block, its applications for repair are looked through as often as for one.
func TestSettleLooksOnce(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1, Checks: true})
	s.must("enrol firm=A")
	const n = 12
	for no := 1; no <= n; no++ {
		s.must(fmt.Sprintf("record by=zz-scjg firm=A no=%d fine=120000", no))
		s.must(fmt.Sprintf("publish by=zz-scjg firm=A no=%d", no))
	}
	s.GoTo(mustDate(t, "2026-10-19"))
	for no := 1; no <= n; no++ {
		s.must(fmt.Sprintf("commit by=zz-scjg firm=A code=410100202610190000%02d type=4 accepted", no))
		s.must(fmt.Sprintf("apply by=ops issuer=zz-scjg firm=A no=%d application=XY-%d commitment=410100202610190000%02d", no, no, no))
	}
	mem, ctx := xtest.NewMemory(), &x.Ctx{Today: s.Today(), Touched: map[string]struct{}{}}
	ctx.State = mem
	s.Read(func(r x.Reader) {
		for _, table := range x.Tables() {
			r.Iterate([]byte{table.Prefix}, nil, func(key, value []byte) bool {
				mem.Set(key, value)
				return true
			})
		}
		repair.Each(r, USCC("91410100", "Y00100"), func(a *pb.Repair) bool {
			ctx.Moved = append(ctx.Moved, x.Moved{Subject: a.Subject, Record: a.Target})
			return true
		})
	})
	before := mem.Clone()
	repair.Settle(ctx)
	if len(ctx.Moved) != n || ctx.Looked > 2*n || !mem.Equal(before) {
		t.Fatalf("for %d records %d applications were looked at; %d times each is enough, and nothing was to change", len(ctx.Moved), ctx.Looked, 2)
	}
	s.must("withdraw by=zz-scjg firm=A no=1")
	if out := s.line(t, "repair firm=A issuer=zz-scjg no=1 application=XY-1"); !strings.Contains(out, "MOOT") {
		t.Fatal(out)
	}
}
