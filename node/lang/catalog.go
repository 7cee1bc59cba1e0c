package lang

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Catalog is what can be said in Chinese. The zero Catalog knows nothing. Safe for many goroutines once it is made.
type Catalog struct {
	exact     map[string]string
	sentences []*sentence
	also      map[string]bool // English of pairs that no test looks for in the source
}

// sentence is an English format with values, and the Chinese one.
type sentence struct {
	english string
	parts   []string // what stands before, between and after the values
	verbs   []byte   // of each value
	chinese []piece
	weight  int // letters that are fixed: of two that fit, the one with more is meant
}

// piece is fixed text, or the value of a number (from 1).
type piece struct {
	text  string
	value int
}

//go:embed zh/*.txt
var files embed.FS

// Ledger gives the catalogue of everything but the programs' own words: refusals of rules, gate, gateway and import, keys and vault.
var Ledger = sync.OnceValue(func() *Catalog {
	entries, err := files.ReadDir("zh")
	if err != nil {
		panic(err) // it is compiled in
	}
	c := new(Catalog)
	for _, e := range entries {
		raw, err := files.ReadFile("zh/" + e.Name())
		if err != nil {
			panic(err)
		}
		if err := c.add(e.Name(), string(raw)); err != nil {
			panic(err) // a test reads all of them
		}
	}
	return c
})

// Parse reads a catalogue. Lines that begin with "= " are English, lines with "~ " their Chinese; several in a row are lines of one text. Blank
// lines and lines that begin with "#" say nothing, but for "#!also": of what follows no test asks who says it. In a format, %[1]s in the Chinese is the first value of the English.
func Parse(name, text string) (*Catalog, error) {
	c := new(Catalog)
	return c, c.add(name, text)
}

// With gives a catalogue of both; of a pair that stands in both, the other's holds.
func (c *Catalog) With(other *Catalog) *Catalog {
	out := &Catalog{exact: map[string]string{}, also: map[string]bool{}}
	for _, in := range []*Catalog{c, other} {
		for k, v := range in.exact {
			out.exact[k] = v
		}
		out.sentences = append(out.sentences, in.sentences...)
		for k := range in.also {
			out.also[k] = true
		}
	}
	out.sort()
	return out
}

// English lists the English of the pairs that the source must say, in order: for tests.
func (c *Catalog) English() []string {
	out := make([]string, 0, len(c.exact)+len(c.sentences))
	for k := range c.exact {
		out = append(out, k)
	}
	for _, s := range c.sentences {
		out = append(out, s.english)
	}
	out = slices.DeleteFunc(out, func(s string) bool { return c.also[s] })
	slices.Sort(out)
	return out
}

func (c *Catalog) add(name, text string) error {
	var english, chinese []string
	first, also := 0, false
	flush := func() error {
		if len(english) == 0 && len(chinese) == 0 {
			return nil
		}
		err := c.pair(strings.Join(english, "\n"), strings.Join(chinese, "\n"))
		if also {
			if c.also == nil {
				c.also = map[string]bool{}
			}
			c.also[strings.Join(english, "\n")] = true
		}
		english, chinese = nil, nil
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, first, err)
		}
		return nil
	}
	for i, line := range strings.Split(text, "\n") {
		switch {
		case line == "=" || strings.HasPrefix(line, "= "):
			if len(chinese) > 0 {
				if err := flush(); err != nil {
					return err
				}
			}
			if len(english) == 0 {
				first = i + 1
			}
			english = append(english, strings.TrimPrefix(line[1:], " "))
		case line == "~" || strings.HasPrefix(line, "~ "):
			chinese = append(chinese, strings.TrimPrefix(line[1:], " "))
		case line == "" || strings.HasPrefix(line, "#"):
			if err := flush(); err != nil {
				return err
			}
			also = also || line == "#!also"
		default:
			return fmt.Errorf("%s:%d: a line begins with '= ', '~ ' or '#'", name, i+1)
		}
	}
	if err := flush(); err != nil {
		return err
	}
	c.sort()
	return nil
}

func (c *Catalog) pair(english, chinese string) error {
	if english == "" || chinese == "" {
		return fmt.Errorf("%q has no %s", english+chinese, map[bool]string{true: "English", false: "Chinese"}[english == ""])
	}
	if c.exact == nil {
		c.exact = map[string]string{}
	}
	parts, verbs := split(english)
	if len(verbs) == 0 {
		plain := strings.ReplaceAll(english, "%%", "%")
		if _, twice := c.exact[plain]; twice {
			return fmt.Errorf("%q stands twice", english)
		}
		said, err := pieces(chinese, 0)
		if err != nil {
			return fmt.Errorf("%q: %w", english, err)
		}
		c.exact[plain] = said[0].text
		return nil
	}
	s := &sentence{english: english, parts: parts, verbs: verbs}
	for _, p := range parts {
		s.weight += len(p)
	}
	if slices.Contains(parts[1:len(parts)-1], "") {
		return fmt.Errorf("%q has two values with nothing between them: nobody can tell them apart", english)
	}
	if i := slices.IndexFunc(c.sentences, func(o *sentence) bool { return slices.Equal(o.parts, parts) }); i >= 0 {
		return fmt.Errorf("%q stands twice, as %q", english, c.sentences[i].english)
	}
	var err error
	if s.chinese, err = pieces(chinese, len(verbs)); err != nil {
		return fmt.Errorf("%q: %w", english, err)
	}
	c.sentences = append(c.sentences, s)
	return nil
}

