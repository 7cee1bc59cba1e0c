package gateway

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/xinlian-ledger/xinlian/node/lang"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// checkJSON answers an agency that is about to act on a firm (信用核查, 名单比对): what the public may know of it, and what of the list of measures this
// agency carries out against it or is called on to. Only records in publicity are spoken of, so a firm whose record was repaired is answered about
// as one that never had it.
type checkJSON struct {
	Agency   string              `json:"agency"`
	Standing attest.StandingJSON `json:"standing"`
	Measures []openingJSON       `json:"measures"`
	AsOf     asOf                `json:"as_of"`
}

// openingJSON is a measure that runs, or that may or must be carried out.
type openingJSON struct {
	Measure string  `json:"measure"`
	Source  string  `json:"source"`
	Item    string  `json:"item"`
	Matter  *string `json:"matter"` // null: no version of the item is in force
	Means   *string `json:"means"`
	Basis   *string `json:"basis"`
	State   string  `json:"state"` // announced: called for; applied: carried out
	Called  bool    `json:"called"`
	Until   *string `json:"until"` // null: as long as its record is in publicity
	// Refusal is what stands against carrying it out today; null: it may be, or is.
	Refusal *whyJSON `json:"refusal"`
}

// whyJSON is a refusal within an answer.
type whyJSON struct {
	Code     string  `json:"code"`
	Number   uint32  `json:"number"`
	Rule     string  `json:"rule"`
	Detail   string  `json:"detail"`
	Remedy   string  `json:"remedy"`
	PassesOn *string `json:"passes_on"`
}

func whyOf(l lang.Language, err error) *whyJSON {
	var r *x.Rejection
	if !errors.As(err, &r) {
		return nil
	}
	return &whyJSON{
		Code: r.Code, Number: r.Number, Rule: r.Rule, Detail: detail(l, r), Remedy: lang.Ledger().Text(l, r.Remedy), PassesOn: day(int32(r.PassesOn)),
	}
}

// check answers a member about a firm.
func (c *call) check() error {
	uscc, err := c.uscc()
	if err != nil {
		return err
	}
	l := languageOf(c.r)
	v := checkJSON{Agency: c.who.member.Uscc, Measures: []openingJSON{}}
	err = c.newest(func(r x.Reader, as asOf) error {
		raw, ok := standing.Get(r, uscc)
		if !ok {
			return refuse(http.StatusNotFound, subject.ErrUnknown.With("the subject is not enrolled; that says nothing about it")).at(as)
		}
		s := new(pb.Standing)
		if err := pb.Decode(raw, s); err != nil {
			return fmt.Errorf("the standing of a subject does not decode: %w", err)
		}
		v.Standing, v.AsOf = *attest.StandingView(s), as
		for _, o := range measure.Open(r, uscc, c.who.member.Uscc, c.who.today, sanction.MeasureSource) {
			v.Measures = append(v.Measures, opening(l, o))
		}
		return nil
	})
	if err != nil {
		return err
	}
	inWords(c.w.Header(), l)
	return c.json(http.StatusOK, v)
}

func opening(l lang.Language, o measure.Opening) openingJSON {
	m := o.Measure
	j := openingJSON{
		Measure: hexOf(m.Id), Source: hexOf(m.Source), Item: m.Item, State: word(measureStates, int32(m.State)), Called: m.Implementer == "",
		Until: day(int32(o.Until)), Refusal: whyOf(l, o.Why),
	}
	if o.Item != nil {
		j.Matter, j.Means, j.Basis = &o.Item.Matter, &o.Item.Means, &o.Item.Basis
	}
	return j
}

// measureItemJSON is a version of an item of the list of measures (失信惩戒措施清单).
type measureItemJSON struct {
	Code       string   `json:"code"`
	Version    uint32   `json:"version"`
	InForce    bool     `json:"in_force"`
	Group      string   `json:"group"`
	Matter     string   `json:"matter"`
	Object     string   `json:"object"`
	Means      string   `json:"means"`
	Body       string   `json:"body"`
	Basis      string   `json:"basis"`
	BasisLevel string   `json:"basis_level"`
	Sources    []string `json:"sources"`
	ClassMin   *string  `json:"class_min"`
	Lists      []string `json:"lists"`
	Categories []uint32 `json:"categories"`
	AtOnce     bool     `json:"at_once"`
	MonthsMax  uint32   `json:"months_max"`
	Elsewhere  bool     `json:"elsewhere"`
	Marks      []string `json:"marks"` // how well the text behind name and basis was read: C, P, M, D
	ValidFrom  *string  `json:"valid_from"`
	ValidTo    *string  `json:"valid_to"`
}

