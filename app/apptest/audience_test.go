package apptest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Who may be told of what (INV-01): the tables of §11.2 and of what rests on records, written down once more. A gateway over the simulated chain is asked for
// every row as every reader, and says what the table says; where that is nothing, the bytes are those of an answer about what never was (INV-03, INV-04).
// What a firm had is gone from an answer as if it had never been: whoever may be told nothing of a firm gets the answers about one that never did anything.

// row is a line of a table: what the public (and a lender), another agency, one with a duty in the matter, the recogniser and an auditor get.
type row struct{ public, agency, duty, recogniser, auditor string }

var (
	hiddenRow = row{"", "", "", "full", "full"}
	closedRow = row{"", "", "full", "full", "full"}
	openRow   = row{"published", "published", "full", "full", "full"}

	audienceOfRecord = map[string]row{
		"registered": closedRow, "published": openRow, "unpublished": closedRow, "shielded": closedRow, "held": closedRow,
		"repaired": hiddenRow, "expired": hiddenRow, "withdrawn": hiddenRow, "corrected": hiddenRow,
	}
	audienceOfCommitment = map[string]row{"public": openRow, "restricted": closedRow, "hidden": hiddenRow}
	audienceOfRepair     = map[string]row{
		"pending": closedRow, "supplement": closedRow, "accepted": closedRow, "refused": closedRow, "not accepted": closedRow,
		"effective": hiddenRow, "revoked": hiddenRow, "moot": hiddenRow,
	}
	audienceOfMeasure = map[string]row{
		"announced": closedRow, "applied": closedRow, "lifted": hiddenRow, "expired": hiddenRow, "corrected": hiddenRow,
	}
	audienceOfListing = map[string]row{
		"notified": closedRow, "verifying": closedRow, "heard": closedRow, "decided": hiddenRow, "dropped": hiddenRow,
	}
	audienceOfObjection = map[string]row{"own": closedRow, "provider": closedRow, "review": closedRow, "resolved": closedRow}
)

// Readers: the public, the agencies of the sample, the platform, the provincial authority, a governor with nothing to do with the matters, an auditor, lenders
// and gateways. A firm reads with a key of its own: see firmReader.
var readers = []string{"", "zz-scjg", "gy-scjg", "js-rsj", "ops", "gov1", "gov2", "auditor", "bank", "bank2", "gw", "gw2"}

// gets looks a reader up in a row.
func (w row) gets(reader, recogniser string, duty bool) string {
	switch {
	case reader == "" || slices.Contains(simLenders, reader):
		return w.public
	case reader == "auditor":
		return w.auditor
	case reader == recogniser:
		return w.recogniser
	case duty:
		return w.duty
	}
	return w.agency
}

// seesRecord is what a reader gets of a record.
func (m *model) seesRecord(reader, key string) string {
	p := m.records[key]
	state := p.state
	if p.held {
		state = "held"
	}
	duty := reader == "ops" && m.mandated[p.issuer]
	for _, a := range m.repairs {
		duty = duty || reader == "ops" && a.target == key && a.open()
	}
	if state == "shielded" { // who has a part in that plan
		open, shielded := m.counts(p.plan)
		duty = reader == "ops" || open[reader]+shielded[reader] > 0
	}
	return audienceOfRecord[state].gets(reader, p.issuer, duty)
}

func (m *model) seesCommitment(reader, code string) string {
	c := m.commitments[code]
	state := "restricted"
	switch {
	case c.visible():
		state = "public"
	case c.hidden:
		state = "hidden"
	}
	return audienceOfCommitment[state].gets(reader, c.acceptor, reader == "ops" && m.mandated[c.acceptor])
}

// thing is a row that the gateway may be asked for.
type thing struct {
	name, id, firm string
	sees           func(reader string) string
}

// gets is what a reader gets of it: a firm all of its own, and of others what the public gets.
func (th thing) gets(reader string) string {
	if firm, _, is := cutFirm(reader); is {
		if firm == th.firm {
			return "full"
		}
		return th.sees("")
	}
	return th.sees(reader)
}

// cutFirm takes "firm A by k1" apart.
func cutFirm(reader string) (firm, word string, is bool) {
	rest, is := strings.CutPrefix(reader, "firm ")
	firm, word, _ = strings.Cut(rest, " by ")
	return firm, word, is
}

// firmReader is a firm with a key in force, if there is one.
func (s *sim) firmReader() []string {
	for _, word := range slices.Sorted(maps.Keys(s.m.keys)) {
		if k := s.m.keys[word]; k.state == "in force" && !s.m.deregistered[k.firm] {
			return []string{"firm " + k.firm + " by " + word}
		}
	}
	return nil
}

