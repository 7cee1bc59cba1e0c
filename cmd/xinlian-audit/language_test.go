package main

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/langtest"
)

// The help of every verb and flag, and every error and line of the program, is said in Chinese as well.
func TestHelpAndErrorsInChinese(t *testing.T) {
	said := append(langtest.Help(rootCmd(lang.English)), langtest.Sentences(t, "../..", nil, "cmd/xinlian-audit")...)
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		t.Fatal(err)
	}
	langtest.Hold(t, words(), said...)
	langtest.Used(t, own, words(), said...)
}
