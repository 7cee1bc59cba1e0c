package apptest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/datadriven"
	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// USCC completes a synthetic unified social credit code from its first eight characters and the start of its body.
func USCC(first8, body string) string {
	for len(body) < 8 {
		body += "0"
	}
	s := code.CompleteUSCC(first8, body[:8])
	if s == "" {
		panic("no code begins with " + first8 + body)
	}
	return s
}

// memberRow is a copy of a member's row.
func memberRow(r x.Reader, uscc string) *pb.Member {
	m, ok := member.Get(r, uscc)
	if !ok {
		panic("no member " + uscc)
	}
	return m
}

// numbers reads a list of numbers; absent or empty is none.
func numbers(d *datadriven.TestData, key string) []uint32 {
	v := arg(d, key)
	if v == "" {
		return nil
	}
	var out []uint32
	for _, w := range strings.Split(v, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(w), 10, 32)
		if err != nil {
			panic(err)
		}
		out = append(out, uint32(n))
	}
	return out
}

// action makes the action of a proposal from the arguments of `propose`:
//
//	param=NAME value=N
//	remove=AGENCY
//	succeed=AGENCY [heir=AGENCY]: who carries on its powers
//	competence=AGENCY region= delegation= [kinds=] [from=] [to=] [power-code=]: adds one
//	put=AGENCY …: the row of a member as it stands, or of a new one, with what is named changed (see row)
//	sector=NAME large=FEN huge=FEN [other=CLASS]
//	item=CODE …: an item of the list of measures (see measureItem)
//	standard=CODE …: the standard of a list of serious dishonesty (see listStandard)
//	incentives=CODE …: an incentive list (see incentiveList)
//	template=TYPE version=N [text=] [from=] [asks=] [closed]
//	business=CODE named= [excluded=]
//	year=N [days=DATE:work,DATE:rest]
//	place=CODE named= level= parent= [from=] [to=] [rows=N]
//	destroy=NO [kind=] of=AGENCY firm=: an archived record
//	nothing of these: no action
func (s *Script) action(d *datadriven.TestData) (a pb.Action) {
	switch {
	case has(d, "param"):
		a.Sum = &pb.Action_SetParam{SetParam: &pb.Param{Name: arg(d, "param"), Value: number(d, "value", 0)}}
	case has(d, "remove"):
		a.Sum = &pb.Action_RemoveMember{RemoveMember: s.agency(arg(d, "remove"))}
	case has(d, "succeed"):
		a.Sum = &pb.Action_PutSuccessor{PutSuccessor: &pb.Succession{Member: s.agency(arg(d, "succeed")), Successor: s.agency(arg(d, "heir"))}}
	case has(d, "competence"):
		s.Read(func(r x.Reader) {
			m := memberRow(r, s.agency(arg(d, "competence")))
			c := &pb.Competence{
				PenaltyKinds: allKinds, Regions: []string{arg(d, "region")}, Delegation: arg(d, "delegation"), PowerCode: arg(d, "power-code"),
				ValidFrom: s.date(d, "from"), ValidTo: s.date(d, "to"),
			}
			if has(d, "kinds") {
				c.PenaltyKinds = numbers(d, "kinds")
			}
			if has(d, "only") {
				m.Competences = nil
			}
			m.Competences = append(m.Competences, c)
			a.Sum = &pb.Action_PutMember{PutMember: m}
		})
	case has(d, "put"):
		a.Sum = &pb.Action_PutMember{PutMember: s.row(d)}
	case has(d, "item"):
		a.Sum = &pb.Action_PutMeasureItem{PutMeasureItem: s.measureItem(d)}
	case has(d, "incentives"):
		a.Sum = &pb.Action_PutIncentiveList{PutIncentiveList: s.incentiveList(d)}
	case has(d, "standard"):
		a.Sum = &pb.Action_PutListStandard{PutListStandard: s.listStandard(d)}
	case has(d, "sector"):
		a.Sum = &pb.Action_PutSeverityRule{PutSeverityRule: &pb.SeverityRule{
			Sector: arg(d, "sector"), LargeFineFen: number(d, "large", 0), HugeFineFen: number(d, "huge", 0), OtherClass: uint32(number(d, "other", 0)),
		}}
	case has(d, "template"):
		t := &pb.CommitmentTemplate{
			Type: uint32(number(d, "template", 0)), Version: uint32(number(d, "version", 0)), TextDigest: digestArg(d, "text", "template"), Closed: has(d, "closed"),
			ValidFrom: s.date(d, "from"),
		}
		for _, n := range numbers(d, "asks") {
			t.Asks = append(t.Asks, pb.TemplateField(n))
		}
		a.Sum = &pb.Action_PutTemplate{PutTemplate: t}
	case has(d, "business"):
		a.Sum = &pb.Action_PutBusiness{PutBusiness: &pb.BusinessItem{
			Code: arg(d, "business"), Name: arg(d, "named"), Excluded: pb.ExcludedField(number(d, "excluded", 0)),
		}}
	case has(d, "year"):
		y := &pb.CalendarYear{Year: int32(number(d, "year", 0))}
		for _, w := range strings.Split(arg(d, "days"), ",") {
			if day, how, ok := strings.Cut(strings.TrimSpace(w), ":"); ok {
				y.Days = append(y.Days, pb.CalendarDay{Date: int32(mustDate(s.tb, day)), Working: how == "work"})
			}
		}
		if has(d, "all-rest") { // every day of the year is a holiday
			first, _ := calendar.FromYMD(int(y.Year), 1, 1)
			for i := range number(d, "all-rest", 0) {
				y.Days = append(y.Days, pb.CalendarDay{Date: int32(first) + int32(i)})
			}
		}
		a.Sum = &pb.Action_PutCalendar{PutCalendar: y}
	case has(d, "destroy"):
		id := sanction.ID(recordKinds[arg(d, "kind")], s.issuerOf(d), docNo(arg(d, "destroy")), s.firm(d))
		a.Sum = &pb.Action_DestroyRecord{DestroyRecord: &pb.DestroyRecord{Record: id[:]}}
		if arg(d, "destroy") == "short" {
			a.Sum = &pb.Action_DestroyRecord{DestroyRecord: &pb.DestroyRecord{Record: id[:31]}}
		}
	case has(d, "place"):
		change := &pb.RegionChange{}
		for range number(d, "rows", 1) {
			change.Regions = append(change.Regions, pb.Region{
				Code: arg(d, "place"), Name: arg(d, "named"), Level: arg(d, "level"), Parent: arg(d, "parent"),
				ValidFrom: s.date(d, "from"), ValidTo: s.date(d, "to"),
			})
		}
		a.Sum = &pb.Action_PutRegion{PutRegion: change}
	}
	return a
}