// sort puts the sentences with most fixed letters first.
func (c *Catalog) sort() {
	slices.SortStableFunc(c.sentences, func(a, b *sentence) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.english, b.english)
	})
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[0-9.]*([a-zA-Z%])`)

// split takes a format apart. The quotes of %q are fixed letters.
func split(format string) (parts []string, verbs []byte) {
	last := ""
	for {
		m := verb.FindStringSubmatchIndex(format)
		if m == nil {
			return append(parts, last+format), verbs
		}
		last += format[:m[0]]
		switch v := format[m[4]]; v {
		case '%':
			last += "%"
		case 'q':
			parts, verbs, last = append(parts, last+`"`), append(verbs, v), `"`
		default:
			parts, verbs, last = append(parts, last), append(verbs, v), ""
		}
		format = format[m[1]:]
	}
}

// pieces reads a Chinese format. Every value of the English stands in it.
func pieces(format string, values int) ([]piece, error) {
	var out []piece
	used := make([]bool, values)
	next := 1
	text := ""
	for {
		m := verb.FindStringSubmatchIndex(format)
		if m == nil {
			text += format
			break
		}
		text += format[:m[0]]
		if format[m[4]] == '%' {
			text += "%"
		} else {
			n := next
			if m[2] >= 0 {
				n, _ = strconv.Atoi(format[m[2]:m[3]])
			}
			if n < 1 || n > values {
				return nil, fmt.Errorf("the Chinese has value %d, the English has %d values", n, values)
			}
			used[n-1], next = true, n+1
			out, text = append(out, piece{text: text}, piece{value: n}), ""
		}
		format = format[m[1]:]
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("the Chinese lacks value %d", i+1)
	}
	return append(out, piece{text: text}), nil
}

// values takes the values out of a finished sentence.
func (s *sentence) values(text string) ([]string, bool) {
	rest, ok := strings.CutPrefix(text, s.parts[0])
	if !ok {
		return nil, false
	}
	end := s.parts[len(s.parts)-1]
	if !strings.HasSuffix(rest, end) {
		return nil, false
	}
	rest = rest[:len(rest)-len(end)]
	out := make([]string, 0, len(s.verbs))
	for i, v := range s.verbs {
		value := rest
		if i < len(s.verbs)-1 {
			at := strings.Index(rest, s.parts[i+1])
			if at < 0 {
				return nil, false
			}
			value, rest = rest[:at], rest[at+len(s.parts[i+1]):]
		}
		switch {
		case v == 'd' && !number(value):
			return nil, false
		case v == 'q':
			value = `"` + value + `"`
		}
		out = append(out, value)
	}
	return out, true
}

func number(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}

// refusalLine is how a refusal is written in one line: code, what is wrong, the rule, the day on which it would pass, what to do.
var refusalLine = regexp.MustCompile(`^(?s:(?:([EW]_[A-Z0-9_]+): )?(.*) \(rule (.+?)\)(?:; passes on (\d{4}-\d{2}-\d{2}))?(?:; (.*))?)$`)

// depth bounds sentences within sentences.
const depth = 5

// Text says a text in a language. What the catalogue does not know stays as it is.
func (c *Catalog) Text(l Language, s string) string {
	out, _ := c.Known(l, s)
	return out
}

// Known is Text, and says whether the catalogue knew.
func (c *Catalog) Known(l Language, s string) (string, bool) {
	if l != Chinese {
		return s, true
	}
	return c.chinese(s, depth)
}

func (c *Catalog) chinese(s string, depth int) (string, bool) {
	if zh, ok := c.exact[s]; ok {
		return zh, true
	}
	if depth == 0 || s == "" {
		return s, false
	}
	line := refusalLine.FindStringSubmatch(s)
	if line != nil {
		if zh, known := c.refusal(line, depth-1); known {
			return zh, true
		}
	}
	if t, values := c.sentence(s); t != nil {
		var b strings.Builder
		for _, p := range t.chinese {
			if p.value == 0 {
				b.WriteString(p.text)
				continue
			}
			value, _ := c.chinese(values[p.value-1], depth-1)
			b.WriteString(value)
		}
		return b.String(), true
	}
	if line != nil {
		return c.refusal(line, depth-1)
	}
	// Of a chain of causes what is known is said.
	if before, after, ok := strings.Cut(s, ": "); ok {
		if zh, known := c.chinese(after, depth-1); known {
			if own, known := c.exact[before]; known {
				before = own
			}
			return before + "：" + zh, true
		}
	}
	return s, false
}

// sentence finds the format that a sentence was made by; nil: none.
func (c *Catalog) sentence(s string) (*sentence, []string) {
	for _, t := range c.sentences {
		values, ok := t.values(s)
		// A format that fixes little fits much: what stands in it must be a word, or known.
		if ok && t.weight < little && slices.ContainsFunc(values, func(v string) bool {
			_, known := c.exact[v]
			return !known && words.MatchString(v)
		}) {
			ok = false
		}
		if ok {
			return t, values
		}
	}
	return nil, nil
}

// words is English of more than one word.
var words = regexp.MustCompile(`[A-Za-z]+ [A-Za-z]+`)

// little is how many fixed bytes of a format are few.
const little = 12

// Entry names the English of the pair by which a text is said: for tests.
func (c *Catalog) Entry(s string) (english string, ok bool) {
	if _, ok := c.exact[s]; ok {
		return s, true
	}
	if t, _ := c.sentence(s); t != nil {
		return t.english, true
	}
	return "", false
}

// refusal says a refusal's line.
func (c *Catalog) refusal(m []string, depth int) (string, bool) {
	text, known := c.chinese(m[2], depth)
	out := text + "（依据 " + m[3] + "）"
	if m[1] != "" {
		out = m[1] + "：" + out
	}
	if m[4] != "" {
		out += "；" + m[4] + " 起可通过"
	}
	if m[5] != "" {
		remedy, ok := c.chinese(m[5], depth)
		out, known = out+"；"+remedy, known && ok
	}
	return out, known
}
