package intake

import (
	"errors"
	"io"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// The current list of 信用中国 (公示核对, INV-42). All rows of a firm are one message: what it leaves out is held back from every answer, so that a list with
// a row that cannot be read is not sent at all. A firm of which nothing is shown has one row with kind, agency and number empty.

// shownKinds are words for the four kinds of record.
var shownKinds = words{"行政处罚 (penalty)、严重失信主体名单 (list)、经营异常名录 (abnormal)、其他失信信息 (other)", map[string]uint32{
	"":        0,
	"penalty": 1, "行政处罚": 1, "行政处罚信息": 1, "处罚": 1,
	"list": 2, "严重失信主体名单": 2, "严重失信": 2, "失信名单": 2, "黑名单": 2,
	"abnormal": 3, "经营异常名录": 3, "异常名录": 3, "经营异常": 3,
	"other": 4, "其他失信信息": 4, "其他": 4, "其他失信": 4,
}}

// kindWords name the kinds in record ids (x/sanction.ID).
var kindWords = []string{pb.DISHONESTY_PENALTY: "penalty", pb.DISHONESTY_LIST: "list", pb.DISHONESTY_ABNORMAL: "abnormal", pb.DISHONESTY_OTHER: "other"}

// shown maps a row of the list by itself; gather puts the rows of a firm together.
func (m *mapper) shown(person bool) {
	if f, s := m.cell("subject_uscc"); person && s == "" {
		m.refuse(CodeNaturalPerson, f, "is empty and the row names a natural person's document instead")
		return
	}
	m.category("subject_category", true)
	subject := m.uscc("subject_uscc", false)
	if m.failed() {
		return
	}
	m.row.Key, m.row.Issuer = subject, m.opts.Issuer
	list := &pb.Reconcile{Issuer: m.opts.Issuer, Subject: subject, AsOf: int32(m.date("as_of", false))}
	kind := pb.DishonestyKind(m.word("kind", CodeValue, shownKinds))
	if f, s := m.trimmed("doc_no"); kind == pb.DISHONESTY_UNSET {
		if _, agency := m.trimmed("issuer_uscc"); s != "" || agency != "" {
			m.refuse(CodeValue, f, "stands in a row without a kind")
		}
	} else {
		issuer, docNo := m.uscc("issuer_uscc", false), m.docNo("doc_no")
		list.Shown = []pb.ShownRecord{{Kind: kind, Issuer: issuer, DocNo: docNo}}
		if !m.failed() {
			id := x.RecordID(kindWords[kind], issuer, docNo, subject)
			m.row.Record = id[:]
		}
	}
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_Reconcile{Reconcile: list}}}
}

// gather reads the whole file and puts the rows of each firm into the message of its first one.
func (r *Reader) gather() error {
	for {
		row, err := r.one()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r.gathered = append(r.gathered, row)
	}
	// First what is wrong: a row of its own, or two rows of a firm against each other.
	first := map[string]*pb.Reconcile{}
	broken := map[string]int{} // firm → a row of its list that is refused
	lost := 0                  // a row whose firm cannot be read
	count := map[string]int{}
	for i := range r.gathered {
		row := &r.gathered[i]
		if row.Refusal == nil {
			list, one := row.Messages[0].GetReconcile(), first[row.Key]
			if count[row.Key]++; one == nil {
				first[row.Key] = list
			} else if one.AsOf != list.AsOf {
				row.Refusal = refuse(CodeIncomplete, "the rows of the firm are of two days")
			} else if len(one.Shown) == 0 || len(list.Shown) == 0 {
				row.Refusal = refuse(CodeIncomplete, "one row says that nothing of the firm is shown, another what is")
			} else if count[row.Key] > pb.ShownMax {
				row.Refusal = refuse(CodeIncomplete, "the firm has more than %d rows", pb.ShownMax)
			}
		}
		switch {
		case row.Refusal == nil || row.Refusal.Code == CodeNaturalPerson:
		case row.Key == "" && lost == 0:
			lost = row.Number
		case row.Key != "" && broken[row.Key] == 0:
			broken[row.Key] = row.Number
		}
	}
	r.named = map[string]bool{}
	for i := range r.gathered {
		if row := &r.gathered[i]; row.Key != "" {
			r.named[row.Key] = true
		}
	}
	r.asOf = theDay(first)
	if lost != 0 {
		r.asOf = 0
	}
	// Then what is sent.
	lead := map[string]*Row{}
	for i := range r.gathered {
		row := &r.gathered[i]
		if row.Refusal == nil {
			switch bad := broken[row.Key]; {
			case bad != 0:
				row.Refusal = refuse(CodeIncomplete, "row %d of the same firm is refused", bad)
			case lost != 0:
				row.Refusal = refuse(CodeIncomplete, "the firm of row %d cannot be read, and may be this one", lost)
			}
		}
		if row.Refusal != nil {
			row.Messages = nil
			continue
		}
		one := lead[row.Key]
		if one == nil {
			lead[row.Key] = row
			continue
		}
		list, entry := one.Messages[0].GetReconcile(), row.Messages[0].GetReconcile().Shown[0]
		if slices.Contains(list.Shown, entry) {
			row.Notes = append(row.Notes, "stands twice in the list")
		} else {
			list.Shown = append(list.Shown, entry)
		}
		row.Of, row.Messages = one.Number, nil
	}
	return nil
}

// theDay is the day of which all lists are; 0 where there are several, or none.
func theDay(lists map[string]*pb.Reconcile) (day int32) {
	for _, list := range lists {
		if day != 0 && day != list.AsOf {
			return 0
		}
		day = list.AsOf
	}
	return day
}

// Scope says what a list of 信用中国 that was read to its end is about: the firms that it names, refused or not, and the day of which all of it is; 0 where
// there are several, or where the firm of a row cannot be read.
func (r *Reader) Scope() (named map[string]bool, asOf int32) { return r.named, r.asOf }

// nextGathered gives the rows that gather has read.
func (r *Reader) nextGathered() (Row, error) {
	if !r.whole {
		if err := r.gather(); err != nil {
			return Row{}, err
		}
		r.whole = true
	}
	if len(r.gathered) == 0 {
		return Row{}, r.err
	}
	row := r.gathered[0]
	r.gathered = r.gathered[1:]
	return row, nil
}
