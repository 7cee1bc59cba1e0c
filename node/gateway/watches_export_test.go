package gateway

import "github.com/xinlian-ledger/xinlian/node/watch"

// Restarted reads the watches from their folder anew.
func (g *Gateway) Restarted(dir string) { g.watches = watch.New(dir) }
