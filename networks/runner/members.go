package runner

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/xinlian-ledger/xinlian/networks/henan"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

const (
	governorsMin   = 4 // gov1 … gov4 are always there, however many of them run a validator
	validatorPower = 10
)

// seat is a member of a local network before it has a key.
type seat struct {
	key   string
	row   pb.Member
	roles []pb.Role
}

// LendingKey is the name of the key whose member runs the lenders' gateway of a network: node1.
const LendingKey = "gateway"

// roleNames as localnet.json and the commands show them.
var roleNames = map[pb.Role]string{
	pb.ROLE_GOVERNOR: "governor", pb.ROLE_REGISTRY: "registry", pb.ROLE_RECORD: "record", pb.ROLE_VERIFY: "verify",
	pb.ROLE_REVIEW: "review", pb.ROLE_AGENT: "agent", pb.ROLE_AUDITOR: "auditor",
	pb.ROLE_GATEWAY: "gateway", pb.ROLE_LENDER: "lender", pb.ROLE_EVALUATE: "evaluate",
}

var levelNames = map[pb.Level]string{
	pb.LEVEL_PROVINCE: "province", pb.LEVEL_PREFECTURE: "prefecture", pb.LEVEL_COUNTY: "county", pb.LEVEL_TOWNSHIP: "township",
	pb.LEVEL_VERTICAL: "vertical", pb.LEVEL_ZONE: "zone", pb.LEVEL_OTHER: "other",
}

// seats lists the consortium: governors, the offices that every network has, and the sample agencies.
func seats(governors int) []seat {
	office := func(first8, body, key, name string, level pb.Level, region string, roles ...pb.Role) seat {
		return seat{key: key, roles: roles, row: pb.Member{
			Uscc: code.CompleteUSCC(first8, body), Name: name + "（合成样例）", Level: level, Regions: []string{region},
		}}
	}
	// Region of each governor; further ones are of the province.
	places := []struct {
		region, name string
		level        pb.Level
	}{
		{"410000", "省信用建设治理席位", pb.LEVEL_PROVINCE},
		{"410100", "郑州信用建设治理席位", pb.LEVEL_PREFECTURE},
		{"410300", "洛阳信用建设治理席位", pb.LEVEL_PREFECTURE},
		{"419001", "济源信用建设治理席位", pb.LEVEL_PREFECTURE},
	}
	var out []seat
	for i := range governors {
		p := places[0]
		if i < len(places) {
			p = places[i]
		}
		out = append(out, office("11"+p.region, fmt.Sprintf("Y009%04d", i+1), fmt.Sprintf("gov%d", i+1), p.name, p.level, p.region, pb.ROLE_GOVERNOR))
	}
	out = append(out,
		office("12410000", "Y0090101", "registry", "省法人主体登记服务中心", pb.LEVEL_PROVINCE, "410000", pb.ROLE_REGISTRY),
		office("12410000", "Y0090102", "ops", "省信用信息中心", pb.LEVEL_PROVINCE, "410000", pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_AGENT),
		office("12410000", "Y0090103", "auditor", "省信用审计服务中心", pb.LEVEL_PROVINCE, "410000", pb.ROLE_AUDITOR),
		office("12410000", "Y0090104", LendingKey, "省融资信用服务平台", pb.LEVEL_PROVINCE, "410000", pb.ROLE_GATEWAY),
		office("12410000", "Y0090105", "grader", "省公共信用评价中心", pb.LEVEL_PROVINCE, "410000", pb.ROLE_EVALUATE),
		office("91410100", "Y0090106", "bank", "样例银行", pb.LEVEL_OTHER, "410100", pb.ROLE_LENDER),
	)
	out[0].row.Authority = true // the provincial credit authority
	for i := range out {
		if out[i].key == "ops" { // the platform speaks for 信用中国 and keeps copies of what is published
			out[i].row.CreditChina, out[i].row.Holder = true, true
		}
	}
	for _, m := range sample.Members() {
		roles := []pb.Role{pb.ROLE_RECORD, pb.ROLE_REVIEW}
		if m.Key == "zz-scjg" || m.Key == "gy-scjg" {
			roles = []pb.Role{pb.ROLE_RECORD, pb.ROLE_VERIFY, pb.ROLE_REVIEW}
		}
		out = append(out, seat{key: m.Key, row: m.Row(), roles: roles})
	}
	return out
}

// makeMembers writes a key for each seat and gives the members' rows, with mandates from every sample agency to ops.
func makeMembers(dir string, governors int, validatorKeys [][]byte) (g *pb.Genesis, members []Member, err error) {
	passphrase := make([]byte, 16)
	secret := make([]byte, 32)
	for _, b := range [][]byte{passphrase, secret} {
		if _, err := rand.Read(b); err != nil {
			return nil, nil, fmt.Errorf("draw random bytes: %w", err)
		}
	}
	store := keys.Open(filepath.Join(dir, KeysDir)).UnsafeLight()
	if err := os.MkdirAll(store.Path(), 0o700); err != nil {
		return nil, nil, err
	}
	word := hex.EncodeToString(passphrase)
	if err := writeFile(filepath.Join(store.Path(), PassphraseFile), []byte(word+"\n"), 0o600); err != nil {
		return nil, nil, err
	}

	g = &pb.Genesis{Secret: secret}
	henan.Catalogue(g)
	// No commitment templates: the acceptor's own serve, as for a file of the twenty fields, which names none. Governance brings them in.
	var ops string
	all := seats(governors)
	for i := range all {
		s := &all[i]
		if s.row.Uscc == "" {
			return nil, nil, fmt.Errorf("no code can be made for %s", s.key) // bug: the digits of the seat
		}
		if i < len(validatorKeys) {
			s.row.ValidatorKey, s.row.ValidatorPower = validatorKeys[i], validatorPower
		}
		k, err := keys.Generate(s.key)
		if err != nil {
			return nil, nil, err
		}
		if _, err := store.Add(k, word); err != nil {
			return nil, nil, err
		}
		address := k.Address()
		s.row.Keys = []*pb.MemberKey{{Address: address[:], Roles: s.roles, Name: s.key}}
		g.Members = append(g.Members, s.row)
		if s.key == "ops" {
			ops = s.row.Uscc
		}
		m := Member{USCC: s.row.Uscc, Name: s.row.Name, Level: levelNames[s.row.Level], Regions: slices.Clone(s.row.Regions), Key: s.key}
		for _, r := range s.roles {
			m.Roles = append(m.Roles, roleNames[r])
		}
		members = append(members, m)
	}
	for _, m := range sample.Members() {
		g.Mandates = append(g.Mandates, pb.Mandate{Issuer: m.USCC, Submitter: ops, Kinds: []pb.MandateKind{
			pb.MANDATE_PENALTY, pb.MANDATE_PUBLISH, pb.MANDATE_COMMITMENT, pb.MANDATE_FULFILLMENT, pb.MANDATE_DISHONESTY,
		}})
	}
	return g, members, nil
}
