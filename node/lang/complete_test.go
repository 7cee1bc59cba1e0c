package lang_test

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/langtest"
)

// Every refusal, of rules, gate, gateway and import, and every error of the parts that members use, is said in Chinese as well.
func TestNothingIsMissing(t *testing.T) {
	said := langtest.Sentences(t, "../..", []string{"With", "Reject", "problem"}, "x/...", "app/...", "node/gateway")
	said = append(said, langtest.Sentences(t, "../..", []string{"bad"}, "node/gateway")...)
	said = append(said, langtest.Sentences(t, "../..", nil, "node", "node/join", "node/peer", "app", "app/state", "node/client", "node/intake", "node/keys", "node/vault", "node/audit", "x/attest/...", "proto/xinlian/v1")...)
	langtest.Hold(t, lang.Ledger(), said...)
	langtest.Used(t, lang.Ledger(), lang.Ledger(), said...)
}
