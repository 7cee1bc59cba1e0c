package inspection

import (
	"bytes"
	"fmt"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Check holds INS-1 to INS-3.
func Check(r x.Reader) (err error) {
	want := map[string]*pb.InspectionPlan{} // by plan
	total := 0
	plans.Each(r, func(_ []byte, p *pb.InspectionPlan) bool {
		list := Candidates(r, p.Id)
		digest := ListDigest(list)
		switch {
		case len(list) != int(p.Candidates):
			err = fmt.Errorf("INS-1: plan %x counts %d candidates, %d stand", p.Id, p.Candidates, len(list))
		case p.ListDigest != nil && !bytes.Equal(digest[:], p.ListDigest):
			err = fmt.Errorf("INS-1: the list of plan %x is not the sealed one", p.Id)
		case p.Seed != nil:
			err = checkDrawn(r, p)
			total += int(p.Drawn)
		}
		want[string(p.Id)] = p
		return err == nil
	})
	if err != nil {
		return err
	}
	n := 0
	inspections.All(r, func(uscc string, i *pb.Inspection) bool {
		n++
		if p := want[string(i.Plan)]; p == nil || p.Seed == nil || i.Subject != uscc {
			err = fmt.Errorf("INS-2: inspection %x of %s belongs to no drawn plan", i.Id, uscc)
		}
		return err == nil
	})
	if err == nil && n != total {
		err = fmt.Errorf("INS-2: %d inspections stand, %d were drawn", n, total)
	}
	return err
}

func checkDrawn(r x.Reader, p *pb.InspectionPlan) error {
	drawn := Redraw(r, p)
	if len(drawn) != int(p.Drawn) {
		return fmt.Errorf("INS-2: plan %x counts %d drawn, the lots give %d", p.Id, p.Drawn, len(drawn))
	}
	counts := make([]uint32, resultsCount)
	for _, d := range drawn {
		i, ok := Find(r, ID(p.Issuer, p.Id, d.Subject))
		if !ok || i.Class != d.Class || !slices.Equal(i.Team, d.Team) {
			return fmt.Errorf("INS-2: plan %x: the lots give another inspection of %s", p.Id, d.Subject)
		}
		if i.Result != 0 {
			counts[i.Result-1]++
		}
	}
	if !slices.Equal(counts, p.Results) {
		return fmt.Errorf("INS-3: plan %x counts %v, its inspections give %v", p.Id, p.Results, counts)
	}
	return nil
}
