package member

import (
	"slices"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Bounds on the tables; those on a single row stand in pb.
const (
	membersMax  = 4096 // agencies of the province down to the counties, several times over
	mandatesMax = 256  // mandates of one issuer
	holdersMax  = 64   // members that keep copies: each owes a confirmation of every record that leaves

	usccLen = 18
)

// Prefix begins the keys of the rows of members, from which alone Validators follows.
const Prefix = 0x10

var (
	// Members, by code; removed ones stay.
	members = x.NewTable[pb.Member](Prefix, "members: uscc[18]", x.Leaf)
	// Whose an address is, also when the member is removed. Value: uscc[18]. Follows from members (MEM-2).
	addresses = x.Declare(x.TableInfo{Prefix: 0x11, Layout: "member keys: address[20]", Binding: x.Derived})
	// Who keeps copies of published records (下游). Value empty. Follows from members (MEM-8).
	holders = x.Declare(x.TableInfo{Prefix: 0x13, Layout: "holders: uscc[18]", Binding: x.Derived})
	// Mandates (委托), by issuer and submitter.
	mandates = x.NewTable[pb.Mandate](0x12, "mandates: issuer[18] submitter[18]", x.Leaf)
)

// Get finds a member, removed or not.
func Get(r x.Reader, uscc string) (*pb.Member, bool) {
	if len(uscc) != usccLen {
		return nil, false
	}
	return members.Get(r, []byte(uscc))
}

// Each visits the members by code, removed ones too.
func Each(r x.Reader, fn func(*pb.Member) (more bool)) {
	members.Each(r, func(_ []byte, m *pb.Member) bool { return fn(m) })
}

// Look is Get for looking at alone: the row is shared.
func Look(r x.Reader, uscc string) (*pb.Member, bool) {
	if len(uscc) != usccLen {
		return nil, false
	}
	return members.Look(r, []byte(uscc))
}

// ByAddress finds whose key an address is, to look at alone. Keys of removed members and keys outside their window are found too: the caller says
// what that means to it.
func ByAddress(r x.Reader, addr []byte) (*pb.Member, *pb.MemberKey, bool) {
	if len(addr) != pb.AddressBytes {
		return nil, nil, false
	}
	o := x.FromTables(r, address(addr), func() owned { // every message of a transaction asks for its signer
		m, k, ok := byAddress(r, addr)
		return owned{m, k, ok}
	})
	return o.member, o.key, o.ok
}

type address [pb.AddressBytes]byte

// owned is whose key an address is.
type owned struct {
	member *pb.Member
	key    *pb.MemberKey
	ok     bool
}

func byAddress(r x.Reader, addr []byte) (*pb.Member, *pb.MemberKey, bool) {
	uscc, ok := x.Peek(r, x.Key(addresses.Prefix, addr))
	if !ok {
		return nil, nil, false
	}
	m, ok := members.Look(r, uscc)
	if !ok {
		x.Faultf("the key index names member %s, which is not there", uscc)
	}
	for _, k := range m.Keys {
		if string(k.Address) == string(addr) {
			return m, k, true
		}
	}
	x.Faultf("the key index gives member %s a key that its row has not", uscc)
	return nil, nil, false
}

// heirsMax bounds the steps from an agency that has left to the one that carries on its powers.
const heirsMax = 8

// Heir gives who decides on what an agency has recorded, to look at alone: the agency itself, or where it has left the one that carries on its powers,
// which may have left and been succeeded in its turn. None: it has left and nobody does.
func Heir(r x.Reader, uscc string) (*pb.Member, bool) {
	for range heirsMax {
		m, ok := Look(r, uscc)
		if !ok {
			return nil, false
		}
		if !m.Removed {
			return m, true
		}
		uscc = m.Successor
	}
	return nil, false
}

// Predecessors lists, by code, the agencies that have left and whose powers a member carries on.
func Predecessors(r x.Reader, uscc string) (out []string) {
	Each(r, func(m *pb.Member) bool {
		if m.Removed {
			if heir, ok := Heir(r, m.Uscc); ok && heir.Uscc == uscc {
				out = append(out, m.Uscc)
			}
		}
		return true
	})
	return out
}

// MandateOf finds the mandate that an issuer gave a submitter, in force or not, to look at alone.
func MandateOf(r x.Reader, issuer, submitter string) (*pb.Mandate, bool) {
	if len(issuer) != usccLen || len(submitter) != usccLen {
		return nil, false
	}
	return mandates.Look(r, []byte(issuer), []byte(submitter))
}

// Mandated says whether a member holds a mandate of an issuer of a kind that is in force today.
func Mandated(ctx *x.Ctx, issuer, submitter string, kind pb.MandateKind) bool {
	m, ok := MandateOf(ctx, issuer, submitter)
	return ok && hasKind(m, kind) && InWindow(ctx.Today, m.ValidFrom, m.ValidTo)
}

// EachMandate visits the mandates by issuer and submitter; issuer "" means all.
func EachMandate(r x.Reader, issuer string, fn func(*pb.Mandate) (more bool)) {
	mandates.Each(r, func(_ []byte, m *pb.Mandate) bool { return fn(m) }, []byte(issuer))
}

// HasRole tells whether a key carries a role.
func HasRole(k *pb.MemberKey, role pb.Role) bool {
	for _, r := range k.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Carries tells whether a member that has not left has a key with a role.
func Carries(m *pb.Member, role pb.Role) bool {
	return !m.Removed && slices.ContainsFunc(m.Keys, func(k *pb.MemberKey) bool { return HasRole(k, role) })
}

// InWindow tells whether a day lies in a window whose ends count; 0 is an open end.
func InWindow(on calendar.Date, from, to int32) bool {
	return int32(on) >= from && (to == 0 || int32(on) <= to)
}

// Governors lists, by code, the members that may vote on a day: not removed, with a governor key in force. Each has one ballot,
// however many keys it has.
func Governors(r x.Reader, on calendar.Date) []string {
	var out []string
	Each(r, func(m *pb.Member) bool {
		if governs(m, on) {
			out = append(out, m.Uscc)
		}
		return true
	})
	return out
}

// Validators lists, by code, the members that run a validator.
func Validators(r x.Reader) []*pb.Member {
	var out []*pb.Member
	Each(r, func(m *pb.Member) bool {
		if validates(m) {
			out = append(out, m)
		}
		return true
	})
	return out
}

func governs(m *pb.Member, on calendar.Date) bool {
	if m.Removed {
		return false
	}
	for _, k := range m.Keys {
		if HasRole(k, pb.ROLE_GOVERNOR) && InWindow(on, k.ValidFrom, k.ValidTo) {
			return true
		}
	}
	return false
}

func validates(m *pb.Member) bool { return !m.Removed && m.ValidatorPower > 0 }

// Derive gives the rows of the key index that follow from the members: what state sync rebuilds and fsck compares.
func Derive(r x.Reader, emit func(key, value []byte)) {
	Each(r, func(m *pb.Member) bool {
		for _, k := range m.Keys {
			emit(x.Key(addresses.Prefix, k.Address), []byte(m.Uscc))
		}
		if holds(m) {
			emit(x.Key(holders.Prefix, []byte(m.Uscc)), []byte{})
		}
		return true
	})
}

func holds(m *pb.Member) bool { return m.Holder && !m.Removed }

// Holders lists, by code, the members that keep copies of published records.
func Holders(r x.Reader) (out []string) {
	r.Iterate([]byte{holders.Prefix}, nil, func(key, _ []byte) bool {
		out = append(out, string(key[1:]))
		return true
	})
	return out
}

// put writes a member and keeps the key index in step.
func put(s x.State, m *pb.Member) {
	if old, ok := members.Get(s, []byte(m.Uscc)); ok {
		for _, k := range old.Keys {
			s.Delete(x.Key(addresses.Prefix, k.Address))
		}
		if holds(old) && !holds(m) {
			s.Delete(x.Key(holders.Prefix, []byte(m.Uscc)))
		}
	}
	for _, k := range m.Keys {
		s.Set(x.Key(addresses.Prefix, k.Address), []byte(m.Uscc))
	}
	if holds(m) {
		s.Set(x.Key(holders.Prefix, []byte(m.Uscc)), []byte{})
	}
	members.Put(s, m, []byte(m.Uscc))
}

func putMandate(s x.State, m *pb.Mandate) {
	mandates.Put(s, m, []byte(m.Issuer), []byte(m.Submitter))
}
