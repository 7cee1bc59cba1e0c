package main

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

//go:embed zh.txt
var ownWords string

// words is what the program can say in Chinese: its own, and what it passes on of x/attest.
var words = sync.OnceValue(func() *lang.Catalog {
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		panic(err) // a test reads it
	}
	return lang.Ledger().With(own)
})

// sayf writes a line to people in the language of the verb.
func sayf(cmd *cobra.Command, w io.Writer, format string, args ...any) {
	for i, a := range args {
		if s, is := a.(string); is {
			args[i] = shown(s)
		}
	}
	shell.Sayf(cmd, words, w, format, args...)
}

// shown is a text that anybody may have written into a file: what would move the cursor, end the line or turn the direction of reading is quoted.
func shown(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' } // the blank of Chinese texts
	if utf8.ValidString(s) && !strings.ContainsFunc(s, odd) {
		return s
	}
	return strconv.Quote(s)
}

// verdictLine is a verdict for people.
func verdictLine(cmd *cobra.Command, d *attest.Verdict) string {
	if shell.Speaks(cmd) == lang.English {
		return d.String()
	}
	word := "成立"
	if !d.Holds {
		word = "不成立"
	}
	line := fmt.Sprintf("%s  %s  %s  高度 %d  %s（已过 %s）  签名权重 %d/%d",
		word, d.Subject, d.Claim, d.Height, d.Time.Format(time.RFC3339), d.Age.Truncate(time.Second), d.SignedPower, d.TotalPower)
	if !d.Enrolled {
		line += "  未登记"
	}
	if d.Reason != "" {
		line += "（" + words().Text(lang.Chinese, d.Reason) + "）"
	}
	return line
}
