package client

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

func TestReadMessage(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	var w pb.WithdrawRecord
	texts, err := ReadMessage([]byte(`{"issuer":"I","record":"0x`+digest+`","reason":"撤销","authority_digest":"`+digest+`"}`), &w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Texts{"reason_digest": {"reason": "撤销"}}, texts); diff != "" {
		t.Error(diff)
	}
	if len(w.Record) != 32 || len(w.AuthorityDigest) != 32 || w.Issuer != "I" || w.ReasonDigest != nil {
		t.Errorf("%+v", w)
	}
	if err := SetDigest(&w, "reason_digest", [32]byte{7}); err != nil || w.ReasonDigest[0] != 7 {
		t.Error(err, w.ReasonDigest)
	}

	var s pb.SubmitCommitment
	texts, err = ReadMessage([]byte(`{"issuer":"I","content":{"code":"41","type":4,"made_on":"2026-10-19","valid_until":"","publication":1,
		"text":{"reason":"a","content":"b"}},"accepted":true}`), &s)
	if err != nil || s.Content.MadeOn == 0 || s.Content.ValidUntil != 0 || s.Content.Type != 4 || !s.Accepted {
		t.Errorf("%+v %v", s, err)
	}
	if texts["content.text_digest"]["content"] != "b" {
		t.Errorf("texts: %v", texts)
	}
	if err := SetDigest(&s, "content.text_digest", [32]byte{9}); err != nil || s.Content.TextDigest[0] != 9 {
		t.Error(err)
	}

	var p pb.Propose
	if _, err = ReadMessage([]byte(`{"issuer":"I","action":{"put_member":{"uscc":"U","level":"county","keys":[{"address":"`+strings.Repeat("01", 20)+`",
		"roles":["record","ROLE_VERIFY",5],"valid_from":"2026-01-01"}],"competences":[{"penalty_kinds":[1,3],"regions":["410100"]}]}}}`), &p); err != nil {
		t.Fatal(err)
	}
	m := p.Action.GetPutMember()
	if m == nil || m.Level != pb.LEVEL_COUNTY || len(m.Keys) != 1 || !cmp.Equal(m.Keys[0].Roles, []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_REVIEW}) {
		t.Errorf("%+v", m)
	}
}

// An act is known by the digest of a text that goes nowhere; the content of a correction is a message in it, with texts of its own.
func TestReadMessageOfActAndCorrection(t *testing.T) {
	var f pb.FileCase
	texts, err := ReadMessage([]byte(`{"subject":"S","act":"2026-07-01 示例路1号"}`), &f)
	want := code.ActDigest("2026-07-01示例路1号")
	if err != nil || len(texts) != 0 || !cmp.Equal(f.ActDigest, want[:]) {
		t.Errorf("%+v %v %v", f, texts, err)
	}
	if _, err := ReadMessage([]byte(`{"act":{"day":"2026-07-01"}}`), &f); err == nil || !strings.Contains(err.Error(), "act is not a string") {
		t.Error(err)
	}

	var c pb.CorrectRecord
	texts, err = ReadMessage([]byte(`{"reason":"录入有误","other":{"issuer":"I","text":"事实"}}`), &c)
	if err != nil || c.Other == nil || c.Other.Issuer != "I" || c.Penalty != nil || len(texts) != 2 {
		t.Fatalf("%+v %v %v", c, texts, err)
	}
	if err := SetDigest(&c, "other.text_digest", [32]byte{5}); err != nil || c.Other.TextDigest[0] != 5 {
		t.Error(err)
	}
}

func TestReadMessageRefuses(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`[]`, "no JSON object"},
		{`{"issuer":1}`, "issuer is not a string"},
		{`{"isuer":"I"}`, `no field "isuer"`},
		{`{"issuer":"I","issuer":"J"}`, "stands twice"},
		{`{"repair":"xyz"}`, "hexadecimal"},
		{`{"notice_served_on":"2026-02-30"}`, "date"},
		{`{"notice_served_on":20000}`, "date"},
		{`{"statement":"1"}`, "whole number"},
		{`{"statement":-1}`, "whole number"},
		{`{"reason":""}`, "empty"},
		{`{"issuer":"I"} {}`, "no JSON object"},
	} {
		_, err := ReadMessage([]byte(c.json), new(pb.RevokeRepair))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.json, err, c.want)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte(`{"issuer":"I","action":{"put_member":{"uscc":"U"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p pb.Propose
		_, _ = ReadMessage(raw, &p)
	})
}
