package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/langtest"
)

// The help of every verb and flag, and every error of the program, is said in Chinese as well.
func TestHelpAndErrorsInChinese(t *testing.T) {
	var said []langtest.Sentence
	ran := false
	root := rootCmd(&ran, lang.English)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	each(root, func(c *cobra.Command) {
		add := func(s string) {
			if s != "" && !strings.HasPrefix(s, "help for ") && !strings.HasPrefix(s, "one of ") {
				said = append(said, langtest.Sentence{English: strings.ReplaceAll(s, "%", "%%"), Where: c.CommandPath()})
			}
		}
		c.InitDefaultHelpFlag()
		add(c.Short)
		if !strings.HasPrefix(c.CommandPath(), "xinlian completion") { // cobra's own
			add(c.Long)
		}
		flags := func(f *pflag.Flag) { add(f.Usage) }
		c.Flags().VisitAll(flags)
		c.PersistentFlags().VisitAll(flags)
	})
	said = append(said, langtest.Sentences(t, "../..", nil, "cmd/xinlian")...)
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		t.Fatal(err)
	}
	langtest.Hold(t, catalog(), said...)
	langtest.Used(t, own, catalog(), said...)
}

func TestLanguageOfCommandLine(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for line, want := range map[string]lang.Language{
		"query params": "en", "--lang zh query params": "zh", "query params --lang=zh": "zh", "query --lang en params": "en", "query -- --lang zh": "en", "query --lang": "en", "query --lang xx": "en",
	} {
		if got := languageOf(strings.Fields(line)); got != want {
			t.Errorf("%q speaks %s, want %s", line, got, want)
		}
	}
	t.Setenv("LC_ALL", "zh_CN.UTF-8")
	if got := languageOf(nil); got != lang.Chinese {
		t.Errorf("LC_ALL=zh_CN.UTF-8 speaks %s", got)
	}
}
