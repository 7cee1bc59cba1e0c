package member

import (
	"fmt"

	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Check holds the state against the invariants of doc.go. That a governor is in force is not asked of a day here: windows run out
// by themselves, and only a change may be refused for it.
func Check(r x.Reader) error {
	for _, check := range []func(x.Reader) error{checkRows, checkValidatorKeys, checkOne, checkIndex, checkMandates} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// checkRows: rows are well formed (MEM-5 among it) and stand under their own code.
func checkRows(r x.Reader) error {
	var err error
	members.Each(r, func(key []byte, m *pb.Member) bool {
		if err = CheckMember(m); err != nil {
			err = fmt.Errorf("member %s: %w", key, err)
		} else if string(key) != m.Uscc {
			err = fmt.Errorf("member %s stands under %s", m.Uscc, key)
		}
		return err == nil
	})
	return err
}

// checkValidatorKeys is MEM-1 for validators, and the half of MEM-3 that no clock can undo.
func checkValidatorKeys(r x.Reader) error {
	var err error
	seen := map[string]string{}
	Each(r, func(m *pb.Member) bool {
		if len(m.ValidatorKey) == 0 {
			return true
		}
		if other, ok := seen[string(m.ValidatorKey)]; ok {
			err = fmt.Errorf("MEM-1: %s and %s share a validator key", other, m.Uscc)
		}
		seen[string(m.ValidatorKey)] = m.Uscc
		return err == nil
	})
	if err == nil && len(Validators(r)) == 0 {
		err = fmt.Errorf("MEM-3: there is no validator")
	}
	return err
}

// checkOne is MEM-6 and MEM-7.
func checkOne(r x.Reader) (err error) {
	speaks := ""
	Each(r, func(m *pb.Member) bool {
		if m.CreditChina && !m.Removed {
			if speaks != "" {
				err = fmt.Errorf("MEM-6: %s and %s speak for 信用中国", speaks, m.Uscc)
			}
			speaks = m.Uscc
		}
		if _, ok := Look(r, m.Successor); m.Successor != "" && !ok {
			err = fmt.Errorf("MEM-7: %s is succeeded by %s, which is no member", m.Uscc, m.Successor)
		}
		return err == nil
	})
	return err
}

// checkIndex is MEM-2, and MEM-1 for addresses: two members with one address cannot both stand in the index.
func checkIndex(r x.Reader) error {
	var err error
	want := 0
	Derive(r, func(key, value []byte) {
		want++
		if got, ok := r.Get(key); err == nil && (!ok || string(got) != string(value)) {
			err = fmt.Errorf("MEM-2, MEM-8: %x of %s is indexed as %q", key, value, got)
		}
	})
	have := 0
	for _, prefix := range []byte{addresses.Prefix, holders.Prefix} {
		r.Iterate([]byte{prefix}, nil, func(_, _ []byte) bool { have++; return true })
	}
	if err == nil && have != want {
		err = fmt.Errorf("MEM-2, MEM-8: %d keys and holders are indexed, the members have %d", have, want)
	}
	return err
}

// checkMandates is MEM-4.
func checkMandates(r x.Reader) error {
	var err error
	mandates.Each(r, func(key []byte, m *pb.Mandate) bool {
		if err = checkMandate(m); err != nil {
			err = fmt.Errorf("mandate %s: %w", key, err)
		} else if string(key) != m.Issuer+m.Submitter {
			err = fmt.Errorf("mandate of %s to %s stands under %s", m.Issuer, m.Submitter, key)
		}
		for _, party := range []string{m.Issuer, m.Submitter} {
			if p, ok := Get(r, party); (!ok || p.Removed) && err == nil {
				err = fmt.Errorf("MEM-4: mandate %s names %s, which is no member or has left", key, party)
			}
		}
		return err == nil
	})
	return err
}
