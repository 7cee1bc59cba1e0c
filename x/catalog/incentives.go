package catalog

import (
	"bytes"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// What incentives rest on: the incentive lists (守信激励名单). Nobody adds one but governance.

// incentiveListsMax bounds the table, versions counted.
const incentiveListsMax = 512

// Incentive lists, by code and version.
var incentiveLists = x.NewTable[pb.IncentiveList](0x29, "incentive lists: code 00 version[4]", x.Leaf)

// IncentiveList finds a version of a list.
func IncentiveList(r x.Reader, code string, version uint32) (*pb.IncentiveList, bool) {
	return incentiveLists.Get(r, versionKey(code, version))
}

// IncentiveListOn finds the version of a list that is in force on a day, as MeasureItemOn does.
func IncentiveListOn(r x.Reader, code string, on calendar.Date) (found *pb.IncentiveList, ok bool) {
	if code == "" {
		return nil, false
	}
	incentiveLists.Each(r, func(_ []byte, l *pb.IncentiveList) bool {
		if int32(on) >= l.ValidFrom {
			found, ok = l, l.ValidTo == 0 || int32(on) <= l.ValidTo
		}
		return true
	}, []byte(code), []byte{0})
	return found, ok
}

// EachIncentiveList visits all versions of all lists, by code and version.
func EachIncentiveList(r x.Reader, fn func(*pb.IncentiveList) (more bool)) {
	incentiveLists.Each(r, func(_ []byte, l *pb.IncentiveList) bool { return fn(l) })
}

func checkIncentiveList(l *pb.IncentiveList) error {
	if err := x.CheckToken(l.Code, "list code", false); err != nil {
		return err
	}
	if l.Version == 0 {
		return ErrIncentiveList.With("list %s has version 0", l.Code)
	}
	if err := checkLine(l.Name, "list "+l.Code+": name", pb.NameMax, ErrIncentiveList); err != nil {
		return err
	}
	if err := x.CheckToken(l.System, "system", true); err != nil {
		return err
	}
	if err := checkBasis("list "+l.Code, l.Basis, l.BasisLevel, pb.BASIS_DEPARTMENT_RULE); err != nil {
		return err
	}
	if len(l.Measures) == 0 || !ascending(l.Measures, pb.INCENTIVE_PRIORITY, pb.INCENTIVE_RECOMMENDATION) {
		return ErrIncentiveList.With("list %s: the measures are 1 to %d, ascending, at least one", l.Code, pb.INCENTIVE_RECOMMENDATION)
	}
	if l.TermMonths > monthsMax {
		return ErrIncentiveList.With("list %s: a term of %d months is longer than %d", l.Code, l.TermMonths, monthsMax)
	}
	if l.CleanOf < 0 || l.CleanOf > pb.SEVERITY_SERIOUS {
		return x.ErrEnum.With("list %s: the class that suspends is 0 to 3", l.Code)
	}
	if err := checkConfidence("list "+l.Code, l.NameConfidence, l.TermsConfidence); err != nil {
		return err
	}
	return checkVersionWindow("list "+l.Code, l.ValidFrom, l.ValidTo, ErrIncentiveList)
}

func checkIncentiveListChange(r x.Reader, l *pb.IncentiveList) error {
	if err := checkIncentiveList(l); err != nil {
		return err
	}
	if old, ok := IncentiveList(r, l.Code, l.Version); ok {
		same := *l
		same.ValidTo = old.ValidTo
		if !bytes.Equal(x.EncodeRow(old), x.EncodeRow(&same)) {
			return ErrIncentiveList.With("list %s version %d stands with another text", l.Code, l.Version)
		}
		return nil
	}
	n := 0
	EachIncentiveList(r, func(*pb.IncentiveList) bool { n++; return true })
	if n >= incentiveListsMax {
		return x.ErrTooMany.With("there are %d incentive lists, the most there may be", n)
	}
	return nil
}

func putIncentiveList(s x.State, l *pb.IncentiveList) {
	incentiveLists.Put(s, l, versionKey(l.Code, l.Version))
}
