package intake

import (
	"encoding/csv"
	"encoding/hex"
	"io"
	"strings"
)

// Outcome is how a row ended. Every row ends as exactly one of the three.
type Outcome string

const (
	Recorded        Outcome = "recorded"
	AlreadyRecorded Outcome = "already recorded"
	Refused         Outcome = "refused"
)

// ReportRow is a line of the report.
type ReportRow struct {
	Row     int
	Outcome Outcome
	Record  []byte // record id, where there is one
	Code    string // of a refusal
	Reason  string // of a refusal, with rule and remedy
	Note    string
}

// RefusedRow is the line of a row that was refused before it was sent.
func RefusedRow(row Row) ReportRow {
	r := row.Refusal
	return ReportRow{
		Row: row.Number, Outcome: Refused, Record: row.Record, Code: r.Code,
		Reason: r.Reason + " (rule " + r.Rule + "); " + r.Remedy,
		Note:   strings.Join(row.Notes, "; "),
	}
}

// OutcomeRow is the line of a row that was sent. refusal is nil unless the outcome is Refused.
func OutcomeRow(row Row, outcome Outcome, record []byte, refusal *Refusal) ReportRow {
	if refusal != nil {
		row.Refusal = refusal
		return RefusedRow(row)
	}
	if record == nil {
		record = row.Record
	}
	return ReportRow{Row: row.Number, Outcome: outcome, Record: record, Note: strings.Join(row.Notes, "; ")}
}

// Report writes the report of an import: CSV, UTF-8 with a byte order mark, since spreadsheets take a file without one for GB18030.
type Report struct {
	w      *csv.Writer
	counts map[Outcome]int
}

// NewReport writes the header.
func NewReport(w io.Writer) (*Report, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	r := &Report{w: csv.NewWriter(w), counts: map[Outcome]int{}}
	r.w.UseCRLF = true
	return r, r.w.Write([]string{"row", "outcome", "record", "code", "reason", "note"})
}

// Write writes a line.
func (r *Report) Write(row ReportRow) error {
	r.counts[row.Outcome]++
	return r.w.Write([]string{
		itoa(row.Row), string(row.Outcome), hex.EncodeToString(row.Record), row.Code, inert(row.Reason), inert(row.Note),
	})
}

// Flush writes out what is buffered.
func (r *Report) Flush() error {
	r.w.Flush()
	return r.w.Error()
}

// Count is the number of lines with an outcome.
func (r *Report) Count(o Outcome) int { return r.counts[o] }

// inert keeps a spreadsheet from running a cell as a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
