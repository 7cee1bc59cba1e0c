package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

// The draw is made again from what a node says: a list, a seed or a name that was exchanged is found.
func TestDrawIsRecomputed(t *testing.T) {
	var list []pb.Candidate
	for i := range 20 {
		list = append(list, pb.Candidate{Subject: apptest.USCC("91410100", fmt.Sprintf("Y003%02d", i)), Class: uint32(1 + i%4)})
	}
	id, seed := inspection.PlanID("11410000Y00000032Q", "P-1"), []byte(strings.Repeat("s", 32))
	rates := []uint32{100, 200, 500, 1000}
	digest := inspection.ListDigest(list)
	view := func() map[string]any {
		v := map[string]any{
			"id": hex.EncodeToString(id), "plan_no": "P-1", "state": "drawn", "rates": rates, "inspectors": 6, "team": 2,
			"list_digest": hex.EncodeToString(digest[:]), "seed": hex.EncodeToString(seed), "drawn_at": 5,
		}
		var candidates, inspected []map[string]any
		for _, c := range list {
			candidates = append(candidates, map[string]any{"subject": c.Subject, "class": c.Class})
		}
		for _, d := range inspection.Draw(seed, id, rates, 6, 2, list) {
			inspected = append(inspected, map[string]any{"subject": d.Subject, "class": d.Class, "team": d.Team, "record": ""})
		}
		v["candidates"], v["inspected"] = candidates, inspected
		return v
	}
	hash := hex.EncodeToString(seed)
	for _, tc := range []struct {
		name   string
		change func(v map[string]any)
		hash   string
		code   int
		says   string
	}{
		{"as it was", func(map[string]any) {}, hash, 0, ""},
		{"another candidate", func(v map[string]any) { v["candidates"].([]map[string]any)[3]["class"] = 1 }, hash, 1, "the list has digest"},
		{"another block", func(map[string]any) {}, strings.Repeat("0", 64), 1, "block 5 has hash"},
		{"another firm", func(v map[string]any) { v["inspected"].([]map[string]any)[0]["subject"] = "91410100Y000000160" }, hash, 1, "the lots name"},
		{"one less", func(v map[string]any) { v["inspected"] = v["inspected"].([]map[string]any)[1:] }, hash, 1, "the lots name"},
		{"another inspector", func(v map[string]any) { v["inspected"].([]map[string]any)[0]["team"] = []uint32{7, 8} }, hash, 1, "the lots name"},
		{"not drawn", func(v map[string]any) { v["seed"] = "" }, hash, 1, "not drawn yet"},
		{"no list", func(v map[string]any) { delete(v, "candidates") }, hash, 1, "not for this key"},
	} {
		v := view()
		tc.change(v)
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := any(v)
			if strings.HasPrefix(r.URL.Path, "/v1/headers/") {
				answer = map[string]any{"hash": tc.hash}
			}
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				t.Error(err)
			}
		}))
		out, errs := xinlian(t, tc.code, "query", "inspection", "draw", hex.EncodeToString(id), "--recompute", "--node", node.URL, "--retry-for", "0s")
		node.Close()
		if !strings.Contains(errs, tc.says) || tc.code == 0 && !strings.Contains(out, "种子 seed") {
			t.Errorf("%s: %q %q", tc.name, out, errs)
		}
	}
}
