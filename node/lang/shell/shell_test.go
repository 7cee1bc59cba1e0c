package shell

import (
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
)

func TestLanguageOfCommandLine(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for line, want := range map[string]lang.Language{
		"query params": "en", "--lang zh query params": "zh", "query params --lang=zh": "zh", "query --lang en params": "en", "query -- --lang zh": "en", "query --lang": "en", "query --lang xx": "en",
	} {
		if got := LanguageOf(strings.Fields(line)); got != want {
			t.Errorf("%q speaks %s, want %s", line, got, want)
		}
	}
	t.Setenv("LC_ALL", "zh_CN.UTF-8")
	if got := LanguageOf(nil); got != lang.Chinese {
		t.Errorf("LC_ALL=zh_CN.UTF-8 speaks %s", got)
	}
}
