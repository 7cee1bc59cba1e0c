package intake

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// workbook writes a workbook by hand, for what excelize does not write.
func workbook(tb testing.TB, properties, shared, sheet string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"xl/workbook.xml", `<workbook xmlns="m" xmlns:r="r"><workbookPr ` + properties + `/><sheets><sheet name="一" sheetId="1" r:id="rId7"/><sheet name="二" sheetId="2" r:id="rId8"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId8" Target="worksheets/other.xml"/><Relationship Id="rId7" Target="/xl/worksheets/first.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="58"/></cellXfs></styleSheet>`},
		{"xl/sharedStrings.xml", `<sst>` + shared + `</sst>`},
		{"xl/worksheets/first.xml", sheet},
		{"xl/worksheets/other.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>不是这一张</t></is></c></row></sheetData></worksheet>`},
	} {
		p, err := w.Create(part[0])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(p, part[1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func cellsOf(tb testing.TB, raw []byte) (rows []rawRow, err error) {
	tb.Helper()
	src, err := openSource(write(tb, raw))
	if err != nil {
		return nil, err
	}
	defer src.close()
	for {
		row, err := src.next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func TestCellTypes(t *testing.T) {
	shared := `<si><t>共享</t></si><si><r><t>富</t></r><r><rPr><b/></rPr><t>文本</t></r><rPh sb="0" eb="1"><t>拼音</t></rPh></si><si><t xml:space="preserve">两_x000D_
行</t></si>`
	sheet := `<worksheet><dimension ref="A1:J4"/><cols><col min="1" max="2"/></cols><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c t="inlineStr"><is><t>行内</t></is></c></row>
<row r="3"><c r="B3" s="1"><v>46218</v></c><c r="C3" s="2"><v>46218.5</v></c><c r="D3" s="3"><v>46218</v></c><c r="F3"><v>1.1000000000000001</v></c>
<c r="G3" t="b"><v>1</v></c><c r="H3" t="str"><f>A1&amp;"x"</f><v>公式</v></c><c r="I3" t="d"><v>2026-07-15T00:00:00</v></c><c r="J3"><v>914101000000000160</v></c></row>
<row r="5"><c r="A5" t="e"><v>#REF!</v></c></row>
<row r="6"><c r="A6" t="s"><v>9</v></c></row>
<row><c><v>7</v></c></row>
<row r="9"/>
</sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells></worksheet>`
	rows, err := cellsOf(t, workbook(t, "", shared, sheet))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		line := fmt.Sprintf("%d %q", r.number, r.cells)
		if r.refusal != nil {
			line = fmt.Sprintf("%d %s", r.number, r.refusal.Reason)
		}
		got = append(got, line)
	}
	want := []string{
		`1 ["共享" "富文本" "两\r\n行" "行内"]`,
		`3 ["" "2026-07-15" "2026-07-15 12:00:00" "2026-07-15" "" "1.1" "是" "公式" "2026-07-15" "9.141010000000001E+17"]`,
		`5 column 1 holds an error of the spreadsheet such as #REF!`,
		`6 column 1 refers to a text that the file does not hold`,
		`7 ["7"]`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// The date system of 1904 counts four years and a day less.
	rows, err = cellsOf(t, workbook(t, `date1904="1"`, "", `<worksheet><sheetData><row><c s="1"><v>44756</v></c></row></sheetData></worksheet>`))
	if err != nil || len(rows) != 1 || rows[0].cells[0] != "2026-07-15" {
		t.Errorf("1904: %v %v", rows, err)
	}
}

// A sheet that is cut short is an error after the rows before the cut: never a shorter file.
func TestSheetCutShort(t *testing.T) {
	whole := `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row></sheetData></worksheet>`
	for i := range len(whole) - 1 {
		if rows, err := cellsOf(t, workbook(t, "", "", whole[:i])); err == nil {
			t.Fatalf("cut at %d: %d rows and no error", i, len(rows))
		}
	}
	for name, sheet := range map[string]string{
		"rows out of order":  `<worksheet><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>`,
		"cells out of order": `<worksheet><sheetData><row r="1"><c r="B1"/><c r="A1"/></row></sheetData></worksheet>`,
		"no reference":       `<worksheet><sheetData><row r="1"><c r="1"/></row></sheetData></worksheet>`,
		"row zero":           `<worksheet><sheetData><row r="0"/></sheetData></worksheet>`,
		"entity":             `<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row r="1"><c t="str"><v>&a;</v></c></row></sheetData></worksheet>`,
	} {
		if rows, err := cellsOf(t, workbook(t, "", "", sheet)); err == nil {
			t.Errorf("%s: %v", name, rows)
		}
	}
	wide := `<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row></sheetData></worksheet>`
	rows, err := cellsOf(t, workbook(t, "", "", wide))
	if err != nil || len(rows) != 2 || rows[0].refusal == nil || rows[1].refusal != nil {
		t.Errorf("a cell far out: %+v %v", rows, err)
	}
}

// A few bytes that unpack to gigabytes are refused before anything is unpacked.
func TestZipBomb(t *testing.T) {
	bomb := func(parts int, size uint64) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for i := range parts {
			p, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("xl/part%d.xml", i), Method: zip.Deflate, UncompressedSize64: size, CompressedSize64: 2})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Write([]byte{3, 0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, raw := range map[string][]byte{
		"one large part":        bomb(1, unpackedBytesMax+1),
		"many parts":            bomb(9, unpackedBytesMax/8),
		"a size near the limit": bomb(2, 1<<63),
		"too many parts":        bomb(zipEntriesMax+1, 1),
	} {
		_, err := cellsOf(t, raw)
		if err == nil || !IsFile(err) || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A part that unpacks to more than it declares is refused while it is read.
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"xl/workbook.xml":            `<workbook><sheets><sheet id="a"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="a" Target="s.xml"/></Relationships>`,
	} {
		p, _ := w.Create(name)
		_, _ = io.WriteString(p, text)
	}
	sheet := `<worksheet><sheetData>` + strings.Repeat(`<row><c><v>1</v></c></row>`, 1000) + `</sheetData></worksheet>`
	p, _ := w.CreateRaw(&zip.FileHeader{Name: "xl/s.xml", Method: zip.Store, UncompressedSize64: 100, CompressedSize64: uint64(len(sheet))})
	_, _ = io.WriteString(p, sheet)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if rows, err := cellsOf(t, b.Bytes()); err == nil {
		t.Errorf("a part larger than it declares: %d rows", len(rows))
	}
}

func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>46218</v></c></row>`, `<si><t>文</t></si>`)
	f.Add(`<row><c t="inlineStr"><is><t>_x000D_</t></is></c><c t="e"/></row>`, ``)
	f.Fuzz(func(t *testing.T, rows, shared string) {
		last := 0
		got, _ := cellsOf(t, workbook(t, "", shared, `<worksheet><sheetData>`+rows+`</sheetData></worksheet>`))
		for _, r := range got {
			if r.number <= last || len(r.cells) > ColumnsMax {
				t.Fatalf("row %d after %d with %d cells", r.number, last, len(r.cells))
			}
			last = r.number
		}
	})
}
