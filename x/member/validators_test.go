package member_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestValidatorsHaveABound: a vote must not make a set that the engine has no room for, since no block could end with it.
func TestValidatorsHaveABound(t *testing.T) {
	s := newScript(t)
	row := func(i int) pb.Member {
		key := sha256.Sum256(fmt.Appendf(nil, "validator %d", i))
		return pb.Member{
			Uscc: code.CompleteUSCC("11410000", fmt.Sprintf("%08d", 1000+i)), Name: "样例机关", Level: pb.LEVEL_PROVINCE,
			Keys:         []*pb.MemberKey{{Address: key[:20], Roles: []pb.Role{pb.ROLE_GOVERNOR}}},
			ValidatorKey: key[:], ValidatorPower: 1,
		}
	}
	g := &pb.Genesis{}
	for i := range pb.ValidatorsMax {
		g.Members = append(g.Members, row(i))
	}
	if err := member.Import(s.ctx, g); err != nil {
		t.Fatal(err)
	}
	more := row(pb.ValidatorsMax)
	if err, ok := member.CheckPut(s.ctx, s.ctx.Today, &more).(*x.Rejection); !ok || !err.Is(x.ErrTooMany) {
		t.Errorf("one validator too many: %v", err)
	}
	more.ValidatorPower = 0
	if err := member.CheckPut(s.ctx, s.ctx.Today, &more); err != nil {
		t.Errorf("a member that runs none: %v", err)
	}
	if again := row(7); member.CheckPut(s.ctx, s.ctx.Today, &again) != nil {
		t.Error("a validator that stands cannot be put again")
	}
}
