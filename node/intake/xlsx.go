package intake

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// xlsxSource streams the first sheet of a workbook. It reads the XML itself and not through excelize, whose row iterator gives no
// cell types (a typed date is a bare number there) and takes a sheet that is cut short for one that ends: both would turn into wrong
// records. Nothing is unpacked to disk.
//
// A typed date becomes YYYY-MM-DD. A number becomes the digits that the spreadsheet shows: fifteen significant ones, since 1.1
// is stored as 1.1000000000000001. A number of sixteen digits or more has lost its last ones and keeps its exponent, so that it is
// refused wherever a code is asked for.
type xlsxSource struct {
	file   *os.File
	sheet  io.ReadCloser
	dec    *xml.Decoder
	shared []string
	dates  map[int]bool // cell formats that show a date
	base   time.Time    // day 0 of serial numbers
	is1904 bool
	total  int
	number int // number of the row before
	inRows bool
	ended  bool
}

func openXLSX(f *os.File, size int64) (*xlsxSource, error) {
	bad := func(format string, args ...any) error {
		return fileError(CodeFile, "save the file again from the spreadsheet, or as CSV", format, args...)
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, bad("this is no readable XLSX file: %v", err)
	}
	if len(z.File) > zipEntriesMax {
		return nil, bad("the XLSX file has %d parts, more than %d", len(z.File), zipEntriesMax)
	}
	parts := map[string]*zip.File{}
	var total uint64
	for _, part := range z.File {
		// archive/zip refuses a part that unpacks to more than it declares, so the declared sizes bound the real ones.
		if part.UncompressedSize64 > unpackedBytesMax || total > unpackedBytesMax {
			return nil, bad("the XLSX file unpacks to more than %d bytes", unpackedBytesMax)
		}
		total += part.UncompressedSize64
		name := strings.ToLower(strings.TrimPrefix(part.Name, "/"))
		if parts[name] != nil {
			return nil, bad("the XLSX file holds one part twice")
		}
		parts[name] = part
	}
	if total > unpackedBytesMax {
		return nil, bad("the XLSX file unpacks to more than %d bytes", unpackedBytesMax)
	}
	s := &xlsxSource{file: f}
	sheet, err := s.workbook(parts)
	if err != nil {
		return nil, bad("this is no readable XLSX file: %v", err)
	}
	if err := s.readShared(parts["xl/sharedstrings.xml"]); err != nil {
		return nil, bad("the texts of the XLSX file cannot be read: %v", err)
	}
	if err := s.readStyles(parts["xl/styles.xml"]); err != nil {
		return nil, bad("the cell formats of the XLSX file cannot be read: %v", err)
	}
	if s.sheet, err = sheet.Open(); err != nil {
		return nil, bad("the first sheet cannot be read: %v", err)
	}
	s.dec = newDecoder(s.sheet)
	s.base = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if s.is1904 {
		s.base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return s, nil
}

func newDecoder(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(r)
	d.Strict = true
	// No entity beyond XML's own five is known, and the decoder reads no DTD: nothing can expand.
	return d
}

// workbook finds the first sheet and the date system.
func (s *xlsxSource) workbook(parts map[string]*zip.File) (*zip.File, error) {
	var book struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			ID    string `xml:"id,attr"` // r:id
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := decodePart(parts["xl/workbook.xml"], &book); err != nil {
		return nil, err
	}
	s.is1904 = book.Properties.Date1904 == "1" || book.Properties.Date1904 == "true"
	if len(book.Sheets) == 0 {
		return nil, errors.New("the workbook has no sheet")
	}
	var rels struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if err := decodePart(parts["xl/_rels/workbook.xml.rels"], &rels); err != nil {
		return nil, err
	}
	for _, rel := range rels.Relationship {
		if rel.ID != book.Sheets[0].ID {
			continue
		}
		target := rel.Target
		if !strings.HasPrefix(target, "/") {
			target = path.Join("xl", target)
		}
		if part := parts[strings.ToLower(strings.TrimPrefix(target, "/"))]; part != nil {
			return part, nil
		}
	}
	return nil, errors.New("the first sheet is missing")
}

// decodePart reads a small part whole.
func decodePart(part *zip.File, into any) error {
	if part == nil {
		return errors.New("a part of the workbook is missing")
	}
	if part.UncompressedSize64 > stylesBytesMax {
		return fmt.Errorf("a part has %d bytes, more than %d", part.UncompressedSize64, stylesBytesMax)
	}
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return newDecoder(io.LimitReader(r, stylesBytesMax)).Decode(into)
}

// readShared reads the table of texts. Phonetic guides (rPh) are no part of a text.
func (s *xlsxSource) readShared(part *zip.File) error {
	if part == nil {
		return nil
	}
	if part.UncompressedSize64 > sharedBytesMax {
		return fmt.Errorf("they have %d bytes, more than %d", part.UncompressedSize64, sharedBytesMax)
	}
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	dec := newDecoder(r)
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "si" {
			text, err := textOf(dec)
			if err != nil {
				return err
			}
			s.shared = append(s.shared, text)
		}
	}
}

