package gateway_test

import (
	"strings"
	"testing"
)

type check struct {
	Agency   string
	Standing struct{ Penalties []struct{ Record string } }
	Measures []struct {
		Item, State, Source string
		Matter, Basis       *string
		Called              bool
		Refusal             *struct{ Code, Detail string }
	}
}

// The check of a firm follows its record: what is in publicity, what an agency is called on to do, what it does, and nothing once the record
// has left publicity: then the firm is answered about like one that never had it (INV-03).
func TestCheck(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
	ask := func(by, firm string) (c check) {
		t.Helper()
		a := w.get(by, "/v1/checks/"+w.firm(firm))
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		a.into(t, &c)
		return c
	}
	if c := ask("js-rsj", "a"); len(c.Standing.Penalties)+len(c.Measures) != 0 {
		t.Errorf("a registered record shows in a check: %+v", c)
	}
	w.do("publish by=ops issuer=zz-scjg firm=a no=7", "announce by=zz-scjg firm=a no=7 item=M12")
	c := ask("js-rsj", "a")
	if len(c.Standing.Penalties) != 1 || c.Agency != w.Actors["js-rsj"].USCC {
		t.Errorf("%+v", c)
	}
	if len(c.Measures) != 1 || c.Measures[0].Item != "M12" || c.Measures[0].State != "announced" || !c.Measures[0].Called || c.Measures[0].Source != w.penalty("a", "7") {
		t.Fatalf("%+v", c.Measures)
	}
	// Not final yet: the answer says what stands against it, in the language of the reader.
	if r := c.Measures[0].Refusal; r == nil || r.Code != "E_NOT_FINAL" {
		t.Errorf("%+v", c.Measures[0])
	}
	var zh check
	w.get("js-rsj", "/v1/checks/"+w.firm("a"), "Accept-Language", "zh").into(t, &zh)
	if r := zh.Measures[0].Refusal; r == nil || r.Code != "E_NOT_FINAL" || r.Detail == c.Measures[0].Refusal.Detail {
		t.Errorf("%+v", r)
	}
	w.want(w.get("", "/v1/checks/"+w.firm("a")), 401, "E_AUDIENCE")
	w.want(w.get("js-rsj", "/v1/checks/"+w.firm("nobody")), 404, "E_SUBJECT_UNKNOWN")
	w.want(w.get("js-rsj", "/v1/checks/1"), 400, "E_USCC_LEN")

	const type4 = "41010020261012000001"
	w.do("on 2026-10-19", "commit by=zz-scjg firm=a code="+type4+" type=4 accepted", "apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment="+type4,
		"accept-repair by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1")
	a, b := w.get("js-rsj", "/v1/checks/"+w.firm("a")), w.get("js-rsj", "/v1/checks/"+w.firm("b"))
	if w.shape("a", a) != strings.ReplaceAll(w.shape("b", b), w.firm("b"), "FIRM") {
		t.Errorf("after the repair a check tells the firm from a clean one:\n%s%s", a.body, b.body)
	}
}

// The list of measures and the standards of lists are for everybody.
func TestListsOfTheCatalogue(t *testing.T) {
	w := newWorld(t)
	w.Block()
	w.Block()
	var items struct {
		Items []struct {
			Code, Basis string
			InForce     bool `json:"in_force"`
			Marks       []string
		}
	}
	w.public("/v1/measure-items").into(t, &items)
	var lists struct {
		Lists []struct {
			Code, Name string
			InForce    bool `json:"in_force"`
		}
	}
	w.public("/v1/list-standards").into(t, &lists)
	inForce := 0
	for _, i := range items.Items {
		if i.Basis == "" || len(i.Marks) != 2 {
			t.Errorf("%+v", i)
		}
		if i.InForce {
			inForce++
		}
	}
	if inForce < 14 || len(lists.Lists) == 0 || lists.Lists[0].Name == "" {
		t.Errorf("%d items in force, lists %+v", inForce, lists)
	}
}
