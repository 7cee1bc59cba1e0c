package inspection_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

var update = flag.Bool("update", false, "write testdata/draw.json again; a changed line is another draw: ask for a second reader")

type vector struct {
	Note       string             `json:"note"`
	Seed       string             `json:"seed"`
	Plan       string             `json:"plan"`
	Rates      []uint32           `json:"rates"`
	Inspectors uint32             `json:"inspectors"`
	Team       uint32             `json:"team"`
	List       []pb.Candidate     `json:"list"`
	ListDigest string             `json:"list_digest"`
	Drawn      []inspection.Drawn `json:"drawn"`
}

// TestDrawVector holds the draw against its frozen vector.
func TestDrawVector(t *testing.T) {
	seed, plan := bytes.Repeat([]byte{7}, 32), inspection.PlanID("11410105Y00001094R", "SJ-2026-07")
	v := vector{
		Note: "Made-up sample; see DRAW.md.", Seed: hex.EncodeToString(seed), Plan: hex.EncodeToString(plan), Rates: []uint32{10, 50, 334, 1000}, Inspectors: 5, Team: 2,
	}
	for i := range 24 {
		v.List = append(v.List, pb.Candidate{Subject: code.CompleteUSCC("91410100", fmt.Sprintf("Y%05d00", 100+i)), Class: uint32(1 + i%4)})
	}
	d := inspection.ListDigest(v.List)
	v.ListDigest, v.Drawn = hex.EncodeToString(d[:]), inspection.Draw(seed, plan, v.Rates, v.Inspectors, v.Team, v.List)
	if *update {
		raw, err := json.MarshalIndent(v, "", " ")
		if err != nil || os.WriteFile("testdata/draw.json", append(raw, '\n'), 0o644) != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile("testdata/draw.json")
	if err != nil {
		t.Fatal(err)
	}
	var have vector
	if err := json.Unmarshal(raw, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, v) {
		t.Errorf("the draw is another one: %+v, frozen %+v", v, have)
	}
	if n := len(v.Drawn); n != 1+1+3+6 { // ⌈6·0.01⌉, ⌈6·0.05⌉, ⌈6·0.334⌉, 6
		t.Errorf("%d are drawn", n)
	}
}