// textOf joins the t elements of an si or is element, up to its end.
func textOf(dec *xml.Decoder) (string, error) {
	var b strings.Builder
	for depth, phonetic, inText := 1, 0, false; depth > 0; {
		tok, err := dec.Token()
		if err != nil {
			return "", noEOF(err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if depth++; depth > xmlDepthMax {
				return "", errors.New("elements nested too deep")
			}
			if e.Name.Local == "rPh" {
				phonetic++
			}
			inText = e.Name.Local == "t" && phonetic == 0
		case xml.EndElement:
			depth--
			if e.Name.Local == "rPh" {
				phonetic--
			}
			inText = false
		case xml.CharData:
			if inText && b.Len() <= CellBytesMax { // one byte over the bound is enough for the row to be refused
				b.Write(e)
			}
		}
	}
	return unescape(b.String()), nil
}

// unescape undoes the spreadsheet's spelling of characters that XML cannot hold, such as _x000D_.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if i+7 <= len(s) && s[i] == '_' && s[i+1] == 'x' && s[i+6] == '_' {
			if n, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil && (n < 0xD800 || n > 0xDFFF) {
				b.WriteRune(rune(n))
				i += 7
				continue
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// readStyles learns which cell formats show a date.
func (s *xlsxSource) readStyles(part *zip.File) error {
	s.dates = map[int]bool{}
	if part == nil {
		return nil
	}
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := decodePart(part, &styles); err != nil {
		return err
	}
	custom := map[int]bool{}
	for _, f := range styles.Formats {
		custom[f.ID] = showsDate(f.Code)
	}
	for i, c := range styles.Cells {
		isDate, own := custom[c.Format]
		if !own {
			// Built-in formats of the standard, with those of Chinese spreadsheets (27–36, 50–58).
			isDate = c.Format >= 14 && c.Format <= 17 || c.Format == 22 || c.Format >= 27 && c.Format <= 31 || c.Format == 36 || c.Format >= 50 && c.Format <= 54 || c.Format == 57 || c.Format == 58
		}
		if isDate {
			s.dates[i] = true
		}
	}
	return nil
}

// showsDate tells whether a format code shows a day: it has a y or d outside quotes, brackets and escapes.
func showsDate(format string) bool {
	for i := 0; i < len(format); i++ {
		switch format[i] {
		case '"':
			end := strings.IndexByte(format[i+1:], '"')
			if end < 0 {
				return false
			}
			i += end + 1
		case '[':
			end := strings.IndexByte(format[i+1:], ']')
			if end < 0 {
				return false
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case 'y', 'Y', 'd', 'D':
			return true
		case ';':
			return false
		}
	}
	return false
}

func (s *xlsxSource) close() error {
	return errors.Join(s.sheet.Close(), s.file.Close())
}

func (s *xlsxSource) format() string { return "XLSX" }
func (s *xlsxSource) rows() int      { return s.total }

// next finds the next row that holds anything.
func (s *xlsxSource) next() (rawRow, error) {
	for {
		if s.ended {
			return rawRow{}, io.EOF
		}
		tok, err := s.dec.Token()
		if err != nil {
			// The sheet must close its own root element: anything else is a file that was cut short.
			return rawRow{}, fmt.Errorf("the sheet breaks off: %w", noEOF(err))
		}
		switch e := tok.(type) {
		case xml.StartElement:
			switch {
			case e.Name.Local == "dimension":
				s.total = rowsOf(attr(e, "ref"))
			case e.Name.Local == "sheetData":
				s.inRows = true
			case e.Name.Local == "row" && s.inRows:
				row, err := s.row(e)
				if err != nil {
					return rawRow{}, fmt.Errorf("the sheet breaks off: %w", noEOF(err))
				}
				if row.refusal == nil && blank(row.cells) {
					continue
				}
				if row.number > RowsMax+1 {
					return rawRow{}, errTooManyRows
				}
				return row, nil
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "sheetData":
				s.inRows = false
			case "worksheet":
				s.ended = true
			}
		}
	}
}

// row reads the cells of one row element.
func (s *xlsxSource) row(start xml.StartElement) (rawRow, error) {
	row := rawRow{number: s.number + 1}
	if r := attr(start, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n <= s.number {
			return row, errors.New("rows out of order")
		}
		row.number = n
	}
	s.number = row.number
	size, column := 0, 0
	for {
		tok, err := s.dec.Token()
		if err != nil {
			return row, err
		}
		switch e := tok.(type) {
		case xml.EndElement:
			return row, nil // cells and everything else are read to their own end below
		case xml.StartElement:
			if e.Name.Local != "c" {
				if err := s.dec.Skip(); err != nil {
					return row, err
				}
				continue
			}
			column++
			if ref := attr(e, "r"); ref != "" {
				n, ok := columnOf(ref)
				if !ok || n < column {
					return row, errors.New("cells out of order")
				}
				column = n
			}
			text, broken, err := s.cell(e)
			if err != nil {
				return row, err
			}
			if text == "" && broken == "" {
				continue
			}
			size += len(text)
			switch {
			case row.refusal != nil:
			case column > ColumnsMax:
				row.refusal = refuse(CodeRow, "the row has more than %d columns", ColumnsMax)
			case size > RowBytesMax:
				row.refusal = refuse(CodeRow, "the row is longer than %d bytes", RowBytesMax)
			case broken != "":
				row.refusal = refuse(CodeRow, "column %d %s", column, broken)
			}
			if row.refusal != nil {
				row.cells = nil
				continue
			}
			for len(row.cells) < column-1 {
				row.cells = append(row.cells, "")
			}
			row.cells = append(row.cells, text)
		}
	}
}

// cell reads a c element. broken says what is wrong with the cell in a way that refuses its row.
func (s *xlsxSource) cell(start xml.StartElement) (text, broken string, err error) {
	kind := attr(start, "t")
	value, inline := "", ""
	for done := false; !done; {
		tok, err := s.dec.Token()
		if err != nil {
			return "", "", err
		}
		switch e := tok.(type) {
		case xml.EndElement:
			done = true
		case xml.StartElement:
			switch e.Name.Local {
			case "v":
				// One string, bounded by the decoder's own reading of one element's text.
				var v string
				if err := s.dec.DecodeElement(&v, &e); err != nil {
					return "", "", err
				}
				value = v
			case "is":
				if inline, err = textOf(s.dec); err != nil {
					return "", "", err
				}
			default: // f, the formula behind the value, and extensions
				if err := s.dec.Skip(); err != nil {
					return "", "", err
				}
			}
		}
	}
	switch kind {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 0 || n >= len(s.shared) {
			return "", "refers to a text that the file does not hold", nil
		}
		return s.shared[n], "", nil
	case "inlineStr":
		return inline, "", nil
	case "str":
		return unescape(value), "", nil
	case "b":
		if value == "1" {
			return "是", "", nil
		}
		return "否", "", nil
	case "e":
		return "", "holds an error of the spreadsheet such as #REF!", nil
	case "d": // ISO 8601
		return strings.TrimSuffix(strings.Replace(value, "T00:00:00", "", 1), "Z"), "", nil
	}
	if value == "" {
		return "", "", nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "", "holds a number that is none", nil
	}
	style, _ := strconv.Atoi(attr(start, "s"))
	if s.dates[style] {
		return s.date(f)
	}
	return number(f), "", nil
}

// date turns a serial number into a day. Day 60 of the 1900 system (29 February 1900) never was; all that the ledger takes in is later.
func (s *xlsxSource) date(f float64) (text, broken string, err error) {
	if f < 61 || f >= 100_000 {
		return "", "holds a date before 1900-03-01 or after 2173", nil
	}
	day := math.Floor(f)
	seconds := math.Round((f - day) * 86400)
	t := s.base.AddDate(0, 0, int(day)).Add(time.Duration(seconds) * time.Second)
	if seconds == 0 {
		return t.Format("2006-01-02"), "", nil
	}
	return t.Format("2006-01-02 15:04:05"), "", nil
}

// number writes a number as the spreadsheet shows it: fifteen significant digits, no exponent.
func number(f float64) string {
	if math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
	shown, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		shown = f
	}
	return strconv.FormatFloat(shown, 'f', -1, 64)
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// columnOf reads the letters of a cell reference.
func columnOf(ref string) (int, bool) {
	n := 0
	for i := 0; i < len(ref); i++ {
		c := ref[i]
		if c >= '0' && c <= '9' {
			return n, n > 0
		}
		if c < 'A' || c > 'Z' || n > 16384 {
			return 0, false
		}
		n = n*26 + int(c-'A') + 1
	}
	return n, n > 0
}

// rowsOf reads the last row of a reference such as A1:Z2001.
func rowsOf(ref string) int {
	_, last, ok := strings.Cut(ref, ":")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimLeft(last, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	if err != nil || n < 0 || n > RowsMax {
		return 0
	}
	return n
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
