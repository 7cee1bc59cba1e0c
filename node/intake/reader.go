package intake

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/code"
)

const tokenMax = pb.TokenMax

// Digester salts and hashes texts; node/vault does.
type Digester interface {
	Digest(record [32]byte, texts map[string]string) [32]byte
}

// Options is what a file does not say.
type Options struct {
	Vault   Digester // needed but for kinds that are Bare
	Issuer  string   // of kinds that are Own: code of the member that enrols, that speaks for 信用中国, or that took the papers in
	Profile *Profile // may be nil
}

// Row is one row of the file, ready to be sent, or refused.
type Row struct {
	Number int // as a spreadsheet shows it; the header is row 1
	// Key says which thing the row is about. Two rows of one transaction with the same key would hide each other's outcome, so the
	// sender puts them into different ones. Empty where the row does not say.
	Key string
	// Record is the record id, 32 bytes; nil for subjects, for fulfillments (the chain's result names the commitment) and where
	// the row does not say.
	Record []byte
	// Issuer is the member in whose name the row is sent.
	Issuer string
	// Messages are sent together in their order: a row counts as recorded if all of them pass, as already recorded if all of them
	// were, as refused if one is. Empty for a refused row, and for one that the message of an earlier row says as well.
	Messages []pb.Msg
	// Of is the number of that earlier row, else 0: this row ends as that one does.
	Of int
	// Texts are to be stored in the vault before the messages are sent: a crash in between leaves words without a record, never a
	// record without its words. Empty for a refused row.
	Texts   []Text
	Notes   []string
	Refusal *Refusal
}

// Text is one set of words for the vault.
type Text struct {
	Record [32]byte
	Digest [32]byte
	Fields map[string]string
}

// Reader gives the rows of a file in their order.
type Reader struct {
	kind   Kind
	opts   Options
	src    source
	header *header
	err    error
	given  int

	whole    bool  // credit-china: the file was read to its end
	gathered []Row // of it, what is not given yet
	named    map[string]bool
	asOf     int32
}

// Open opens a file and reads its header. An error is a *FileError: one line with code, rule and remedy.
func Open(path string, kind Kind, opts Options) (*Reader, error) {
	if fields[kind] == nil {
		return nil, fmt.Errorf("no kind of file is called %q", kind)
	}
	if opts.Vault == nil && !kind.Bare() {
		return nil, errors.New("the texts of this kind of file need a vault")
	}
	if kind.Own() {
		if err := code.CheckUSCC(opts.Issuer); err != nil {
			return nil, fmt.Errorf("the code of the member that sends the file: %w", err)
		}
	}
	src, err := openSource(path)
	if err != nil {
		return nil, err
	}
	r, err := newReaderOf(src, kind, opts)
	if err != nil {
		return nil, errors.Join(err, src.close())
	}
	return r, nil
}

func newReaderOf(src source, kind Kind, opts Options) (*Reader, error) {
	first, err := src.next()
	if errors.Is(err, io.EOF) {
		return nil, fileError(CodeFile, "check the file", "the file holds no header")
	}
	if err != nil {
		return nil, fileError(CodeFile, "check the file", "%v", err)
	}
	if first.refusal == nil {
		first.refusal = checkCells(first.cells)
	}
	if first.refusal != nil {
		return nil, fileError(CodeColumn, "write the titles into the first row", "the header cannot be read: %s", first.refusal.Reason)
	}
	// Blank columns at the end of a sheet are no columns.
	for len(first.cells) > 0 && foldTitle(first.cells[len(first.cells)-1]) == "" {
		first.cells = first.cells[:len(first.cells)-1]
	}
	h, err := readHeader(kind, first.cells, opts.Profile)
	if err != nil {
		return nil, err
	}
	return &Reader{kind: kind, opts: opts, src: src, header: h}, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.src.close() }

// Format says how the file was read, such as "CSV, GB18030".
func (r *Reader) Format() string { return r.src.format() }

// Total estimates the number of rows, for progress.
func (r *Reader) Total() int { return max(r.src.rows()-1, r.given) }

// Declared lists what the profile declares for all rows, as "field = value".
func (r *Reader) Declared() []string {
	var out []string
	for _, name := range r.header.names {
		out = append(out, r.header.byName[name].Label()+" = "+r.header.declared[name])
	}
	return out
}

// Next gives the next row; io.EOF after the last. Any other error is a *FileError: the file cannot be read further, and what came
// before it stands.
func (r *Reader) Next() (Row, error) {
	if r.kind == CreditChina {
		return r.nextGathered()
	}
	return r.one()
}

