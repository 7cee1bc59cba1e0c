package attest

import (
	"bytes"
	"encoding/hex"
	"math/rand"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// plain is a well-formed bundle that proves nothing.
func plain() *pb.Bundle {
	h := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	return &pb.Bundle{
		Header: &pb.Header{
			ChainId: "test-form", Height: 9, TimeSeconds: 1, AppHash: h(1), ValidatorsHash: h(2), NextValidatorsHash: h(3), Proposer: make([]byte, 20),
		},
		Commit:     &pb.Commit{PartsTotal: 1, PartsHash: h(4), Signers: []byte{0x80}, Signatures: make([]byte, 64), Times: []int64{5}},
		Validators: &pb.ValidatorSet{PubKeys: h(5), Powers: []int64{1}},
		Catalog:    make([]byte, 40), Log: h(6), Pack: h(7),
		Entries: []pb.Entry{
			{Subject: "91410100Y000000160", Standing: bytes.Repeat([]byte{9}, 200), Salt: h(8)},
			{Subject: "52419001Y00000040A"},
		},
		Shape: []byte{1}, Hashes: h(9),
	}
}

// TestDecodersAgree changes the state part in many ways: the decoder for known blocks must accept exactly what the other accepts, and
// read the same. So for a bundle that carries its block and for one that only names it.
func TestDecodersAgree(t *testing.T) {
	named := plain()
	named.Known = &pb.HeaderRef{Height: 9, Hash: bytes.Repeat([]byte{3}, 32)}
	named.Header, named.Commit, named.Validators = nil, nil, nil
	for name, b := range map[string]*pb.Bundle{"whole": plain(), "header-known": named} {
		t.Run(name, func(t *testing.T) { decodersAgree(t, EncodeBundle(b)) })
	}
}

func decodersAgree(t *testing.T, raw []byte) {
	cut, e := open(raw)
	if e != nil {
		t.Fatal(e)
	}
	check := func(in []byte) bool {
		c, err := open(in)
		if err != nil || c != cut || !bytes.Equal(in[:cut], raw[:cut]) {
			return false
		}
		var one, two pb.Bundle
		e1, e2 := decode(in, &one), decodeState(in, cut, &two)
		if (e1 == nil) != (e2 == nil) || e1 != nil && e1.Code != e2.Code {
			t.Fatalf("%s:\nwhole: %v\nstate: %v", hex.EncodeToString(in[cut:]), e1, e2)
		}
		if e1 == nil {
			two.Header, two.Commit, two.Validators, two.Steps = one.Header, one.Commit, one.Validators, one.Steps
			if !bytes.Equal(pb.Encode(&one), pb.Encode(&two)) {
				t.Fatalf("%s is read in two ways", hex.EncodeToString(in[cut:]))
			}
		}
		return e1 == nil
	}
	if !check(raw) {
		t.Fatal("the sample itself is refused")
	}
	tried, passed := 0, 0
	for i := cut; i < len(raw); i++ {
		for _, b := range []byte{raw[i] ^ 1, raw[i] ^ 0x80, 0, 0x0a, 0x2a, 0x42, 0x4a, 0x5a, 0xff} {
			in := bytes.Clone(raw)
			in[i] = b
			tried++
			if check(in) {
				passed++
			}
		}
	}
	r := rand.New(rand.NewSource(5))
	fields := [][]byte{{0x5a, 2, 8, 1}, {0x5a, 0}, {0x2a, 0}, {0x42, 0}, {0x0a, 0}, {0x52, 0}, {0x1a, 0}, {0x22, 0}, {0x42, 2, 0x0a, 0}, {0x80}, {0x00}}
	for range 20000 {
		in := bytes.Clone(raw)
		for range 1 + r.Intn(2) {
			at := cut + r.Intn(len(in)-cut+1)
			switch r.Intn(4) {
			case 0: // insert
				in = append(in[:at:at], append(bytes.Clone(fields[r.Intn(len(fields))]), in[at:]...)...)
			case 1: // drop
				to := min(at+1+r.Intn(40), len(in))
				in = append(in[:at:at], in[to:]...)
			case 2: // repeat
				to := min(at+1+r.Intn(40), len(in))
				in = append(in[:to:to], in[at:]...)
			case 3: // a longer form of a number
				if at < len(in) && in[at] < 0x80 {
					in = append(in[:at:at], append([]byte{in[at] | 0x80, 0}, in[at+1:]...)...)
				}
			}
			if len(in) <= cut {
				break
			}
		}
		tried++
		if check(in) {
			passed++
		}
	}
	t.Logf("%d changes, %d of them well formed", tried, passed)
	if passed == 0 {
		t.Error("no change is ever well formed: nothing is compared")
	}
}
