package lang

import (
	"strings"

	"golang.org/x/text/language"
)

// Language is one that the program speaks.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

var (
	tags    = []language.Tag{language.English, language.Chinese}
	matcher = language.NewMatcher(tags)
	ours    = []Language{English, Chinese}
)

// Accept chooses by the Accept-Language header of a request; English where it names neither.
func Accept(header string) Language {
	if header == "" {
		return English
	}
	// A header that is not well formed chooses nothing.
	asked, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(asked) == 0 {
		return English
	}
	_, i, confidence := matcher.Match(asked...)
	if confidence == language.No {
		return English
	}
	return ours[i]
}

// Named reads a language as people name it: zh, en, zh-CN, zh_CN.UTF-8.
func Named(s string) (Language, bool) {
	s, _, _ = strings.Cut(s, ".")
	s, _, _ = strings.Cut(s, "@")
	switch s {
	case "":
		return English, false
	case "C", "POSIX":
		return English, true
	}
	tag, err := language.Parse(s) // it takes _ for -
	if err != nil {
		return English, false
	}
	_, i, confidence := matcher.Match(tag)
	return ours[i], confidence != language.No
}

// Environment chooses as POSIX has it: the first of LC_ALL, LC_MESSAGES and LANG that is set decides.
func Environment(getenv func(string) string) Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			l, _ := Named(v)
			return l
		}
	}
	return English
}
