package apptest

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// USCC completes a synthetic unified social credit code from its first eight characters and the start of its body.
func USCC(first8, body string) string {
	for len(body) < 8 {
		body += "0"
	}
	s := code.CompleteUSCC(first8, body[:8])
	if s == "" {
		panic("no code begins with " + first8 + body)
	}
	return s
}

// memberRow is a copy of a member's row.
func memberRow(r x.Reader, uscc string) *pb.Member {
	m, ok := member.Get(r, uscc)
	if !ok {
		panic("no member " + uscc)
	}
	return m
}
