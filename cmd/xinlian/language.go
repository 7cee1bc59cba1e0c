package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xinlian-ledger/xinlian/node/lang"
)

//go:embed zh.txt
var ownWords string

// catalog is what the program can say in Chinese: its own help and errors, and what it passes on of the ledger's.
var catalog = sync.OnceValue(func() *lang.Catalog {
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		panic(err) // a test reads it
	}
	return lang.Ledger().With(own)
})

const langFlag = "lang"

// languageOf finds the language before the command line is read: help and the errors of reading it are in it already. --lang wins over the
// environment.
func languageOf(args []string) lang.Language {
	for i, a := range args {
		v, given := strings.CutPrefix(a, "--"+langFlag+"=")
		switch {
		case a == "--":
			return lang.Environment(os.Getenv)
		case a == "--"+langFlag && i+1 < len(args):
			v, given = args[i+1], true
		}
		if given {
			if l, ok := lang.Named(v); ok {
				return l
			}
		}
	}
	return lang.Environment(os.Getenv)
}

// langValue is --lang.
type langValue lang.Language

func (v *langValue) String() string { return string(*v) }
func (v *langValue) Type() string   { return "string" }
func (v *langValue) Set(s string) error {
	l, ok := lang.Named(s)
	if !ok {
		return fmt.Errorf("the languages are zh and en")
	}
	*v = langValue(l)
	return nil
}

// speaks gives the language of a verb that runs.
func speaks(cmd *cobra.Command) lang.Language {
	if f := cmd.Root().PersistentFlags().Lookup(langFlag); f != nil {
		return lang.Language(f.Value.String())
	}
	return lang.English
}

// sayf writes a line to people in the language of the verb.
func sayf(cmd *cobra.Command, w io.Writer, format string, args ...any) {
	fmt.Fprintln(w, catalog().Text(speaks(cmd), fmt.Sprintf(format, args...)))
}

// translate puts the help of a tree of verbs into a language.
func translate(root *cobra.Command, l lang.Language) {
	if l == lang.English {
		return
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	cobra.AddTemplateFunc("flagWords", flagWords)
	root.SetUsageTemplate(usageInChinese)
	each(root, func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Short, c.Long, c.Example = catalog().Text(l, c.Short), catalog().Text(l, c.Long), exampleIn(l, c.Example)
		flags := func(f *pflag.Flag) { f.Usage = catalog().Text(l, f.Usage) }
		c.Flags().VisitAll(flags)
		c.PersistentFlags().VisitAll(flags)
	})
}

func each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		each(sub, fn)
	}
}

// exampleIn translates what of an example is no command line and no file: the words between them.
func exampleIn(l lang.Language, example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		text := strings.TrimLeft(line, " ")
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "xinlian ") {
			continue
		}
		lines[i] = line[:len(line)-len(text)] + catalog().Text(l, text)
	}
	return strings.Join(lines, "\n")
}

// flagWords replaces what pflag itself says between the flags.
func flagWords(usages string) string {
	return strings.ReplaceAll(usages, "(default ", "(默认 ")
}

// usageInChinese is cobra's template in Chinese.
const usageInChinese = `用法：{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [命令]{{end}}{{if gt (len .Aliases) 0}}

别名：
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

示例：
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

命令：{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

选项：
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces | flagWords}}{{end}}{{if .HasAvailableInheritedFlags}}

通用选项：
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces | flagWords}}{{end}}{{if .HasAvailableSubCommands}}

用 "{{.CommandPath}} [命令] --help" 查看某个命令的说明。{{end}}
`
