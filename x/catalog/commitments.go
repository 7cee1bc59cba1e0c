package catalog

import (
	"bytes"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// What commitments rest on: their templates (承诺书模板, GB/T 46277) and the items of business (业务事项) that they are made for.

// Bounds on the two tables; those on a single row stand in pb.
const (
	templateTypes    = 7   // commitment types 0..6
	templatesMax     = 512 // versions of all types
	businessItemsMax = 8192
)

var (
	// Commitment templates, by type and version.
	templates = x.NewTable[pb.CommitmentTemplate](0x22, "templates: type[1] version[4]", x.Leaf)
	// Items of business, by code.
	businessItems = x.NewTable[pb.BusinessItem](0x28, "business items: code", x.Leaf)
)

func templateKey(kind, version uint32) []byte { return append([]byte{byte(kind)}, be32(version)...) }

// Template finds a version of a commitment template, closed or not.
func Template(r x.Reader, kind, version uint32) (*pb.CommitmentTemplate, bool) {
	if kind >= templateTypes {
		return nil, false
	}
	return templates.Get(r, templateKey(kind, version))
}

// TemplateOn finds the version that a commitment made on a day must use: the highest one that is not closed and had begun. None: the consortium
// has no template of this type for that day, and the acceptor's own serves.
func TemplateOn(r x.Reader, kind uint32, made calendar.Date) (found *pb.CommitmentTemplate, ok bool) {
	if kind >= templateTypes {
		return nil, false
	}
	templates.Each(r, func(_ []byte, t *pb.CommitmentTemplate) bool {
		if !t.Closed && t.ValidFrom <= int32(made) {
			found, ok = t, true
		}
		return true
	}, []byte{byte(kind)})
	return found, ok
}

// Asks says whether a template asks for a field.
func Asks(t *pb.CommitmentTemplate, f pb.TemplateField) bool {
	for _, have := range t.Asks {
		if have == f {
			return true
		}
	}
	return false
}

// EachTemplate visits the templates by type and version.
func EachTemplate(r x.Reader, fn func(*pb.CommitmentTemplate) (more bool)) {
	templates.Each(r, func(_ []byte, t *pb.CommitmentTemplate) bool { return fn(t) })
}

// BusinessItem finds an item of business, to look at alone.
func BusinessItem(r x.Reader, code string) (*pb.BusinessItem, bool) {
	if code == "" {
		return nil, false
	}
	return businessItems.Look(r, []byte(code))
}

// ListsBusiness says whether the catalogue lists any item of business. What is not named then cannot be looked up.
func ListsBusiness(r x.Reader) (any bool) {
	businessItems.Each(r, func([]byte, *pb.BusinessItem) bool { any = true; return false })
	return any
}

// ExcludedBy says which field closes an item to commitment in place of proof (告知承诺); EXCLUDED_NONE: it is open (G3, H2 art 34).
func ExcludedBy(r x.Reader, b *pb.BusinessItem) pb.ExcludedField {
	if b.Excluded == pb.EXCLUDED_HEALTH_SAFETY && !Bool(r, "free_list_excludes_health_safety") {
		return pb.EXCLUDED_NONE
	}
	return b.Excluded
}

// EachBusinessItem visits the items by code.
func EachBusinessItem(r x.Reader, fn func(*pb.BusinessItem) (more bool)) {
	businessItems.Each(r, func(_ []byte, b *pb.BusinessItem) bool { return fn(b) })
}

func checkTemplate(t *pb.CommitmentTemplate) error {
	if t.Type >= templateTypes {
		return x.ErrEnum.With("commitment type %d is not defined", t.Type)
	}
	if t.Version == 0 {
		return ErrTemplate.With("versions of a template begin at 1")
	}
	if err := x.CheckDate(t.ValidFrom, "valid_from", true); err != nil {
		return err
	}
	if !ascending(t.Asks, pb.FIELD_VALID_UNTIL, pb.FIELD_LICENCE) {
		return ErrTemplate.With("the fields that a template asks for are 1 to %d, ascending", pb.FIELD_LICENCE)
	}
	if t.Type != 1 && Asks(t, pb.FIELD_LICENCE) {
		return ErrTemplate.With("only type 1 审批替代型 leads to a licence")
	}
	return x.CheckDigest(t.TextDigest, "text_digest", false)
}

func checkTemplateChange(r x.Reader, t *pb.CommitmentTemplate) error {
	if err := checkTemplate(t); err != nil {
		return err
	}
	// Commitments name type and version: another text, or other fields, would change what firms have signed (INV-25).
	if old, ok := Template(r, t.Type, t.Version); ok {
		same := *t
		same.Closed = old.Closed
		if !bytes.Equal(x.EncodeRow(old), x.EncodeRow(&same)) {
			return ErrTemplate.With("template type %d version %d stands with another text, day or fields", t.Type, t.Version)
		}
		return nil
	}
	n := 0
	EachTemplate(r, func(*pb.CommitmentTemplate) bool { n++; return true })
	if n >= templatesMax {
		return x.ErrTooMany.With("there are %d templates, the most there may be", n)
	}
	return nil
}

func putTemplate(s x.State, t *pb.CommitmentTemplate) {
	templates.Put(s, t, templateKey(t.Type, t.Version))
}

func checkBusinessItem(b *pb.BusinessItem) error {
	if err := x.CheckToken(b.Code, "business code", false); err != nil {
		return err
	}
	if b.Excluded < 0 || b.Excluded > pb.EXCLUDED_FOREIGN {
		return x.ErrEnum.With("item %s: the field that excludes it is 0 to %d", b.Code, pb.EXCLUDED_FOREIGN)
	}
	return checkLine(b.Name, "item "+b.Code+": name", pb.NameMax, ErrBusinessItem)
}

func checkBusinessItemChange(r x.Reader, b *pb.BusinessItem) error {
	if err := checkBusinessItem(b); err != nil {
		return err
	}
	if _, ok := BusinessItem(r, b.Code); ok {
		return nil
	}
	n := 0
	EachBusinessItem(r, func(*pb.BusinessItem) bool { n++; return true })
	if n >= businessItemsMax {
		return x.ErrTooMany.With("there are %d items of business, the most there may be", n)
	}
	return nil
}

func putBusinessItem(s x.State, b *pb.BusinessItem) { businessItems.Put(s, b, []byte(b.Code)) }
