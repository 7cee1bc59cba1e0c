package intake

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
)

// csvSource reads comma, tab or semicolon separated text. It is not encoding/csv: that reads an unclosed quote to the end of the
// file into memory, leaves blank lines out of its count, and gives no bound on a row.
//
// A row whose quotes do not close is refused alone: its first line becomes the refused row, and reading goes on with the next line.
// No line is read more than twice for that, since a search for a closing quote ends at the next quote.
type csvSource struct {
	file  *os.File
	r     *bufio.Reader
	name  string
	total int
	comma byte

	back   []csvLine // lines given back, nearest last
	number int       // rows given so far, blank ones included
}

type csvLine struct {
	text string
	long bool // longer than RowBytesMax; its text is cut
}

// newCSV looks at the first line to choose the delimiter: the one that stands in it most often outside quotes.
func newCSV(f *os.File, r *bufio.Reader, name string, lines int) (*csvSource, error) {
	s := &csvSource{file: f, r: r, name: name, total: lines, comma: ','}
	for {
		line, err := s.line()
		if errors.Is(err, io.EOF) {
			return nil, fileError(CodeFile, "check the file", "the file holds no header")
		}
		if err != nil {
			return nil, fileError(CodeFile, "check the file", "%v", err)
		}
		if strings.Trim(line.text, "\r\n\t ,;") == "" {
			s.number++ // a blank line above the header is a row to a spreadsheet
			continue
		}
		s.back = append(s.back, line)
		counts := map[byte]int{}
		quoted := false
		for i := 0; i < len(line.text); i++ {
			if line.text[i] == '"' {
				quoted = !quoted
			} else if !quoted {
				counts[line.text[i]]++
			}
		}
		for _, c := range []byte{'\t', ';'} {
			if counts[c] > counts[s.comma] {
				s.comma = c
			}
		}
		return s, nil
	}
}

func (s *csvSource) close() error   { return s.file.Close() }
func (s *csvSource) format() string { return s.name }
func (s *csvSource) rows() int      { return s.total }

func (s *csvSource) next() (rawRow, error) {
	for {
		cells, refusal, err := s.record()
		if err != nil {
			return rawRow{}, err
		}
		s.number++
		if refusal == nil && blank(cells) {
			continue
		}
		if s.number > RowsMax+1 {
			return rawRow{}, errTooManyRows
		}
		return rawRow{number: s.number, cells: cells, refusal: refusal}, nil
	}
}

// record reads one row.
func (s *csvSource) record() ([]string, *Refusal, error) {
	var p csvParser
	var read []csvLine
	size := 0
	for {
		line, err := s.line()
		if err != nil {
			if !errors.Is(err, io.EOF) || len(read) == 0 {
				return nil, nil, err
			}
			return nil, s.giveUp(read, "a quote that opens in this row never closes"), nil
		}
		read = append(read, line)
		size += len(line.text)
		if line.long || size > RowBytesMax {
			return nil, s.giveUp(read, "the row, or a quoted cell that opens in it, is longer than %d bytes", RowBytesMax), nil
		}
		switch p.feed(line.text, s.comma) {
		case csvDone:
			return p.cells, nil, nil
		case csvBad:
			return nil, s.giveUp(read, "text follows a closing quote"), nil
		case csvMany:
			return nil, s.giveUp(read[:1], "the row has more than %d columns", ColumnsMax), nil
		case csvOpen:
		}
	}
}

// giveUp refuses the first line read as a row of its own and gives the others back.
func (s *csvSource) giveUp(read []csvLine, format string, args ...any) *Refusal {
	for _, line := range slices.Backward(read[1:]) {
		s.back = append(s.back, line)
	}
	return refuse(CodeRow, format, args...)
}

// line reads one line with its end. A line over the bound is read to its end and cut.
func (s *csvSource) line() (csvLine, error) {
	if n := len(s.back); n > 0 {
		line := s.back[n-1]
		s.back = s.back[:n-1]
		return line, nil
	}
	var out csvLine
	var buf []byte
	for {
		part, err := s.r.ReadSlice('\n')
		if len(buf)+len(part) > RowBytesMax {
			out.long = true
		} else {
			buf = append(buf, part...)
		}
		switch {
		case err == nil:
			out.text = string(buf)
			return out, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(buf) > 0 || out.long):
			out.text = string(buf)
			return out, nil
		default:
			return csvLine{}, err
		}
	}
}

type csvState int

const (
	csvDone csvState = iota // the row is complete
	csvOpen                 // a quoted cell goes on in the next line
	csvBad                  // text after a closing quote
	csvMany                 // too many columns
)

// csvParser takes a row line by line and looks at each byte once.
type csvParser struct {
	cells  []string
	cell   []byte
	quoted bool
}

func (p *csvParser) feed(line string, comma byte) csvState {
	body := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	i := 0
	if p.quoted {
		goto inside
	}
start:
	if i < len(body) && body[i] == '"' {
		p.quoted = true
		i++
		goto inside
	}
	for i < len(body) && body[i] != comma {
		p.cell = append(p.cell, body[i])
		i++
	}
	goto end

inside:
	for {
		if i >= len(body) {
			p.cell = append(p.cell, line[len(body):]...)
			return csvOpen
		}
		if body[i] != '"' {
			p.cell = append(p.cell, body[i])
			i++
			continue
		}
		if i+1 < len(body) && body[i+1] == '"' {
			p.cell = append(p.cell, '"')
			i += 2
			continue
		}
		p.quoted = false
		i++
		if i < len(body) && body[i] != comma {
			return csvBad
		}
		break
	}

end:
	p.cells = append(p.cells, string(p.cell))
	p.cell = p.cell[:0]
	if len(p.cells) > ColumnsMax {
		return csvMany
	}
	if i < len(body) { // at a comma: another cell follows, empty where the row ends here
		i++
		goto start
	}
	return csvDone
}