// things are all rows of the model with their ids.
func (s *sim) things() (out []thing) {
	m := s.m
	add := func(name, firm string, id []byte, sees func(reader string) string) {
		out = append(out, thing{name, hex.EncodeToString(id), firm, sees})
	}
	s.Read(func(r x.Reader) {
		for code, of := range m.commitments {
			sees := func(reader string) string { return m.seesCommitment(reader, code) }
			c, _ := commitment.Get(r, code)
			add("commitment "+code, of.firm, commitment.ID(&c.Content), sees)
			out = append(out, thing{"commitment " + code, code, of.firm, sees})
		}
		for key, p := range m.records {
			add("record "+key, p.firm, s.record(key), func(reader string) string { return m.seesRecord(reader, key) })
		}
		for name, a := range m.repairs {
			app, key, _ := strings.Cut(name, "/")
			issuer, _, firm := splitKey(key)
			id := repair.ID(s.agency(issuer), app, s.firms[firm], s.record(key))
			add("repair "+name, firm, id[:], func(reader string) string {
				return audienceOfRepair[a.state].gets(reader, issuer, reader == "ops" && m.records[key].repairable())
			})
		}
		for name, v := range m.measures {
			f := strings.Split(name, "|")
			issuer, _, firm := splitKey(f[0])
			to := f[2]
			if to != "" {
				to = s.agency(to)
			}
			id := measure.ID(s.agency(issuer), s.firms[firm], s.record(f[0]), f[1], to)
			add("measure "+name, firm, id[:], func(reader string) string {
				owner := issuer
				if v.acted && reader == f[2] { // its own act
					owner = reader
				}
				called := reader == f[2] || f[2] == "" && m.implements(reader)
				return audienceOfMeasure[v.state].gets(reader, owner, called && m.records[f[0]].public())
			})
		}
		for name, l := range m.listings {
			issuer, no, firm := splitKey(name)
			id := sanction.ListingID(&pb.ListingNotice{Issuer: s.agency(issuer), Subject: s.firms[firm], List: l.list, NoticeNo: noticeNo(no)})
			add("listing "+name, firm, id[:], func(reader string) string {
				return audienceOfListing[l.state].gets(reader, issuer, reader == "ops" && (l.filed || m.mandated[issuer]) || above(reader, issuer) && !m.removed[reader])
			})
		}
		for name, o := range m.objections {
			no, target, _ := strings.Cut(name, "/")
			id, sees := s.record(target), m.seesRecord
			if o.breach {
				c, _ := commitment.Get(r, target)
				id, sees = commitment.ID(&c.Content), m.seesCommitment
			}
			oid := objection.ID(s.agency(o.provider), no, s.firms[o.firm], id)
			add("objection "+name, o.firm, oid[:], func(reader string) string {
				who, _ := o.holder()
				party := reader == o.receiver || reader == "gov1" && o.escalated
				return audienceOfObjection[o.state].gets(reader, o.provider, reader == who || party && sees(reader, target) != "")
			})
		}
	})
	slices.SortFunc(out, func(a, b thing) int { return strings.Compare(a.name+a.id, b.name+b.id) })
	return out
}

// authorised are the authorisations of the model.
func (s *sim) authorised() (out []thing) {
	for _, name := range slices.Sorted(maps.Keys(s.m.authorisations)) {
		a := s.m.authorisations[name]
		out = append(out, thing{"authorisation " + name, hex.EncodeToString(s.Authorisation(a.firm, "SQ-"+name[2:])), a.firm, func(reader string) string {
			if reader == a.to || reader == a.via || reader == "auditor" { // whose business it is
				return "full"
			}
			return ""
		}})
	}
	return out
}

// --- the gateway over the simulated chain ---

// chain is what a gateway reads of the engine.
type chain struct {
	*Cluster
	set *cmttypes.ValidatorSet
}

func (c chain) Block(height int64) *cmttypes.Block {
	if height < 1 || height > c.Height() {
		return nil
	}
	return c.Blocks[height-1]
}

func (c chain) Header(height int64) *cmttypes.Header {
	if b := c.Block(height); b != nil {
		return &b.Header
	}
	return nil
}

func (c chain) Commit(height int64) *cmttypes.Commit {
	switch {
	case height < 1 || height > c.Height():
		return nil
	case height == c.Height():
		return c.Cluster.Commit()
	}
	return c.Blocks[height].LastCommit
}

func (c chain) Validators(int64) (*cmttypes.ValidatorSet, error) { return c.set, nil }

