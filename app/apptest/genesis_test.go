package apptest

import (
	"context"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestGenesisIsHeld: what is wrong in a genesis is named, and no chain begins with it.
func TestGenesisIsHeld(t *testing.T) {
	t.Parallel()
	c := New(t, Options{Apps: 1})
	firm := pb.Subject{Uscc: USCC("91410100", "Y00100"), Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE}
	with := func(s pb.Subject, change func(*pb.Subject)) pb.Subject { change(&s); return s }
	item := pb.BusinessItem{Code: "B-1", Name: "事项"}
	for want, edit := range map[string]func(g *pb.Genesis){
		"": func(g *pb.Genesis) {
			g.Subjects, g.BusinessItems = append(g.Subjects, firm), append(g.BusinessItems, item)
		},
		"has 18 characters": func(g *pb.Genesis) {
			g.Subjects = append(g.Subjects, with(firm, func(s *pb.Subject) { s.Uscc = "1" }))
		},
		"is not in the region table": func(g *pb.Genesis) {
			g.Subjects = append(g.Subjects, with(firm, func(s *pb.Subject) { s.Region = "419999" }))
		},
		firm.Uscc + " stands twice":      func(g *pb.Genesis) { g.Subjects = append(g.Subjects, firm, firm) },
		"item M01 version 1 stands":      func(g *pb.Genesis) { g.MeasureItems = append(g.MeasureItems, g.MeasureItems[0]) },
		"list ZX version 1 stands twice": func(g *pb.Genesis) { g.ListStandards = append(g.ListStandards, g.ListStandards[0]) },
		"list HN28 version 1 stands":     func(g *pb.Genesis) { g.IncentiveLists = append(g.IncentiveLists, g.IncentiveLists[0]) },
		"list HN28: 依据 is empty":         func(g *pb.Genesis) { g.IncentiveLists[0].Basis = "" },
		"B-1 stands twice":               func(g *pb.Genesis) { g.BusinessItems = append(g.BusinessItems, item, item) },
		"item M01: 依据 is empty":          func(g *pb.Genesis) { g.MeasureItems[0].Basis = "" },
		"list ZX: 依据 is empty":           func(g *pb.Genesis) { g.ListStandards[0].Basis = "" },
		"E_BUSINESS":                     func(g *pb.Genesis) { g.BusinessItems = append(g.BusinessItems, pb.BusinessItem{Code: "B-2"}) },
		"list HN28: a mark is":           func(g *pb.Genesis) { g.IncentiveLists[0].NameConfidence = 99 },
		"incentives: character 2":        func(g *pb.Genesis) { g.Members[7].Competences[0].Incentives = []string{"a!"} },
		"which is no member":             func(g *pb.Genesis) { g.Members[7].Successor = firm.Uscc },
	} {
		g := c.Genesis()
		edit(g)
		raw, err := app.GenesisJSON(g)
		must(t, err)
		a, err := app.New(app.Options{InMemory: true, ChainID: c.Chain})
		must(t, err)
		req := c.initChain()
		req.AppStateBytes = raw
		_, err = a.InitChain(context.Background(), req)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, InitChain says %v", want, err)
		}
		must(t, a.Close())
	}
}
