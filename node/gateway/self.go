package gateway

import (
	"net/http"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// selfJSON tells a member how the chain knows it: who it is, what its key may do, and in whose name.
type selfJSON struct {
	USCC      string        `json:"uscc"`
	Name      string        `json:"name"`
	Key       string        `json:"key"`
	Address   string        `json:"address"`
	Roles     []string      `json:"roles"`
	ValidFrom *string       `json:"valid_from"`
	ValidTo   *string       `json:"valid_to"`
	Mandates  []mandateJSON `json:"mandates"`
	AsOf      asOf          `json:"as_of"`
}

type mandateJSON struct {
	Issuer    string   `json:"issuer"`
	Kinds     []string `json:"kinds"`
	ValidFrom *string  `json:"valid_from"`
	ValidTo   *string  `json:"valid_to"`
}

var roleWords = []string{
	pb.ROLE_GOVERNOR: "governor", pb.ROLE_REGISTRY: "registry", pb.ROLE_RECORD: "record", pb.ROLE_VERIFY: "verify",
	pb.ROLE_REVIEW: "review", pb.ROLE_AGENT: "agent", pb.ROLE_AUDITOR: "auditor",
	pb.ROLE_GATEWAY: "gateway", pb.ROLE_LENDER: "lender", pb.ROLE_EVALUATE: "evaluate",
}

var mandateWords = []string{
	pb.MANDATE_PENALTY: "penalty", pb.MANDATE_PUBLISH: "publish", pb.MANDATE_COMMITMENT: "commitment", pb.MANDATE_FULFILLMENT: "fulfillment",
	pb.MANDATE_DISHONESTY: "dishonesty",
}

// self answers a member about itself: its programs need to know in whose name a key acts.
func (c *call) self() error {
	if c.who == nil || c.who.firm != "" {
		return refuse(http.StatusUnauthorized, ErrAudience)
	}
	var v selfJSON
	err := c.newest(func(r x.Reader, as asOf) error {
		v = selfJSON{
			USCC: c.who.member.Uscc, Name: c.who.member.Name, Key: c.who.key.Name, Address: "0x" + hexOf(c.who.key.Address),
			Roles: []string{}, ValidFrom: day(c.who.key.ValidFrom), ValidTo: day(c.who.key.ValidTo), Mandates: []mandateJSON{}, AsOf: as,
		}
		for _, role := range c.who.key.Roles {
			v.Roles = append(v.Roles, word(roleWords, int32(role)))
		}
		member.EachMandate(r, "", func(m *pb.Mandate) bool {
			if m.Submitter != c.who.member.Uscc {
				return true
			}
			j := mandateJSON{Issuer: m.Issuer, Kinds: []string{}, ValidFrom: day(m.ValidFrom), ValidTo: day(m.ValidTo)}
			for _, k := range m.Kinds {
				j.Kinds = append(j.Kinds, word(mandateWords, int32(k)))
			}
			v.Mandates = append(v.Mandates, j)
			return true
		})
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// paramJSON is a parameter with its value in force, its bounds and where it comes from.
type paramJSON struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Value   int64  `json:"value"`
	Default int64  `json:"default"`
	Min     int64  `json:"min"`
	Max     int64  `json:"max"`
	Unit    string `json:"unit"`
	Source  string `json:"source"`
	Meaning string `json:"meaning"`
}

type paramsJSON struct {
	Params []paramJSON `json:"params"`
	AsOf   asOf        `json:"as_of"`
}

// params lists the parameters in force: the rules by which everybody is judged are for everybody to see.
func (c *call) params() error {
	v := paramsJSON{Params: []paramJSON{}}
	err := c.proven(func(r x.Reader, as asOf) error {
		v.AsOf = as
		for _, p := range catalog.Params {
			v.Params = append(v.Params, paramJSON{
				Name: p.Name, Label: p.Label, Value: catalog.Int(r, p.Name), Default: p.Default, Min: p.Min, Max: p.Max,
				Unit: p.Unit, Source: p.Source, Meaning: p.Meaning,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}