// row is a member's row as it stands, or that of a new member, with changes: [uscc=] [named=] [level=] [regions=] [roles=] [key=WORD]
// [key-from=] [key-to=] [key-of=AGENCY] [power=] [validator=WORD] [validator-of=AGENCY] [competences=N] [keys=N] [removed] [address=short] [system=] [holder] [heir=] [credit-china] [measures=CODE,…] [lists=CODE,…] [recognises=CODE,…: of its last competence] [authority].
func (s *Script) row(d *datadriven.TestData) *pb.Member {
	name := arg(d, "put")
	var m *pb.Member
	if a, ok := s.Actors[name]; ok {
		s.Read(func(r x.Reader) {
			m, _ = member.Get(r, a.USCC)
		})
	}
	if m == nil {
		a := Actor{Name: name, USCC: USCC("11410000", fmt.Sprintf("Y%05d", 200+len(s.Actors))), Key: keyOf(name)}
		if has(d, "uscc") {
			a.USCC = arg(d, "uscc")
		}
		s.Actors[name] = a
		m = &pb.Member{Uscc: a.USCC, Level: pb.LEVEL_PROVINCE, Name: "示例机关", Keys: []*pb.MemberKey{{Address: a.Address(), Roles: []pb.Role{pb.ROLE_RECORD}}}}
	}
	m.Level = pb.Level(number(d, "level", int64(m.Level)))
	if has(d, "named") {
		m.Name = arg(d, "named")
	}
	m.CreditChina = m.CreditChina || has(d, "credit-china")
	if has(d, "holder") {
		m.Holder = true
	}
	if has(d, "heir") {
		m.Successor = s.agency(arg(d, "heir"))
	}
	if has(d, "regions") {
		m.Regions = strings.Split(arg(d, "regions"), ",")
	}
	if has(d, "key") { // the member's key is replaced; from now on it signs with the new one
		a := s.Actors[name]
		a.Key = keyOf(arg(d, "key"))
		m.Keys[0].Address = a.Address()
		s.Actors[name+"/new"] = a
	}
	if has(d, "key-of") {
		m.Keys[0].Address = s.Actors[arg(d, "key-of")].Address()
	}
	if has(d, "address") {
		m.Keys[0].Address = m.Keys[0].Address[:19]
	}
	if has(d, "roles") {
		m.Keys[0].Roles = nil
		for _, n := range numbers(d, "roles") {
			m.Keys[0].Roles = append(m.Keys[0].Roles, pb.Role(n))
		}
	}
	m.Keys[0].ValidFrom, m.Keys[0].ValidTo = s.dateOr(d, "key-from", m.Keys[0].ValidFrom), s.dateOr(d, "key-to", m.Keys[0].ValidTo)
	for i := range number(d, "keys", 0) {
		k := *m.Keys[0]
		k.Address = digest(fmt.Sprint("key", i))[:20]
		m.Keys = append(m.Keys, &k)
	}
	m.ValidatorPower = number(d, "power", m.ValidatorPower)
	if has(d, "validator") {
		m.ValidatorKey = digestArg(d, "validator", "")
	}
	if has(d, "validator-of") {
		s.Read(func(r x.Reader) { m.ValidatorKey = memberRow(r, s.agency(arg(d, "validator-of"))).ValidatorKey })
	}
	for range number(d, "competences", 0) {
		m.Competences = append(m.Competences, &pb.Competence{PenaltyKinds: []uint32{1}, Regions: []string{"410000"}})
	}
	if has(d, "system") {
		m.System = arg(d, "system")
	}
	m.Authority = m.Authority || has(d, "authority")
	if (has(d, "measures") || has(d, "lists") || has(d, "recognises")) && len(m.Competences) == 0 {
		m.Competences = []*pb.Competence{{Regions: []string{"410000"}}}
	}
	if has(d, "measures") {
		m.Competences[len(m.Competences)-1].Measures = words(d, "measures")
	}
	if has(d, "recognises") {
		m.Competences[len(m.Competences)-1].Incentives = words(d, "recognises")
	}
	if has(d, "lists") {
		m.Competences[len(m.Competences)-1].Lists = words(d, "lists")
	}
	m.Removed = has(d, "removed")
	return m
}

// keyOf is the key of a published word.
func keyOf(word string) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte("apptest key " + word))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}
