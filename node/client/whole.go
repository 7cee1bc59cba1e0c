package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Rest is what became of the firms that a whole list of 信用中国 does not name.
type Rest struct {
	Firms    int // with something in publicity
	Said     int // the ledger was told, or knew, that nothing of them is shown
	Refused  int
	Refusals []Refused
}

// Refused is a firm of which the ledger was not told.
type Refused struct {
	Subject string
	Reason  string
}

// pageOfSubjects and askers bound the walk over all enrolled firms.
const (
	pageOfSubjects = 1000
	askers         = 4
)

// SayRest tells the ledger that 信用中国 shows nothing of the firms that a whole list does not name: of those with something in publicity; of the others
// there is nothing to say. The records are held back, until it shows them or their recognisers act (INV-42).
func (c *Client) SayRest(ctx context.Context, issuer string, named map[string]bool, asOf int32) (*Rest, error) {
	rest := new(Rest)
	for after := ""; ; {
		raw, err := c.Subjects(ctx, after, pageOfSubjects)
		if err != nil {
			return rest, err
		}
		var page struct {
			Subjects []string `json:"subjects"`
			Next     *string  `json:"next"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return rest, fmt.Errorf("the gateway answered no list of subjects: %w", err)
		}
		firms, err := c.inPublicity(ctx, page.Subjects, named)
		if err != nil {
			return rest, err
		}
		rest.Firms += len(firms)
		if err := c.sayNothing(ctx, issuer, firms, asOf, rest); err != nil {
			return rest, err
		}
		if page.Next == nil {
			return rest, nil
		}
		after = *page.Next
	}
}

// inPublicity gives those of the firms that are not named and whose standing shows a record of dishonesty, in their order.
func (c *Client) inPublicity(ctx context.Context, firms []string, named map[string]bool) ([]string, error) {
	shown, errs := make([]bool, len(firms)), make([]error, askers)
	var wg sync.WaitGroup
	for a := range askers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := a; i < len(firms) && errs[a] == nil; i += askers {
				if !named[firms[i]] {
					shown[i], errs[a] = c.shown(ctx, firms[i])
				}
			}
		}()
	}
	wg.Wait()
	var out []string
	for i, s := range shown {
		if s {
			out = append(out, firms[i])
		}
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Client) shown(ctx context.Context, uscc string) (bool, error) {
	raw, err := c.Subject(ctx, uscc)
	if err != nil {
		return false, err
	}
	var v struct {
		Counts struct {
			Penalties, Lists, Abnormal, Others uint32
		} `json:"counts"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return false, fmt.Errorf("the gateway answered no standing: %w", err)
	}
	n := v.Counts
	return n.Penalties+n.Lists+n.Abnormal+n.Others > 0, nil
}

// sayNothing sends an empty list for each firm. A refused one is dropped and the rest sent again.
func (c *Client) sayNothing(ctx context.Context, issuer string, firms []string, asOf int32, rest *Rest) error {
	for len(firms) > 0 {
		n := min(listsATime, len(firms))
		batch := firms[:n]
		firms = firms[n:]
		for len(batch) > 0 {
			msgs := make([]pb.Msg, len(batch))
			for i, f := range batch {
				msgs[i] = pb.Msg{Sum: &pb.Msg_Reconcile{Reconcile: &pb.Reconcile{Issuer: issuer, Subject: f, AsOf: asOf}}}
			}
			o, err := c.Send(ctx, msgs...)
			if err != nil {
				return err
			}
			if !o.Refused() {
				rest.Said += len(batch)
				break
			}
			if half := len(batch) / 2; o.Code == codeTooLarge && half > 0 {
				firms, batch = append(slices.Clone(batch[half:]), firms...), batch[:half]
				continue
			}
			if len(o.Results) != len(batch) {
				return o.Err()
			}
			var left []string
			for i := range o.Results {
				if r := &o.Results[i]; r.Refused() {
					rest.Refused++
					rest.Refusals = append(rest.Refusals, Refused{batch[i], r.Error()})
				} else {
					left = append(left, batch[i])
				}
			}
			if len(left) == len(batch) {
				return o.Err()
			}
			batch = left
		}
	}
	return nil
}