// listStandardJSON is a version of the standard of a list of serious dishonesty (严重失信主体名单认定标准).
type listStandardJSON struct {
	Code         string   `json:"code"`
	Version      uint32   `json:"version"`
	InForce      bool     `json:"in_force"`
	Name         string   `json:"name"`
	System       string   `json:"system"`
	Basis        string   `json:"basis"`
	BasisLevel   string   `json:"basis_level"`
	TermMonths   uint32   `json:"term_months"`
	EarlyMonths  uint32   `json:"early_months"`
	Court        bool     `json:"court"`
	Consent      bool     `json:"consent"`
	NeedsPenalty bool     `json:"needs_penalty"`
	Marks        []string `json:"marks"`
	ValidFrom    *string  `json:"valid_from"`
	ValidTo      *string  `json:"valid_to"`
}

var (
	measureGroups = []string{pb.MEASURE_GROUP_RIGHTS: "rights", pb.MEASURE_GROUP_MANAGEMENT: "management", pb.MEASURE_GROUP_MARKET: "market"}
	basisLevels   = []string{
		pb.BASIS_LAW: "law", pb.BASIS_REGULATION: "regulation", pb.BASIS_LOCAL_REGULATION: "local_regulation",
		pb.BASIS_CENTRAL_POLICY: "central_policy", pb.BASIS_DEPARTMENT_RULE: "department_rule",
	}
	marks = []string{pb.CONFIDENCE_CONFIRMED: "C", pb.CONFIDENCE_PARTLY: "P", pb.CONFIDENCE_MEMORY: "M", pb.CONFIDENCE_DECIDED: "D"}
)

// measureItems lists the items of measures, by code and version: what may be done to whom is for everybody to see.
func (c *call) measureItems() error {
	v := struct {
		Items []measureItemJSON `json:"items"`
		AsOf  asOf              `json:"as_of"`
	}{Items: []measureItemJSON{}}
	err := c.proven(func(r x.Reader, as asOf) error {
		v.AsOf = as
		today, err := as.legalDay()
		catalog.EachMeasureItem(r, func(m *pb.MeasureItem) bool {
			now, ok := catalog.MeasureItemOn(r, m.Code, today)
			j := measureItemJSON{
				Code: m.Code, Version: m.Version, InForce: ok && now.Version == m.Version, Group: word(measureGroups, int32(m.Group)),
				Matter: m.Matter, Object: m.Object, Means: m.Means, Body: m.Body, Basis: m.Basis, BasisLevel: word(basisLevels, int32(m.BasisLevel)),
				Sources: []string{}, ClassMin: stated(m.ClassMin), Lists: append([]string{}, m.Lists...), Categories: append([]uint32{}, m.Categories...),
				AtOnce: m.AtOnce, MonthsMax: m.MonthsMax, Elsewhere: m.Elsewhere,
				Marks:     []string{word(marks, int32(m.NameConfidence)), word(marks, int32(m.BasisConfidence))},
				ValidFrom: day(m.ValidFrom), ValidTo: day(m.ValidTo),
			}
			for _, k := range m.Sources {
				j.Sources = append(j.Sources, word(dishonestyKinds, int32(k)))
			}
			v.Items = append(v.Items, j)
			return true
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// listStandards lists the standards of lists, by code and version.
func (c *call) listStandards() error {
	v := struct {
		Lists []listStandardJSON `json:"lists"`
		AsOf  asOf               `json:"as_of"`
	}{Lists: []listStandardJSON{}}
	err := c.proven(func(r x.Reader, as asOf) error {
		v.AsOf = as
		today, err := as.legalDay()
		catalog.EachListStandard(r, func(l *pb.ListStandard) bool {
			now, ok := catalog.ListStandardOn(r, l.Code, today)
			v.Lists = append(v.Lists, listStandardJSON{
				Code: l.Code, Version: l.Version, InForce: ok && now.Version == l.Version, Name: l.Name, System: l.System,
				Basis: l.Basis, BasisLevel: word(basisLevels, int32(l.BasisLevel)), TermMonths: l.TermMonths, EarlyMonths: l.EarlyMonths,
				Court: l.Court, Consent: l.Consent, NeedsPenalty: l.NeedsPenalty,
				Marks:     []string{word(marks, int32(l.NameConfidence)), word(marks, int32(l.TermsConfidence))},
				ValidFrom: day(l.ValidFrom), ValidTo: day(l.ValidTo),
			})
			return true
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}
