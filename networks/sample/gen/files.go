package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

type file struct {
	name string
	data []byte
}

// files makes everything, in an order that never changes: each step takes from the same dice.
func (w *world) files() ([]file, error) {
	subjects := w.subjectRows()
	promised, open := w.commitmentRows()
	assessed := w.fulfillmentRows(open)
	punished := w.penaltyRows()

	var out []file
	add := func(name string, data []byte, rows []row) {
		out = append(out, file{name, data})
		for i, r := range rows {
			if r.outcome != "" {
				w.expect(name, i+2, r.outcome, r.code, r.what)
			}
		}
	}
	add("subjects.csv", writeCSV(subjectColumns, subjects, 0), subjects)
	add("penalties.csv", writeCSV(penaltyColumns, punished, 0), punished)

	// The slices are rows of penalties.csv and commitments.csv with the same content in another form: sent after them they are already
	// recorded. What is odd about them stands at their end.
	rows := append(plainRows(punished, slice-6, 0), w.sheetOddities(punished)...)
	data, err := writeXLSX(penaltyColumns, rows)
	if err != nil {
		return nil, err
	}
	add("penalties.xlsx", data, rows)

	rows = w.rareCharacters(plainRows(punished, slice, slice))
	data, err = simplifiedchinese.GB18030.NewEncoder().Bytes(writeCSV(penaltyColumns, rows, 1))
	if err != nil {
		return nil, err
	}
	add("penalties-gb18030.csv", data, rows)

	add("commitments.csv", writeCSV(commitmentColumns, promised, 0), promised)
	rows = plainRows(promised, slice, 0)
	if data, err = writeXLSX(commitmentColumns, rows); err != nil {
		return nil, err
	}
	add("commitments.xlsx", data, rows)
	add("fulfillments.csv", writeCSV(fulfillmentColumns, assessed, 0), assessed)
	entered, recorded := w.abnormalRows(), w.otherRows()
	add("abnormal.csv", writeCSV(abnormalColumns, entered, 0), entered)
	add("others.csv", writeCSV(otherColumns, recorded, 0), recorded)

	shown := w.shownRows(punished, entered)
	add("credit-china.csv", writeCSV(shownColumns, shown, 1), shown)

	var members []member
	for _, a := range w.agencies {
		members = append(members, a.member)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(members); err != nil {
		return nil, err
	}
	out = append(out, file{"members.json", bytes.Clone(b.Bytes())})

	b.Reset()
	b.WriteString("file,row,outcome,code,what\n")
	for _, e := range w.expected {
		fmt.Fprintf(&b, "%s,%d,%s,%s,%s\n", e.file, e.row, e.outcome, e.code, quote(e.what))
	}
	return append(out, file{"expected.csv", b.Bytes()}), nil
}

// plainRows takes good rows.
func plainRows(rows []row, n, skip int) []row {
	var out []row
	for _, r := range rows {
		if r.outcome != "" {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(out) < n {
			out = append(out, r)
		}
	}
	return out
}

// typed marks a cell that writeXLSX stores as the number it holds, without a date format.
const typed = "\x00"

// sheetOddities are what only a spreadsheet can get wrong, or right.
func (w *world) sheetOddities(rows []row) []row {
	base := plainRows(rows, 6, 3*slice)
	set := func(i int, what, outcome, code, column, value string) {
		base[i] = base[i].with(map[string]string{column: value})
		base[i].what, base[i].outcome, base[i].code = what, outcome, code
	}
	set(0, "code stored as a number", "refused", "E_USCC_LEN", "cf_xdr_shxym", typed+"914101000000000160")
	day := mustDate(base[1].cells["cf_jdrq"])
	set(1, "serial number without a date format", "refused", "E_DATE", "cf_jdrq", typed+strconv.Itoa(int(serial(day))))
	set(2, "amount with seven decimals", "refused", "E_AMOUNT", "cf_nr_fk", typed+"1.2345678")
	set(3, "decision number missing", "refused", "E_DOCNO", "cf_wsh", "")
	served := mustDate(base[4].cells["served_on"])
	set(4, "typed date with a time of day", "recorded", "", "served_on", typed+"date "+strconv.FormatFloat(serial(served)+0.5, 'f', -1, 64))
	set(5, "natural person", "refused", "E_NATURAL_PERSON", "cf_xdr_shxym", personNumber)
	return base
}

// rareCharacters puts characters outside the basic plane into the names and facts of some rows.
func (w *world) rareCharacters(rows []row) []row {
	rare := []string{"𠮷", "𡋣", "𣲗", "𬭎", "𪚥"}
	for i := range rows {
		if i%20 == 7 {
			c := rare[i/20%len(rare)]
			rows[i] = rows[i].with(map[string]string{"cf_sy": rows[i].cells["cf_sy"] + "，地点为" + c + "祥路。", "bz": "含四字节字符" + c})
			// Other content than penalties.csv: a decision of its own.
			rows[i].cells["cf_wsh"] = strings.Replace(rows[i].cells["cf_wsh"], "〕", "〕B", 1)
			rows[i].outcome, rows[i].what = "recorded", "characters outside the basic plane in GB18030"
		}
	}
	return rows
}

// writeCSV writes UTF-8 with names as titles (titles 0) or Chinese titles (1).
func writeCSV(columns [][2]string, rows []row, titles int) []byte {
	var b bytes.Buffer
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(c[titles]))
	}
	b.WriteByte('\n')
	for _, r := range rows {
		var cells []string
		for _, c := range columns {
			cells = append(cells, quote(r.cells[c[0]]))
		}
		line := strings.Join(cells, ",")
		if r.raw != nil {
			line = r.raw(line)
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func quote(s string) string {
	if strings.ContainsAny(s, ",\"\n\r") || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// Columns that a spreadsheet stores as dates and as numbers.
var (
	dateColumns   = []string{"cf_jdrq", "cf_yxq", "notice_served_on", "served_on", "made_on", "valid_until", "assessed_on"}
	amountColumns = []string{"cf_nr_fk", "cf_nr_wfff"}
)

// writeXLSX writes Chinese titles, typed dates and typed amounts.
func writeXLSX(columns [][2]string, rows []row) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "Sheet1"
	builtIn := 14
	dateStyle, err := f.NewStyle(&excelize.Style{NumFmt: builtIn})
	if err != nil {
		return nil, err
	}
	format := `yyyy"年"m"月"d"日"`
	chineseDate, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		return nil, err
	}
	number := func(cell, value string, style int) error {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		if err := f.SetCellFloat(sheet, cell, v, -1, 64); err != nil || style == 0 {
			return err
		}
		return f.SetCellStyle(sheet, cell, cell, style)
	}
	for x, c := range columns {
		name, err := excelize.CoordinatesToCellName(x+1, 1)
		if err != nil {
			return nil, err
		}
		if err := f.SetCellStr(sheet, name, c[1]); err != nil {
			return nil, err
		}
		for y, r := range rows {
			value := r.cells[c[0]]
			if value == "" {
				continue
			}
			name, err := excelize.CoordinatesToCellName(x+1, y+2)
			if err != nil {
				return nil, err
			}
			style := dateStyle
			if y%2 == 1 {
				style = chineseDate
			}
			day, dateErr := calendar.ParseDate(value)
			switch {
			case strings.HasPrefix(value, typed+"date "):
				err = number(name, strings.TrimPrefix(value, typed+"date "), style)
			case strings.HasPrefix(value, typed):
				err = number(name, strings.TrimPrefix(value, typed), 0)
			case slices.Contains(dateColumns, c[0]) && dateErr == nil:
				err = number(name, strconv.Itoa(int(serial(day))), style)
			case slices.Contains(amountColumns, c[0]):
				err = number(name, value, 0)
			default:
				err = f.SetCellStr(sheet, name, value)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		return nil, err
	}
	return repack(b.Bytes())
}

// repack writes the parts of a ZIP archive in the order of their names, without times and without compression: what a compressor
// makes of them changes with its version.
func repack(raw []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(z.File, func(a, b *zip.File) int {
		// [Content_Types].xml comes first, as the format asks.
		if first := strings.HasPrefix(b.Name, "["); first != strings.HasPrefix(a.Name, "[") {
			if first {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Name, b.Name)
	})
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, err
		}
		p, err := w.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := p.Write(data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
