// Package shell makes a command line speak the language of its reader: help, errors and what it reports, by --lang or by the environment.
//
// Trust: as package lang.
package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xinlian-ledger/xinlian/node/lang"
)

const langFlag = "lang"

// LanguageOf finds the language before the command line is read: help and the errors of reading it are in it already. --lang wins over the
// environment.
func LanguageOf(args []string) lang.Language {
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

// Speaks gives the language of a verb that runs.
func Speaks(cmd *cobra.Command) lang.Language {
	if f := cmd.Root().PersistentFlags().Lookup(langFlag); f != nil {
		return lang.Language(f.Value.String())
	}
	return lang.English
}

// Say says a text in a language. words is asked for the catalogue if that is not English.
func Say(words func() *lang.Catalog, l lang.Language, text string) string {
	if l == lang.English {
		return text
	}
	return words().Text(l, text)
}

// Sayf writes a line to people in the language of the verb.
func Sayf(cmd *cobra.Command, words func() *lang.Catalog, w io.Writer, format string, args ...any) {
	fmt.Fprintln(w, Say(words, Speaks(cmd), fmt.Sprintf(format, args...)))
}

// ErrorLine is an error in one line of a language.
func ErrorLine(words func() *lang.Catalog, l lang.Language, err error) string {
	return strings.Join(strings.Fields(Say(words, l, err.Error())), " ")
}

// Speak gives a program's whole tree of verbs --lang, and puts its help into a language.
func Speak(root *cobra.Command, l lang.Language, words func() *lang.Catalog) {
	root.PersistentFlags().Var((*langValue)(&l), langFlag, "language of help, errors and reports: zh or en (default by LC_ALL, LC_MESSAGES, LANG)")
	root.PersistentFlags().Lookup(langFlag).DefValue = ""
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(func(v *cobra.Command) error { return usage(v, l) })
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	strict(root)
	if l == lang.English {
		return
	}
	c := words()
	Each(root, func(v *cobra.Command) {
		v.InitDefaultHelpFlag()
		v.Short, v.Long, v.Example = c.Text(l, v.Short), c.Text(l, v.Long), exampleIn(c, l, v.Example)
		flags := func(f *pflag.Flag) { f.Usage = c.Text(l, f.Usage) }
		v.Flags().VisitAll(flags)
		v.PersistentFlags().VisitAll(flags)
	})
}

// strict refuses calls that cobra answers with help, as if that had been asked for, and shows how a verb is called where the number of its arguments is wrong.
func strict(root *cobra.Command) {
	Each(root, func(v *cobra.Command) {
		args := v.Args
		if args == nil || v.HasSubCommands() {
			return
		}
		v.Args = func(c *cobra.Command, given []string) error {
			if i := slices.Index(given, ""); i >= 0 { // of a variable that was not set
				return fmt.Errorf("argument %d is empty: the call is `%s`", i+1, c.UseLine())
			}
			err := args(c, given)
			if err == nil {
				return nil
			}
			switch said := err.Error(); {
			case strings.HasPrefix(said, "unknown command "): // cobra's way to say that there is no argument
				err = cobra.ExactArgs(0)(c, given)
			case !strings.HasPrefix(said, "accepts ") && !strings.HasPrefix(said, "requires at least "):
				return err
			}
			return fmt.Errorf("%w: the call is `%s`", err, c.UseLine())
		}
	})
	for _, v := range root.Commands() {
		switch v.Name() {
		case "completion": // it runs, so that its arguments are looked at
			v.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		case "help":
			v.Args = func(_ *cobra.Command, args []string) error {
				of, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 && of.HasSubCommands() {
					err = noVerb(of, rest[0])
				}
				return err
			}
		}
	}
}

func noVerb(c *cobra.Command, name string) error {
	return fmt.Errorf("unknown command %q for %q", name, c.CommandPath())
}

// flagError says of a flag's value what is expected in its place: pflag passes on the words of Go's own readers. Where it is the verb that is wrong, no flag is known.
func flagError(c *cobra.Command, err error) error {
	if c.HasSubCommands() && c.Flags().NArg() > 0 {
		return noVerb(c, c.Flags().Arg(0))
	}
	var v *pflag.InvalidValueError
	if !errors.As(err, &v) {
		return err
	}
	what := v.Unwrap()
	switch kind := v.GetFlag().Value.Type(); {
	case errors.Is(what, strconv.ErrRange):
		what = errors.New("it is out of range")
	case kind == "bool":
		what = errors.New("true or false is expected")
	case kind == "duration":
		what = errors.New("a duration such as 90s or 1h30m is expected")
	case strings.HasPrefix(kind, "uint"):
		what = errors.New("a whole number of 0 or more is expected")
	case strings.HasPrefix(kind, "int"):
		what = errors.New("a whole number is expected")
	case strings.HasPrefix(kind, "float"):
		what = errors.New("a number is expected")
	}
	return fmt.Errorf("invalid argument %q for %q flag: %w", v.GetValue(), "--"+v.GetFlag().Name, what)
}

// Each visits a verb and all below it.
func Each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		Each(sub, fn)
	}
}

// exampleIn translates what of an example is no command line and no file: the words between them.
func exampleIn(c *lang.Catalog, l lang.Language, example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		text := strings.TrimLeft(line, " ")
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "xinlian") {
			continue
		}
		lines[i] = line[:len(line)-len(text)] + c.Text(l, text)
	}
	return strings.Join(lines, "\n")
}

// headings of a usage, as cobra has them.
var headings = map[lang.Language]struct{ usage, verb, aliases, examples, verbs, flags, more, all, defaults string }{
	lang.English: {"Usage:", "[command]", "Aliases:", "Examples:", "Available Commands:", "Flags:", "Use %q for more information about a command.", "Global Flags:", "(default "},
	lang.Chinese: {"用法：", "[命令]", "别名：", "示例：", "命令：", "选项：", "用 %q 查看某个命令的说明。", "通用选项：", "(默认 "},
}

// usage writes how a verb is called. It is cobra's own in two languages; a template instead would pull text/template into small programs.
func usage(v *cobra.Command, l lang.Language) error {
	h, w := headings[l], v.OutOrStderr()
	part := func(heading, text string) { fmt.Fprintf(w, "\n\n%s\n%s", heading, strings.TrimRight(text, " \n")) }
	flags := func(f *pflag.FlagSet) string { return strings.ReplaceAll(f.FlagUsages(), "(default ", h.defaults) }
	fmt.Fprint(w, h.usage)
	if v.Runnable() {
		fmt.Fprintf(w, "\n  %s", v.UseLine())
	}
	if v.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n  %s %s", v.CommandPath(), h.verb)
	}
	if len(v.Aliases) > 0 {
		part(h.aliases, "  "+v.NameAndAliases())
	}
	if v.HasExample() {
		part(h.examples, v.Example)
	}
	if v.HasAvailableSubCommands() {
		var lines strings.Builder
		for _, sub := range v.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&lines, "  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
		part(h.verbs, lines.String())
	}
	if v.HasAvailableLocalFlags() {
		part(h.flags, flags(v.LocalFlags()))
	}
	if v.HasAvailableInheritedFlags() {
		part(h.all, flags(v.InheritedFlags()))
	}
	if v.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n\n"+h.more, v.CommandPath()+" "+h.verb+" --help")
	}
	fmt.Fprintln(w)
	return nil
}
