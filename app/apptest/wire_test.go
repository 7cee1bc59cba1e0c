package apptest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

var update = flag.Bool("update", false, "write the tables of WIRE.md and FORMAT.md again")

// section compares what stands between two lines of a document with what a test makes, or writes it anew.
func section(t *testing.T, path, begin, end, made string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	must(t, err)
	head, rest, ok := strings.Cut(string(raw), begin+"\n")
	body, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no section between %q and %q", path, begin, end)
	}
	if *update {
		must(t, os.WriteFile(path, []byte(head+begin+"\n"+made+end+tail), 0o644))
		return
	}
	if body != made {
		t.Errorf("%s: the section after %q is not what the code makes; run this test with -update and read the difference. It makes:\n%s", path, begin, made)
	}
}

// TestWireRefusals holds the table of refusals of WIRE.md against those that are declared. Numbers only come in addition: a line that goes or
// changes its number breaks clients and the replay of old blocks.
func TestWireRefusals(t *testing.T) {
	var b strings.Builder
	b.WriteString("| number | code | rule | meaning |\n|---|---|---|---|\n")
	for _, r := range x.Refusals() {
		if r.Number < 9000 {
			fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", r.Number, r.Code, r.Rule, r.Text)
		}
	}
	section(t, "../../proto/xinlian/v1/WIRE.md",
		"<!-- refusals: made by go test ./app/apptest -run TestWireRefusals -update -->", "<!-- end of refusals -->", b.String())
}

// TestWireNumbers holds the numbers that WIRE.md says in words.
func TestWireNumbers(t *testing.T) {
	raw, err := os.ReadFile("../../proto/xinlian/v1/WIRE.md")
	must(t, err)
	for _, want := range []string{
		fmt.Sprintf("1990-01-01 (%d) to 2100-12-31 (%d)", mustDate(t, "1990-01-01"), calendar.Max),
		"| transaction | 737,280 bytes |", "| messages in a transaction | 1,000, at least 1 |", "| block | 4,194,304 bytes, 20,000 messages |",
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("WIRE.md does not say %q", want)
		}
	}
}

// TestFormatTables holds the dictionary of FORMAT.md against the tables that are declared.
func TestFormatTables(t *testing.T) {
	var b strings.Builder
	b.WriteString("| prefix | table and key | binding |\n|---|---|---|\n")
	for _, i := range x.Tables() {
		fmt.Fprintf(&b, "| `%02x` | %s | %s |\n", i.Prefix, i.Layout, i.Binding)
	}
	section(t, "../../x/standing/FORMAT.md",
		"<!-- tables: made by go test ./app/apptest -run TestFormatTables -update -->", "<!-- end of tables -->", b.String())
}
