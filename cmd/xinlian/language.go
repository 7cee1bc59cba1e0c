package main

import (
	_ "embed"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
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

// speaks gives the language of a verb that runs.
func speaks(cmd *cobra.Command) lang.Language { return shell.Speaks(cmd) }

// sayf writes a line to people in the language of the verb.
func sayf(cmd *cobra.Command, w io.Writer, format string, args ...any) {
	shell.Sayf(cmd, catalog, w, format, args...)
}
