package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// rawRow is a row as the file has it. number is what a spreadsheet shows beside it.
type rawRow struct {
	number  int
	cells   []string
	refusal *Refusal // the row cannot be read as cells
}

// source gives rows of cells. Blank rows are left out, but counted.
type source interface {
	next() (rawRow, error) // io.EOF after the last; any other error is a file that cannot be read further
	close() error
	// format says in a word how the file was read, for the report.
	format() string
	// rows is an estimate of the rows in the file.
	rows() int
}

// openSource opens a file by what it holds, not by its name.
func openSource(path string) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(CodeFile, "check the path", "%v", err)
	}
	src, err := sourceOf(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return src, nil
}

func sourceOf(f *os.File) (source, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fileError(CodeFile, "check the file", "%v", err)
	case !info.Mode().IsRegular():
		return nil, fileError(CodeFile, "name a file", "this is no regular file")
	case info.Size() > FileBytesMax:
		return nil, fileError(CodeFile, "split the file", "the file has %d bytes, more than %d", info.Size(), int64(FileBytesMax))
	case info.Size() == 0:
		return nil, fileError(CodeFile, "check the file", "the file is empty")
	}
	var head [8]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fileError(CodeFile, "check the file", "%v", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fileError(CodeFile, "check the file", "%v", err)
	}
	switch h := head[:n]; {
	case bytes.HasPrefix(h, []byte("PK\x03\x04")):
		return openXLSX(f, info.Size())
	case bytes.HasPrefix(h, []byte("\xd0\xcf\x11\xe0")):
		return nil, fileError(CodeFile, "save it as .xlsx without a password, or as CSV", "this is an old .xls file, or an .xlsx file with a password")
	case bytes.HasPrefix(h, []byte("\xff\xfe")), bytes.HasPrefix(h, []byte("\xfe\xff")):
		return nil, fileError(CodeFile, "save it as CSV UTF-8", "this is UTF-16 text")
	}
	return openText(f, info.Size())
}

// openText reads the whole file once to learn its encoding: a file may hold its first Chinese character after megabytes of digits.
func openText(f *os.File, size int64) (source, error) {
	guess, err := guessEncoding(f)
	if err != nil {
		return nil, fileError(CodeFile, "check the file", "%v", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fileError(CodeFile, "check the file", "%v", err)
	}
	var r io.Reader = f
	name := "CSV, UTF-8"
	if guess.gb18030 {
		// The decoder puts U+FFFD where bytes are no character; a row that holds one is refused.
		r = transform.NewReader(f, simplifiedchinese.GB18030.NewDecoder())
		name = "CSV, GB18030"
	}
	br := bufio.NewReaderSize(r, 256<<10)
	if bom, err := br.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = br.Discard(3)
	}
	// The delimiter is chosen where the header is known; see newCSV.
	return newCSV(f, br, name, guess.lines)
}

type encodingGuess struct {
	gb18030 bool
	lines   int
}

// guessEncoding counts. A file that is UTF-8 throughout is UTF-8. Otherwise it is GB18030, unless by far most of its characters
// outside ASCII are good UTF-8: that is a UTF-8 file with damage, whose damaged rows are refused one by one.
func guessEncoding(r io.Reader) (encodingGuess, error) {
	var g encodingGuess
	good, bad := 0, 0
	buf := make([]byte, 256<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		data := buf[:kept+n]
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return g, err
		}
		i := 0
		for i < len(data) {
			c := data[i]
			if c < utf8.RuneSelf {
				if c == '\n' {
					g.lines++
				}
				i++
				continue
			}
			if !eof && !utf8.FullRune(data[i:]) {
				break
			}
			_, width := utf8.DecodeRune(data[i:])
			if width == 1 {
				bad++
			} else {
				good++
			}
			i += width
		}
		kept = copy(buf, data[i:])
		if eof {
			g.gb18030 = bad > 0 && good < 20*bad
			return g, nil
		}
	}
}

// checkCells refuses a row whose cells cannot be right whatever their columns.
func checkCells(cells []string) *Refusal {
	for i, c := range cells {
		if len(c) > CellBytesMax {
			return refuse(CodeRow, "column %d holds more than %d bytes", i+1, CellBytesMax)
		}
		for j := 0; j < len(c); j++ {
			if c[j] < 0x20 && c[j] != '\t' && c[j] != '\n' && c[j] != '\r' {
				return refuse(CodeRow, "column %d holds a control character", i+1)
			}
		}
		if !utf8.ValidString(c) || bytes.Contains([]byte(c), []byte("\ufffd")) {
			return refuse(CodeRow, "column %d holds bytes that are no character: the encoding was damaged", i+1)
		}
	}
	return nil
}

func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

var errTooManyRows = fmt.Errorf("more than %d rows", RowsMax)