// one reads and maps the next row.
func (r *Reader) one() (Row, error) {
	if r.err != nil {
		return Row{}, r.err
	}
	raw, err := r.src.next()
	if err != nil {
		r.err = err
		if !errors.Is(err, io.EOF) {
			r.err = fileError(CodeFile, "save the file again and send it again: nothing is recorded twice", "after row %d the file cannot be read: %v", r.given+1, err)
		}
		return Row{}, r.err
	}
	r.given = raw.number - 1
	return r.mapRow(raw), nil
}

func (r *Reader) mapRow(raw rawRow) Row {
	row := Row{Number: raw.number, Refusal: raw.refusal}
	if row.Refusal == nil {
		row.Refusal = checkCells(raw.cells)
	}
	columns := len(r.header.columns)
	if row.Refusal == nil && len(raw.cells) > columns {
		if !blank(raw.cells[columns:]) {
			row.Refusal = refuse(CodeRow, "the row has %d cells, the header %d", len(raw.cells), columns)
		}
		raw.cells = raw.cells[:columns]
	}
	if row.Refusal == nil && len(raw.cells) < columns {
		if _, sheet := r.src.(*xlsxSource); !sheet {
			row.Refusal = refuse(CodeRow, "the row has %d cells, the header %d", len(raw.cells), columns)
		}
		// A sheet does not store blank cells at the end of a row.
		raw.cells = append(raw.cells, slices.Repeat([]string{""}, columns-len(raw.cells))...)
	}
	if row.Refusal != nil {
		return row
	}
	person := false
	for i, c := range r.header.columns {
		if c.drop {
			person = person || c.person && raw.cells[i] != ""
			raw.cells[i] = ""
		}
	}
	m := &mapper{h: r.header, cells: raw.cells, row: &row, opts: &r.opts}
	switch r.kind {
	case Subjects:
		m.subject()
	case Penalties:
		m.penalty(person)
	case Commitments:
		m.commitment(person)
	case Fulfillments:
		m.fulfillment()
	case Abnormal:
		m.abnormal(person)
	case Others:
		m.other(person)
	case Lists:
		m.listed(person)
	case CreditChina:
		m.shown(person)
	case Objections:
		m.objection()
	case Repairs:
		m.application()
	}
	if row.Refusal != nil {
		row.Messages, row.Texts = nil, nil
		if row.Refusal.Code == CodeNaturalPerson {
			row.Key, row.Record, row.Notes = "", nil, nil
		}
		return row
	}
	for _, name := range r.header.names {
		row.Notes = append(row.Notes, r.header.byName[name].Label()+" = "+strconv.Quote(r.header.declared[name])+" is declared by the profile")
	}
	return row
}

// keep adds a set of words to the row and gives its digest for the message.
func (m *mapper) keep(record [32]byte, texts map[string]string) []byte {
	digest := m.opts.Vault.Digest(record, texts)
	m.row.Texts = append(m.row.Texts, Text{Record: record, Digest: digest, Fields: texts})
	return digest[:]
}

func (m *mapper) identify(record [32]byte) {
	m.row.Record = record[:]
	m.row.Key = string(record[:])
}

// Record ids, as the rules derive them (x/sanction.ID, x/commitment.ID; a test holds them together). The words of an
// assessment are kept under an id of their own, since a fulfillments file does not say whose the commitment is.
func penaltyID(issuer, docNo, subject string) [32]byte {
	return x.RecordID("penalty", issuer, docNo, subject)
}

func abnormalID(issuer, docNo, subject string) [32]byte {
	return x.RecordID("abnormal", issuer, docNo, subject)
}

func listID(issuer, docNo, subject string) [32]byte {
	return x.RecordID("list", issuer, docNo, subject)
}

func listingID(issuer, list, noticeNo, subject string) [32]byte {
	return x.RecordID("listing", issuer, list+"/"+noticeNo, subject)
}

func otherID(issuer, docNo, subject string) [32]byte {
	return x.RecordID("other", issuer, docNo, subject)
}

func commitmentID(acceptor, code, subject string) [32]byte {
	return x.RecordID("commitment", acceptor, code, subject)
}

// AssessmentID is the vault's id for the words of an assessment (未履行的承诺内容, 违诺责任追究内容).
func AssessmentID(assessor, code string) [32]byte {
	return x.RecordID("assessment", assessor, code, "")
}

// IsFile tells whether an error speaks of the file as a whole.
func IsFile(err error) bool {
	var f *FileError
	return errors.As(err, &f)
}

func itoa(n int) string { return strconv.Itoa(n) }
