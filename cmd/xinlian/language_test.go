package main

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/langtest"
)

// The help of every verb and flag, and every error of the program, is said in Chinese as well.
func TestHelpAndErrorsInChinese(t *testing.T) {
	ran := false
	said := append(langtest.Help(rootCmd(&ran, lang.English)), langtest.Sentences(t, "../..", nil, "cmd/xinlian", "node/receipt", "networks/runner")...)
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		t.Fatal(err)
	}
	langtest.Hold(t, catalog(), said...)
	langtest.Used(t, own, catalog(), said...)
}
