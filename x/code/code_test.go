package code_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/x/code"
)

// TestScripts runs testdata/*.txt: the command names the function, each line is one input (in Go
// quotes if it needs them; "" for an empty one), each line of output one verdict. All numbers are
// synthetic.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			run, ok := commands[td.Cmd]
			if !ok {
				td.Fatalf(t, "unknown command")
			}
			var out strings.Builder
			for _, line := range strings.Split(td.Input, "\n") {
				in := line
				if strings.HasPrefix(line, `"`) {
					var err error
					if in, err = strconv.Unquote(line); err != nil {
						td.Fatalf(t, "%s: %v", line, err)
					}
				}
				fmt.Fprintf(&out, "%s => %s\n", line, run(in))
			}
			return out.String()
		})
	})
}

var commands = map[string]func(string) string{
	"uscc": func(s string) string {
		if err := code.CheckUSCC(s); err != nil {
			return verdict(err)
		}
		if !code.OrgCheckOK(s) {
			return code.WarnUSCCOrgCheck
		}
		return "OK"
	},
	"mend-uscc":       mend(code.NormalizeUSCC, code.CheckUSCC),
	"mend-region":     mend(code.NormalizeRegion, code.CheckRegion),
	"mend-commitment": mend(code.NormalizeCommitmentCode, code.CheckCommitmentCode),
	"mend-docno":      mend(code.NormalizeDocNo, code.CheckDocNo),
	"region":          check(code.CheckRegion),
	"docno":           check(code.CheckDocNo),
	"token":           check(func(s string) error { return code.CheckCodeToken(s, 12) }),
	"text":            check(func(s string) error { return code.CheckText(s, 12) }),
	"mend-text":       func(s string) string { out, changed := code.MendText(s); return quoted(out, changed) },
	"mend-line":       func(s string) string { out, changed := code.MendLine(s); return quoted(out, changed) },
	"half-width":      func(s string) string { return strconv.Quote(code.ToHalfWidth(s)) },
	"commitment": func(s string) string {
		p, err := code.ParseCommitmentCode(s)
		if err != nil {
			return verdict(err)
		}
		return fmt.Sprintf("region %s day %04d-%02d-%02d serial %s", p.Region, p.Year, p.Month, p.Day, p.Serial)
	},
	"wan": func(s string) string {
		fen, err := code.ParseWanYuan(s)
		if err != nil {
			return verdict(err)
		}
		return fmt.Sprintf("%d fen = %s 万元", fen, code.FormatWanYuan(fen))
	},
	"kinds": func(s string) string {
		kinds, err := code.ParsePenaltyKinds(s)
		if err != nil {
			return verdict(err)
		}
		return fmt.Sprint(kinds)
	},
	"pii": func(s string) string {
		if kind, found := code.ScanPII(s); found {
			return kind
		}
		return "nothing"
	},
	"commitment-type":    named(code.ParseCommitmentType, code.CommitmentTypeName),
	"subject-category":   named(code.ParseSubjectCategory, code.SubjectCategoryName),
	"fulfilment-status":  named(code.ParseFulfilmentStatus, code.FulfilmentStatusName),
	"publication-type":   named(code.ParsePublicationType, code.PublicationTypeName),
	"severity":           named(code.ParseSeverity, code.SeverityName),
	"procedure":          named(code.ParseProcedure, code.ProcedureName),
	"complete-uscc":      func(s string) string { a, b, _ := strings.Cut(s, " "); return quoted(code.CompleteUSCC(a, b), false) },
	"penalty-kind-names": func(s string) string { return penaltyNames() },
}

func verdict(err error) string {
	if err == nil {
		return "OK"
	}
	var p *code.Problem
	if !errors.As(err, &p) {
		return "not a Problem: " + err.Error()
	}
	return err.Error()
}

func check(f func(string) error) func(string) string {
	return func(s string) string { return verdict(f(s)) }
}

func mend(normalize func(string) (string, bool), check func(string) error) func(string) string {
	return func(s string) string {
		out, changed := normalize(s)
		res := verdict(check(out))
		if changed {
			res = "mended " + out + " " + res
		}
		if again, twice := normalize(out); twice {
			res += " but not stable: " + again
		}
		return res
	}
}

func named(parse func(string) (uint32, error), name func(uint32) string) func(string) string {
	return func(s string) string {
		n, err := parse(s)
		if err != nil {
			return verdict(err)
		}
		return fmt.Sprintf("%d %s", n, name(n))
	}
}

func quoted(s string, changed bool) string {
	if changed {
		return "mended " + strconv.Quote(s)
	}
	return strconv.Quote(s)
}

func penaltyNames() string {
	var names []string
	for _, n := range code.PenaltyKinds() {
		names = append(names, fmt.Sprint(n, " ", code.PenaltyKindName(n)))
	}
	return strings.Join(names, ", ")
}
