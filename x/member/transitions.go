package member

import (
	"bytes"
	"slices"
	"strings"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const (
	validatorKeyBytes = 32 // ed25519
	powerMax          = 10 // small weights: no member may outvote the others by number alone
)

// Act says whether the signer may act for the issuer in a role, and gives the issuer. A kind other than MANDATE_UNSET lets a
// holder of a live mandate of that kind act in the issuer's name. The role is asked of the signer's own key in either case. The issuer is to
// be looked at alone.
func Act(ctx *x.Ctx, issuer string, role pb.Role, kind pb.MandateKind) (*pb.Member, error) {
	return act(ctx, issuer, role, kind, false)
}

// ActOn is Act for what stands already in the issuer's name. Where the issuer has left, the agency that carries on its powers (承继机关) decides in
// its place, itself or through its own mandates: the answer is the agency that acts. Nothing new is recorded in the name of one that has left.
func ActOn(ctx *x.Ctx, issuer string, role pb.Role, kind pb.MandateKind) (*pb.Member, error) {
	return act(ctx, issuer, role, kind, true)
}

// ActInAny is Act for what a key of any of several roles may do. Which of them counts may depend on what the message speaks of: this is asked before that is
// looked up, and without a role nobody learns from a refusal whether it stands (INV-03).
func ActInAny(ctx *x.Ctx, issuer string, kind pb.MandateKind, roles ...pb.Role) (err error) {
	for _, role := range roles {
		if _, err = Act(ctx, issuer, role, kind); err == nil {
			return nil
		}
	}
	return err
}

// Decides says whether the signer's agency decides on what an agency has recorded: it is that agency, or carries on its powers.
func Decides(ctx *x.Ctx, issuer string) bool {
	heir, ok := Heir(ctx, issuer)
	return ok && heir.Uscc == ctx.Member
}

func act(ctx *x.Ctx, issuer string, role pb.Role, kind pb.MandateKind, stands bool) (*pb.Member, error) {
	signer, key, ok := ByAddress(ctx, ctx.Signer)
	if !ok {
		return nil, ErrUnknown.With("the signer's key belongs to no member")
	}
	if signer.Removed {
		return nil, ErrRemoved.With("the signer's agency %s has left the consortium", signer.Uscc)
	}
	if !HasRole(key, role) {
		return nil, ErrRole.With("the key has not the role %s", roleName(role))
	}
	if !InWindow(ctx.Today, key.ValidFrom, key.ValidTo) {
		if int32(ctx.Today) < key.ValidFrom {
			return nil, ErrKeyWindow.With("the key is in force from %s on", calendar.Date(key.ValidFrom)).On(calendar.Date(key.ValidFrom))
		}
		return nil, ErrKeyWindow.With("the key was in force until %s", calendar.Date(key.ValidTo))
	}
	if issuer == signer.Uscc {
		return signer, nil
	}
	m, ok := Look(ctx, issuer)
	if !ok {
		return nil, ErrUnknown.With("the issuer %q is no member", clip(issuer))
	}
	if m.Removed && stands {
		heir, ok := Heir(ctx, issuer)
		if !ok {
			return nil, ErrNoSuccessor.With("the issuer %s has left the consortium and nobody carries on its powers", issuer)
		}
		if m, issuer = heir, heir.Uscc; issuer == signer.Uscc {
			return signer, nil
		}
	}
	if m.Removed {
		return nil, ErrRemoved.With("the issuer %s has left the consortium", issuer)
	}
	if kind == pb.MANDATE_UNSET {
		r := ErrMandate.With("only a key of the issuer %s itself may do this", issuer)
		r.Remedy = "sign with a key of the issuer; this cannot be mandated"
		return nil, r
	}
	g, ok := MandateOf(ctx, issuer, signer.Uscc)
	if !ok || !hasKind(g, kind) {
		return nil, ErrMandate.With("%s holds no mandate %s of %s", signer.Uscc, kindName(kind), issuer)
	}
	if !InWindow(ctx.Today, g.ValidFrom, g.ValidTo) {
		if int32(ctx.Today) < g.ValidFrom {
			return nil, ErrMandate.With("the mandate begins on %s", calendar.Date(g.ValidFrom)).On(calendar.Date(g.ValidFrom))
		}
		return nil, ErrMandate.With("the mandate ended on %s", calendar.Date(g.ValidTo))
	}
	return m, nil
}

// Competent says whether a member was competent on a day to decide penalties of these kinds for a violation in these regions: the
// region of the violation and those above it by the region table, nearest first (INV-05). The subject's place of registration has
// no part in it, nor has any digit of a code (INV-43).
//
// Each kind must be covered by a competence that is in force on that day, holds one of the regions, and names the same power as
// the record where both name one. Several competences together may cover the kinds: one decision may rest on several powers. A
// record that names a designation (指定管辖) rests on competences by that very document alone.
func Competent(m *pb.Member, regions []string, kinds []uint32, powerCode string, on calendar.Date, designation string) error {
	var (
		placed    bool             // a competence in force holds the place
		lapsed    []*pb.Competence // hold the place by delegation, but were not in force on that day
		uncovered = append([]uint32(nil), kinds...)
	)
	for _, c := range m.Competences {
		if len(c.PenaltyKinds) == 0 || !holdsAny(c.Regions, regions) || designation != "" && c.Delegation != designation {
			continue
		}
		if !InWindow(on, c.ValidFrom, c.ValidTo) {
			if c.Delegation != "" {
				lapsed = append(lapsed, c)
			}
			continue
		}
		placed = true
		if !samePower(c.PowerCode, powerCode) {
			continue
		}
		uncovered = without(uncovered, c.PenaltyKinds)
		if len(uncovered) == 0 {
			return nil
		}
	}
	for _, c := range lapsed { // would it have helped?
		if samePower(c.PowerCode, powerCode) && len(without(uncovered, c.PenaltyKinds)) < len(uncovered) {
			return ErrDelegation.With("the delegation %s of %s was in force %s, not on %s", c.Delegation, m.Uscc, window(c.ValidFrom, c.ValidTo), on)
		}
	}
	switch {
	case !placed && designation != "":
		return ErrDelegation.With("%s has no designation %s for the place of the violation %s", m.Uscc, clip(designation), first(regions))
	case !placed:
		return ErrJurisdiction.With("%s had no competence on %s for the place of the violation %s", m.Uscc, on, first(regions))
	case powerCode == "":
		return ErrCompetence.With("%s had no competence on %s in %s for penalty kinds %v", m.Uscc, on, first(regions), uncovered)
	}
	return ErrCompetence.With("%s had no competence on %s in %s for penalty kinds %v under power %s", m.Uscc, on, first(regions), uncovered, clip(powerCode))
}

// MayList says whether a member was competent on a day to enter subjects in a list (严重失信主体名单) for conduct in these regions: nearest first, as for
// Competent (INV-05).
func MayList(m *pb.Member, regions []string, list string, on calendar.Date) error {
	placed, named := false, false
	for _, c := range m.Competences {
		held := holdsAny(c.Lists, []string{list})
		named = named || held
		if !InWindow(on, c.ValidFrom, c.ValidTo) || !holdsAny(c.Regions, regions) {
			continue
		}
		if placed = true; held {
			return nil
		}
	}
	if !placed && named {
		return ErrJurisdiction.With("%s had no competence on %s for the place %s", m.Uscc, on, first(regions))
	}
	return ErrCompetence.With("%s had no competence on %s in %s for list %s", m.Uscc, on, first(regions), list)
}

// MayCarryOut says whether a member has the competence on a day to carry out an item of the list of measures.
func MayCarryOut(m *pb.Member, item string, on calendar.Date) bool {
	for _, c := range m.Competences {
		if InWindow(on, c.ValidFrom, c.ValidTo) && holdsAny(c.Measures, []string{item}) {
			return true
		}
	}
	return false
}

// rank is the order of levels within the province, from below; 0: the level stands in no such order.
func rank(l pb.Level) int {
	switch l {
	case pb.LEVEL_TOWNSHIP:
		return 1
	case pb.LEVEL_COUNTY, pb.LEVEL_ZONE:
		return 2
	case pb.LEVEL_PREFECTURE:
		return 3
	case pb.LEVEL_PROVINCE:
		return 4
	}
	return 0
}

// Below says whether a member has a level above it in the province: townships, counties, zones and prefectures have.
func Below(m *pb.Member) bool { return rank(m.Level) > 0 && m.Level != pb.LEVEL_PROVINCE }

// Above says whether a member is of a level above another, in the same line of command (系统), and acts over all the regions of that one. above gives a
// region and those above it by the region table. A credit authority is above by its office, where its regions reach.
func Above(m, of *pb.Member, above func(region string) []string) bool {
	if m.Removed || !Below(of) || len(of.Regions) == 0 || m.Uscc == of.Uscc {
		return false
	}
	if line := m.System != "" && m.System == of.System; !line && !m.Authority || rank(m.Level) <= rank(of.Level) {
		return false
	}
	for _, r := range of.Regions {
		if !holdsAny(m.Regions, above(r)) {
			return false
		}
	}
	return true
}

// CompetentFor is Competent for what a competence either names or does not: holds says whether one does. what is its name, for people.
func CompetentFor(m *pb.Member, regions []string, what string, holds func(*pb.Competence) bool, powerCode string, on calendar.Date, designation string) error {
	placed := false
	for _, c := range m.Competences {
		if !holds(c) || !holdsAny(c.Regions, regions) || designation != "" && c.Delegation != designation {
			continue
		}
		placed = true
		if samePower(c.PowerCode, powerCode) && InWindow(on, c.ValidFrom, c.ValidTo) {
			return nil
		}
	}
	switch {
	case designation != "":
		return ErrDelegation.With("%s had no designation %s in force on %s for %s in %s", m.Uscc, clip(designation), on, what, first(regions))
	case !placed:
		return ErrJurisdiction.With("%s had no competence on %s for %s in %s", m.Uscc, on, what, first(regions))
	}
	return ErrCompetence.With("%s had no competence on %s in %s for %s under power %q", m.Uscc, on, first(regions), what, clip(powerCode))
}

// CheckMember refuses a row that is not well formed. It needs no state.
func CheckMember(m *pb.Member) error {
	if err := x.CheckUSCC(m.Uscc, "uscc"); err != nil {
		return err
	}
	if m.Level < pb.LEVEL_PROVINCE || m.Level > pb.LEVEL_OTHER {
		return x.ErrEnum.With("level %d is not defined", m.Level)
	}
	if err := checkName(m.Name); err != nil {
		return err
	}
	if err := x.CheckToken(m.System, "system", true); err != nil {
		return err
	}
	if err := checkRegions(m.Regions, "regions"); err != nil {
		return err
	}
	if m.Successor != "" {
		if err := x.CheckUSCC(m.Successor, "successor"); err != nil {
			return err
		}
		if m.Successor == m.Uscc {
			return ErrForm.With("an agency does not succeed itself")
		}
	}
	if len(m.Competences) > pb.CompetenceMax {
		return x.ErrTooMany.With("%d competences, at most %d", len(m.Competences), pb.CompetenceMax)
	}
	for _, c := range m.Competences {
		if err := checkCompetence(c); err != nil {
			return err
		}
	}
	if len(m.Keys) > pb.KeysMax {
		return x.ErrTooMany.With("%d keys, at most %d", len(m.Keys), pb.KeysMax)
	}
	for i, k := range m.Keys {
		if err := checkKey(k); err != nil {
			return err
		}
		for _, other := range m.Keys[:i] {
			if bytes.Equal(other.Address, k.Address) {
				return ErrForm.With("key %x stands twice", k.Address)
			}
		}
	}
	if lends := slices.ContainsFunc(m.Keys, func(k *pb.MemberKey) bool { return HasRole(k, pb.ROLE_LENDER) }); lends {
		// It is told what the public is, and what subjects authorise: nothing that only agencies are.
		other := slices.ContainsFunc(m.Keys, func(k *pb.MemberKey) bool { return !HasRole(k, pb.ROLE_LENDER) })
		if other || len(m.Competences) > 0 || len(m.ValidatorKey) > 0 || m.Authority || m.CreditChina || m.Holder {
			return ErrForm.With("%s lends: it has lenders' keys alone, no competence, validator or office", m.Uscc)
		}
	}
	switch {
	case m.ValidatorPower < 0 || m.ValidatorPower > powerMax:
		return ErrForm.With("validator power %d is not between 0 and %d", m.ValidatorPower, powerMax)
	case len(m.ValidatorKey) != 0 && len(m.ValidatorKey) != validatorKeyBytes:
		return ErrForm.With("the validator key has %d bytes instead of %d", len(m.ValidatorKey), validatorKeyBytes)
	case m.ValidatorPower > 0 && len(m.ValidatorKey) == 0:
		return ErrForm.With("a validator power needs a validator key")
	}
	return nil
}

// CheckPut refuses what Put would refuse on a day.
func CheckPut(r x.Reader, today calendar.Date, m *pb.Member) error {
	if err := CheckMember(m); err != nil {
		return err
	}
	if m.Removed {
		return ErrForm.With("a member is removed by remove_member, not by put_member")
	}
	if err := checkUnique(r, m); err != nil {
		return err
	}
	if err := checkSuccessor(r, m.Successor); err != nil {
		return err
	}
	if _, known := Get(r, m.Uscc); !known {
		n := 0
		Each(r, func(*pb.Member) bool { n++; return true })
		if err := checkCount(n + 1); err != nil {
			return err
		}
	}
	if _, known := r.Get(x.Key(holders.Prefix, []byte(m.Uscc))); holds(m) && !known && len(Holders(r)) >= holdersMax {
		return x.ErrTooMany.With("%d members keep copies of published records, the most there may be", holdersMax)
	}
	if validates(m) {
		n := 1
		Each(r, func(other *pb.Member) bool {
			if other.Uscc != m.Uscc && validates(other) {
				n++
			}
			return true
		})
		if n > pb.ValidatorsMax { // the engine's set would have no room, and no block could end
			return x.ErrTooMany.With("there would be %d validators, at most %d", n, pb.ValidatorsMax)
		}
	}
	return checkRemain(r, today, m.Uscc, m)
}

// Put is M1, M2 and M4: it admits a member or replaces its row, as governance decided. It checks all before it writes.
func Put(ctx *x.Ctx, m *pb.Member) error {
	if err := CheckPut(ctx, ctx.Today, m); err != nil {
		return err
	}
	put(ctx, m)
	return nil
}

// CheckRemove refuses what Remove would refuse on a day.
func CheckRemove(r x.Reader, today calendar.Date, uscc string) error {
	m, ok := Get(r, uscc)
	if !ok {
		return ErrUnknown.With("%q is no member", clip(uscc))
	}
	if m.Removed {
		return ErrRemoved.With("%s has left the consortium already", uscc)
	}
	gone := *m
	gone.Removed = true
	return checkRemain(r, today, uscc, &gone)
}

// Remove is M3: the write rights end at this height, the row and the history stay (INV-33). Mandates that it gave or held end
// too, so that admitting it again brings none of them back to life.
func Remove(ctx *x.Ctx, uscc string) error {
	if err := CheckRemove(ctx, ctx.Today, uscc); err != nil {
		return err
	}
	m, _ := Get(ctx, uscc)
	m.Removed = true
	put(ctx, m)
	var ended []*pb.Mandate
	EachMandate(ctx, "", func(g *pb.Mandate) bool {
		if g.Issuer == uscc || g.Submitter == uscc {
			ended = append(ended, g)
		}
		return true
	})
	for _, g := range ended {
		mandates.Delete(ctx, []byte(g.Issuer), []byte(g.Submitter))
	}
	return nil
}

// CheckPutSuccessor refuses what PutSuccessor would refuse.
func CheckPutSuccessor(r x.Reader, s *pb.Succession) error {
	m, ok := Look(r, s.Member)
	if !ok {
		return ErrUnknown.With("%q is no member", clip(s.Member))
	}
	named := *m
	named.Successor = s.Successor
	if err := CheckMember(&named); err != nil {
		return err
	}
	return checkSuccessor(r, s.Successor)
}

// PutSuccessor is M8: governance names who carries on the powers of an agency once it has left. It may have left already.
func PutSuccessor(ctx *x.Ctx, s *pb.Succession) error {
	if err := CheckPutSuccessor(ctx, s); err != nil {
		return err
	}
	m, _ := Get(ctx, s.Member)
	m.Successor = s.Successor
	put(ctx, m)
	return nil
}

// checkSuccessor: who carries on powers is a member today. Whether it still is when they are used is Heir's question.
func checkSuccessor(r x.Reader, uscc string) error {
	if uscc == "" {
		return nil
	}
	m, ok := Look(r, uscc)
	switch {
	case !ok:
		return ErrUnknown.With("the successor %s is no member", clip(uscc))
	case m.Removed:
		return ErrRemoved.With("the successor %s has left the consortium", uscc)
	}
	return nil
}

// CheckGrantMandate needs no state.
func CheckGrantMandate(m *pb.GrantMandate) error { return checkMandate(&m.Mandate) }

// GrantMandate is M5 and M6, signed by a REVIEW key of the issuer: who decides in an agency's name may lend that name, whoever
// only records may not.
func GrantMandate(ctx *x.Ctx, m *pb.GrantMandate) (x.Done, error) {
	if err := CheckGrantMandate(m); err != nil {
		return x.Done{}, err
	}
	g := &m.Mandate
	if _, err := Act(ctx, g.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	submitter, ok := Get(ctx, g.Submitter)
	if !ok {
		return x.Done{}, ErrUnknown.With("the submitter %s is no member", g.Submitter)
	}
	if submitter.Removed {
		return x.Done{}, ErrRemoved.With("the submitter %s has left the consortium", g.Submitter)
	}
	old, known := MandateOf(ctx, g.Issuer, g.Submitter)
	if known && bytes.Equal(x.EncodeRow(old), x.EncodeRow(g)) {
		return x.Done{Note: x.AlreadyRecorded}, nil
	}
	if !known {
		n := 0
		EachMandate(ctx, g.Issuer, func(*pb.Mandate) bool { n++; return n < mandatesMax })
		if n >= mandatesMax {
			return x.Done{}, x.ErrTooMany.With("%s has given %d mandates, the most there may be", g.Issuer, n)
		}
	}
	putMandate(ctx, g)
	return x.Done{}, nil
}

// CheckRevokeMandate needs no state.
func CheckRevokeMandate(m *pb.RevokeMandate) error {
	if err := x.CheckUSCC(m.Issuer, "issuer"); err != nil {
		return err
	}
	return x.CheckUSCC(m.Submitter, "submitter")
}

// RevokeMandate is M7. Records that the submitter made in the issuer's name stay.
func RevokeMandate(ctx *x.Ctx, m *pb.RevokeMandate) (x.Done, error) {
	if err := CheckRevokeMandate(m); err != nil {
		return x.Done{}, err
	}
	if _, err := Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if _, ok := MandateOf(ctx, m.Issuer, m.Submitter); !ok {
		return x.Done{}, ErrMandateNone.With("%s has given %s no mandate", m.Issuer, m.Submitter)
	}
	mandates.Delete(ctx, []byte(m.Issuer), []byte(m.Submitter))
	return x.Done{}, nil
}

func checkName(name string) error {
	if name == "" {
		return ErrForm.With("the agency has no name")
	}
	if len(name) > pb.NameMax {
		return x.ErrTooMany.With("the agency's name has %d bytes, at most %d", len(name), pb.NameMax)
	}
	if err := code.CheckText(name, pb.NameMax); err != nil || strings.Contains(name, "\n") {
		return ErrForm.With("the agency's name is not one clean line of text")
	}
	return x.CheckPII(name, "name")
}

func checkCompetence(c *pb.Competence) error {
	if err := x.CheckToken(c.PowerCode, "power_code", true); err != nil {
		return err
	}
	if err := x.CheckToken(c.Delegation, "delegation", true); err != nil {
		return err
	}
	if len(c.Regions) == 0 {
		return ErrForm.With("a competence names at least one region")
	}
	if len(c.PenaltyKinds)+len(c.Lists)+len(c.Measures)+len(c.Incentives) == 0 && !c.Abnormal && !c.Other {
		return ErrForm.With("a competence names nothing: no penalty kind, list, measure, abnormal operation or other dishonesty")
	}
	if err := checkCodes(c.Lists, "lists"); err != nil {
		return err
	}
	if err := checkCodes(c.Incentives, "incentives"); err != nil {
		return err
	}
	if err := checkCodes(c.Measures, "measures"); err != nil {
		return err
	}
	if len(c.PenaltyKinds) > pb.KindsMax {
		return x.ErrTooMany.With("%d penalty kinds, at most %d", len(c.PenaltyKinds), pb.KindsMax)
	}
	for i, k := range c.PenaltyKinds {
		if (k < 1 || k > 13) && k != 99 {
			return x.ErrEnum.With("penalty kind %d is not defined", k)
		}
		if i > 0 && c.PenaltyKinds[i-1] >= k {
			return ErrForm.With("penalty kinds are not ascending")
		}
	}
	if err := checkRegions(c.Regions, "competence"); err != nil {
		return err
	}
	return checkWindow(c.ValidFrom, c.ValidTo, "competence")
}

// checkCodes holds a list of codes of lists or measures.
func checkCodes(list []string, field string) error {
	if len(list) > pb.ListCodesMax {
		return x.ErrTooMany.With("%d %s, at most %d", len(list), field, pb.ListCodesMax)
	}
	for i, s := range list {
		if err := x.CheckToken(s, field, false); err != nil {
			return err
		}
		if i > 0 && list[i-1] >= s {
			return ErrForm.With("the %s of a competence are not ascending", field)
		}
	}
	return nil
}

func checkKey(k *pb.MemberKey) error {
	if len(k.Address) != pb.AddressBytes {
		return ErrForm.With("a key address has %d bytes instead of %d", len(k.Address), pb.AddressBytes)
	}
	if len(k.Roles) == 0 {
		return ErrForm.With("key %x has no role", k.Address)
	}
	for i, r := range k.Roles {
		if r < pb.ROLE_GOVERNOR || r > pb.ROLE_EVALUATE {
			return x.ErrEnum.With("role %d is not defined", r)
		}
		if i > 0 && k.Roles[i-1] >= r {
			return ErrForm.With("the roles of key %x are not ascending", k.Address)
		}
	}
	if HasRole(k, pb.ROLE_AUDITOR) && len(k.Roles) > 1 {
		return ErrForm.With("key %x audits and writes: an auditor's key has no other role", k.Address)
	}
	if HasRole(k, pb.ROLE_LENDER) && len(k.Roles) > 1 {
		return ErrForm.With("key %x lends and acts as an agency: a lender's key has no other role", k.Address)
	}
	if err := x.CheckToken(k.Name, "key name", true); err != nil {
		return err
	}
	return checkWindow(k.ValidFrom, k.ValidTo, "key")
}

func checkMandate(m *pb.Mandate) error {
	if err := x.CheckUSCC(m.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckUSCC(m.Submitter, "submitter"); err != nil {
		return err
	}
	if m.Issuer == m.Submitter {
		return ErrMandateForm.With("an agency needs no mandate of its own")
	}
	if len(m.Kinds) == 0 {
		return ErrMandateForm.With("the mandate names no kind")
	}
	for i, k := range m.Kinds {
		if k < pb.MANDATE_PENALTY || k > pb.MANDATE_DISHONESTY {
			return x.ErrEnum.With("mandate kind %d is not defined", k)
		}
		if i > 0 && m.Kinds[i-1] >= k {
			return ErrMandateForm.With("the kinds are not ascending")
		}
	}
	return checkWindow(m.ValidFrom, m.ValidTo, "mandate")
}

func checkRegions(regions []string, field string) error {
	if len(regions) > pb.RegionsMax {
		return x.ErrTooMany.With("%s: %d regions, at most %d", field, len(regions), pb.RegionsMax)
	}
	seen := make(map[string]bool, len(regions)) // DETERMINISM: looked up, never ranged over
	for _, r := range regions {
		if code.CheckRegion(r) != nil {
			return ErrForm.With("%s: %q is not a region code", field, clip(r))
		}
		if seen[r] {
			return ErrForm.With("%s: region %s stands twice", field, r)
		}
		seen[r] = true
	}
	return nil
}

func checkWindow(from, to int32, field string) error {
	if err := x.CheckDate(from, field+" valid_from", true); err != nil {
		return err
	}
	if err := x.CheckDate(to, field+" valid_to", true); err != nil {
		return err
	}
	if to != 0 && to < from {
		return x.ErrDate.With("%s ends on %s, before it begins on %s", field, calendar.Date(to), calendar.Date(from))
	}
	return nil
}

// checkUnique is MEM-1. Keys of removed members count as taken: their history stays theirs.
func checkUnique(r x.Reader, m *pb.Member) error {
	for _, k := range m.Keys {
		if other, ok := r.Get(x.Key(addresses.Prefix, k.Address)); ok && string(other) != m.Uscc {
			return ErrKeyTaken.With("key %x belongs to %s", k.Address, other)
		}
	}
	var err error
	Each(r, func(other *pb.Member) bool {
		if other.Uscc != m.Uscc && m.CreditChina && other.CreditChina && !other.Removed {
			err = ErrForm.With("%s speaks for 信用中国 already: there is one point of publication", other.Uscc)
		}
		if other.Uscc != m.Uscc && len(m.ValidatorKey) != 0 && bytes.Equal(other.ValidatorKey, m.ValidatorKey) {
			err = ErrKeyTaken.With("the validator key belongs to %s", other.Uscc)
		}
		return err == nil
	})
	return err
}

func checkCount(n int) error {
	if n > membersMax {
		return x.ErrTooMany.With("there would be %d members, at most %d", n, membersMax)
	}
	return nil
}

// checkRemain is MEM-3 with the row of one member replaced.
func checkRemain(r x.Reader, today calendar.Date, uscc string, now *pb.Member) error {
	governor, validator := governs(now, today), validates(now)
	Each(r, func(m *pb.Member) bool {
		if m.Uscc != uscc {
			governor = governor || governs(m, today)
			validator = validator || validates(m)
		}
		return !governor || !validator
	})
	switch {
	case !governor:
		return ErrLastGovernor
	case !validator:
		return ErrLastValidator
	}
	return nil
}

// samePower tells whether two power codes (权责清单编码) can be the same power: an empty one names none.
func samePower(a, b string) bool { return a == "" || b == "" || a == b }

func hasKind(m *pb.Mandate, kind pb.MandateKind) bool {
	for _, k := range m.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}

func holdsAny(have, want []string) bool {
	for _, h := range have {
		for _, w := range want {
			if h == w {
				return true
			}
		}
	}
	return false
}

// without gives the kinds that are not among those covered.
func without(kinds, covered []uint32) []uint32 {
	var out []uint32
	for _, k := range kinds {
		found := false
		for _, c := range covered {
			found = found || c == k
		}
		if !found {
			out = append(out, k)
		}
	}
	return out
}

func first(s []string) string {
	if len(s) == 0 {
		return "(unknown region)"
	}
	return clip(s[0])
}

// clip keeps what came from outside from filling a refusal.
func clip(s string) string {
	if len(s) > pb.TokenMax {
		return s[:pb.TokenMax] + "…"
	}
	return s
}

func window(from, to int32) string {
	switch {
	case from == 0:
		return "until " + calendar.Date(to).String()
	case to == 0:
		return "from " + calendar.Date(from).String()
	}
	return "from " + calendar.Date(from).String() + " to " + calendar.Date(to).String()
}

func roleName(r pb.Role) string {
	names := [...]string{"?", "GOVERNOR (治理)", "REGISTRY (登记)", "RECORD (录入)", "VERIFY (核验)", "REVIEW (审核)", "AGENT (代办)", "AUDITOR (审计)", "GATEWAY (网关)", "LENDER (金融机构)", "EVALUATE (评价)"}
	if r < 0 || int(r) >= len(names) {
		r = 0
	}
	return names[r]
}

func kindName(k pb.MandateKind) string {
	names := [...]string{"?", "PENALTY (处罚)", "PUBLISH (公示)", "COMMITMENT (承诺)", "FULFILLMENT (践诺)", "DISHONESTY (失信信息)"}
	if k < 0 || int(k) >= len(names) {
		k = 0
	}
	return names[k]
}
