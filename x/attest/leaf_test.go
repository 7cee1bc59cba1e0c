package attest_test

import (
	"bytes"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// TestLeafIsTheLedgers: the ledger writes a standing where the verifier looks for it, and hashes it alike.
func TestLeafIsTheLedgers(t *testing.T) {
	if !bytes.Equal(attest.StandingKey(SubjectClean), standing.LeafKey(SubjectClean)) {
		t.Error("the keys differ")
	}
	doc := EntryOf(SubjectClean, Clean(SubjectClean)).Standing
	salt := standing.Salt(Sum("secret"), SubjectClean, doc)
	if attest.StandingValue(salt, doc) != attest.Hash(standing.LeafValue(salt, doc)) {
		t.Error("the values differ")
	}
}
