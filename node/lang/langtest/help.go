package langtest

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

// Help lists what the help of a tree of verbs says. The tree speaks English.
func Help(root *cobra.Command) (out []Sentence) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	shell.Each(root, func(c *cobra.Command) {
		add := func(s string) {
			if s != "" && !strings.HasPrefix(s, "help for ") && !strings.HasPrefix(s, "one of ") {
				out = append(out, Sentence{English: strings.ReplaceAll(s, "%", "%%"), Where: c.CommandPath()})
			}
		}
		c.InitDefaultHelpFlag()
		add(c.Short)
		if !strings.HasPrefix(c.CommandPath(), root.Name()+" completion") { // cobra's own
			add(c.Long)
		}
		flags := func(f *pflag.Flag) { add(f.Usage) }
		c.Flags().VisitAll(flags)
		c.PersistentFlags().VisitAll(flags)
	})
	return out
}
