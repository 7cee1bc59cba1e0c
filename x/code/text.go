package code

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ToHalfWidth turns full-width ASCII (Ａ１（；) into ASCII and the ideographic blank into a blank.
// It is for codes, numbers and dates; in running text full-width punctuation is right as it is.
func ToHalfWidth(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(halfWidth, s)
}

// halfWidth maps one character.
func halfWidth(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x3000:
		return ' '
	}
	return r
}

// isASCII tells whether there is nothing to map.
func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// stripBlanks removes every blank and every invisible character.
func stripBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if isBlank(r) || isInvisible(r) {
			return -1
		}
		return r
	}, s)
}

// ActDigest is the digest by which agencies know an act (违法行为标识): of the text that they agree on, in half width and capitals and without blanks, so
// that spellings of it are one act. Nothing salts it: who has the text alone finds the digest.
func ActDigest(text string) [32]byte {
	mended, _ := MendText(text)
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || isBlank(r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, ToHalfWidth(mended))
	return sha256.Sum256([]byte("xinlian/act/v1\x00" + plain))
}

// MendText mends a file cell that may hold several lines: line ends become \n, other control and
// invisible characters go, odd blanks become plain ones, and the ends are trimmed. Words and
// punctuation stay as they are. It reports whether it changed anything. A byte that is not UTF-8
// becomes U+FFFD, which CheckText refuses: a damaged cell must not pass for a mended one.
func MendText(s string) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	cr := false
	for _, r := range s {
		switch {
		case r == '\n' && cr: // second half of \r\n
			cr = false
			continue
		case r == '\r' || r == 0x2028 || r == 0x2029 || r == 0x85 || r == '\v' || r == '\f':
			b.WriteByte('\n')
		case r == '\n':
			b.WriteByte('\n')
		case isBlank(r):
			// The ideographic blank opens paragraphs in Chinese text: kept inside a line.
			if r == 0x3000 {
				b.WriteRune(r)
			} else {
				b.WriteByte(' ')
			}
		case isControl(r) || isInvisible(r):
		default:
			b.WriteRune(r)
		}
		cr = r == '\r'
	}
	out := strings.TrimFunc(b.String(), isBlank)
	return out, out != s
}

// MendLine mends a cell that is one line by nature (a name, a title): as MendText, and breaks or
// runs of blanks become one blank, or nothing between two Chinese characters.
func MendLine(s string) (string, bool) {
	text, _ := MendText(s)
	var b strings.Builder
	b.Grow(len(text))
	last, gap := rune(0), false
	for _, r := range text {
		if isBlank(r) {
			gap = true
			continue
		}
		if gap && !(isHan(last) && isHan(r)) {
			b.WriteByte(' ')
		}
		gap = false
		last = r
		b.WriteRune(r)
	}
	out := b.String()
	return out, out != s
}

// CheckText is strict for text that may stand on chain: at most limit characters of valid UTF-8,
// lines ended by \n, no other control or invisible character, no blank at either end. Empty is
// for the caller to judge.
func CheckText(s string, limit int) error {
	if len(s) > limit*utf8.UTFMax {
		return problem(ErrText, "longer than "+strconv.Itoa(limit)+" characters")
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return problem(ErrText, "not clean UTF-8")
	}
	n := 0
	first, last := rune(0), rune(0)
	for _, r := range s {
		if r != '\n' && (isControl(r) || isInvisible(r)) {
			return problem(ErrText, "control or invisible character at position "+strconv.Itoa(n+1))
		}
		if n == 0 {
			first = r
		}
		last = r
		n++
	}
	if n > limit {
		return problem(ErrText, "longer than "+strconv.Itoa(limit)+" characters")
	}
	if isBlank(first) || isBlank(last) {
		return problem(ErrText, "blank at the beginning or end")
	}
	return nil
}

// CheckCodeToken accepts a short code of 1 to limit characters from A–Z a–z 0–9 _ . -
func CheckCodeToken(s string, limit int) error {
	if s == "" {
		return problem(ErrToken, "empty code")
	}
	if len(s) > limit {
		return problem(ErrToken, "code longer than "+strconv.Itoa(limit)+" characters")
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isDigit(c) && !isLetter(c) && c != '_' && c != '.' && c != '-' {
			return problem(ErrToken, "character "+strconv.Itoa(i+1)+" is not one of A-Z a-z 0-9 _ . -")
		}
	}
	return nil
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

// allDigits tells whether s is ASCII digits throughout.
func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// number reads ASCII digits; the caller has bounded and checked them.
func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// isHan tells whether r is a Chinese character. The ranges are written down and not taken from
// package unicode, whose tables grow with the compiler. Compatibility ideographs are left out:
// each is a second spelling of another character.
func isHan(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, // unified ideographs
		r >= 0x3400 && r <= 0x4DBF,   // extension A
		r >= 0x20000 && r <= 0x2F7FF, // extensions B–F, I
		r >= 0x30000 && r <= 0x3FFFD, // extensions G, H and what follows
		r == '〇', r == '々':
		return true
	}
	return false
}

// isBlank tells whether r takes room and shows nothing.
func isBlank(r rune) bool {
	switch {
	case r == ' ', r >= '\t' && r <= '\r', r == 0x85, r == 0xA0, r == 0x1680,
		r >= 0x2000 && r <= 0x200A, r == 0x2028, r == 0x2029, r == 0x202F, r == 0x205F, r == 0x3000:
		return true
	}
	return false
}

// isInvisible tells whether r takes no room or turns the reading direction: soft hyphen, zero-width
// characters, direction marks, byte order mark, tags. Variation selectors are not among them:
// they tell rare characters in names apart.
func isInvisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x61C, r == 0x180E, r == 0xFEFF,
		r >= 0x200B && r <= 0x200F,
		r >= 0x202A && r <= 0x202E,
		r >= 0x2060 && r <= 0x206F,
		r >= 0xFFF9 && r <= 0xFFFB,
		r >= 0xE0000 && r <= 0xE007F:
		return true
	}
	return false
}

// isControl tells whether r is a C0 or C1 control, line ends included.
func isControl(r rune) bool { return r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 }