func (s *sim) ask(reader, target string) (int, []byte) {
	s.t.Helper()
	if s.gate == nil {
		s.gate = gateway.New(gateway.Backend{App: s.Apps[0], Blocks: chain{s.Cluster, s.set.ValidatorSet}}, gateway.Options{RatePerSecond: -1, Now: func() time.Time { return s.clock }})
		s.signers = map[string]*gateway.Signer{}
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if reader != "" {
		if s.signers[reader] == nil {
			key := s.Actors[reader].Key
			if _, word, is := cutFirm(reader); is {
				key = keyOfFirm(word).Key
			}
			s.signers[reader] = gateway.NewSigner(key, s.Chain)
		}
		h, err := s.signers[reader].Header(http.MethodGet, target, nil)
		must(s.t, err)
		r.Header.Set("Authorization", h)
		at, err := strconv.ParseInt(strings.Split(h, ":")[1], 10, 64)
		must(s.t, err)
		s.clock = time.Unix(at, 0) // the gateway's: a machine that stands still between a signature and its check changes nothing
	}
	w := httptest.NewRecorder()
	s.gate.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// rowsRead says what was read of the state: whoever may not see what an answer is made of must not learn it from how long it takes.
func (s *sim) rowsRead() string {
	return fmt.Sprintf("%d rows that are there, %d that are not", s.rows[1].Load(), s.rows[0].Load())
}

func (s *sim) work(target, reader string) string {
	s.rows = [2]atomic.Int64{}
	s.ask(reader, target)
	return s.rowsRead()
}

// audiences asks for rows as every reader. most bounds how many of them are asked for, chosen at random.
func (s *sim) audiences(most int) {
	t, m := s.t, s.m
	t.Helper()
	s.begin() // what members see is the newest height, what the public sees the proven one: one block without a change makes them the same
	s.m.end()
	s.Block()
	all := s.things()
	s.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	signed := s.authorised()
	s.c.Shuffle(len(signed), func(i, j int) { signed[i], signed[j] = signed[j], signed[i] })
	all = append(signed[:min(len(signed), most/4)], all...)
	for _, reader := range append(slices.Clone(readers), s.firmReader()...) {
		if m.removed[reader] {
			continue
		}
		_, none := s.ask(reader, "/v1/records/"+strings.Repeat("0", 64)) // makes what all answers of a height share
		nothing := [2]string{s.work("/v1/records/"+strings.Repeat("0", 64), reader), s.work("/v1/records/41010020200101999999", reader)}
		outside := reader == "" || slices.Contains(simLenders, reader) || strings.HasPrefix(reader, "firm ") // who holds no state
		for _, th := range all[:min(most, len(all))] {
			want := th.gets(reader)
			s.rows = [2]atomic.Int64{}
			code, body := s.ask(reader, "/v1/records/"+th.id)
			if rows, as := s.rowsRead(), nothing[(64-len(th.id))/44]; outside && want == "" && rows != as {
				t.Errorf("%q can tell %s from what never was by the work: %s, not %s", reader, th.name, rows, as)
			}
			var got struct{ View string }
			must(t, json.Unmarshal(body, &got))
			switch {
			case got.View != want:
				t.Errorf("%q gets %q of %s, the table says %q: %d %.400s", reader, got.View, th.name, want, code, body)
			case want == "" && !bytes.Equal(body, none):
				t.Errorf("%q can tell %s from what never was:\n%s%s", reader, th.name, body, none)
			}
		}
	}
	s.twins()
}

var proofs = regexp.MustCompile(`[0-9a-f]{64}`)

// twins: of a firm of which nothing is public the public, a lender that it has authorised for nothing and an agency with nothing to do with it get what they
// get of a firm that never did anything.
func (s *sim) twins() {
	m := s.m
	clean := s.firms["clean"]
	for firm := range m.firms {
		seen, lends := m.attention(firm) || m.status[firm] != 1, m.removed["bank2"]
		for _, a := range m.authorisations {
			lends = lends || a.firm == firm && a.to == "bank2"
		}
		for _, p := range m.records {
			seen = seen || p.firm == firm && p.public()
		}
		for _, c := range m.commitments {
			seen = seen || c.firm == firm && c.visible()
		}
		if seen {
			continue
		}
		for _, q := range []struct{ reader, path string }{{"", "/v1/subjects/"}, {"gov2", "/v1/files/"}, {"gov2", "/v1/checks/"}, {"bank2", "/v1/subjects/"}, {"bank2", "/v1/files/"}, {"bank2", "/v1/checks/"}} {
			if q.reader == "bank2" && lends {
				continue
			}
			_, have := s.ask(q.reader, q.path+s.firms[firm])
			_, want := s.ask(q.reader, q.path+clean)
			same := func(b []byte, code string) string {
				return proofs.ReplaceAllString(strings.ReplaceAll(string(b), code, "FIRM"), "PROOF") // bound to the name of the firm
			}
			if a, b := same(have, s.firms[firm]), same(want, clean); a != b {
				s.t.Errorf("%s%s: %q can tell it from a firm that never did anything:\n%s\n%s", q.path, firm, q.reader, a, b)
			}
			s.twinsCompared++
		}
	}
}
