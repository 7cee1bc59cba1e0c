package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/xinlian-ledger/xinlian/node/receipt"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Lending is what a lenders' gateway (融资信用服务网关) has beyond others.
type Lending struct {
	Member  string // whose gateway it is: authorisations name it
	Journal *receipt.Journal
}

// queryBodyMax bounds the body of a query.
const queryBodyMax = 4 << 10

// queryJSON answers a lender about a firm: what is published, proven; what the firm has authorised, opened against the proof; the receipt. The ledger gives
// facts: no opinion, no advice (INV-23).
type queryJSON struct {
	Subject     string                 `json:"subject"`
	Requester   string                 `json:"requester"`
	Gateway     string                 `json:"gateway"`
	Purpose     string                 `json:"purpose"`
	Standing    *attest.StandingJSON   `json:"standing"`
	Attestation string                 `json:"attestation"` // the bundle, base64
	Restricted  *attest.RestrictedJSON `json:"restricted"`  // null: nothing was opened
	Opening     *string                `json:"opening"`     // the file that opens it, base64
	Refused     []refusedJSON          `json:"refused"`
	Receipt     *receiptJSON           `json:"receipt"`
	AsOf        asOf                   `json:"as_of"`
}

// refusedJSON says why a class was not opened.
type refusedJSON struct {
	Class   string   `json:"class"`
	Refusal *whyJSON `json:"refusal"`
}

// receiptJSON is a receipt (查询回执) as the firm and the lender get it.
type receiptJSON struct {
	ID            string      `json:"id"`
	Subject       string      `json:"subject"`
	Requester     string      `json:"requester"`
	Gateway       string      `json:"gateway"`
	Authorisation string      `json:"authorisation"` // empty: only what is published was asked for
	Purpose       string      `json:"purpose"`
	Asked         []string    `json:"asked"`
	Opened        []string    `json:"opened"`
	Refusal       *string     `json:"refusal"` // code; null: nothing was refused
	AtHeight      int64       `json:"at_height"`
	At            string      `json:"at"`    // legal time of that height
	Clock         string      `json:"clock"` // the gateway's clock
	LatencyUS     uint32      `json:"latency_us"`
	AnswerDigest  string      `json:"answer_digest"`
	Salt          string      `json:"salt"`
	Bytes         string      `json:"bytes"`  // the receipt's encoding, base64
	Anchor        *anchorJSON `json:"anchor"` // null: its hour is not anchored yet
}

// anchorJSON leads from a receipt to the root that the ledger holds.
type anchorJSON struct {
	Hour   int64    `json:"hour"`
	Root   string   `json:"root"`
	Place  uint64   `json:"place"`
	Path   []string `json:"path"`
	Height *int64   `json:"height"` // of the block that holds it; null: on its way
}

type receiptsJSON struct {
	Receipts []*receiptJSON `json:"receipts"`
	Next     *string        `json:"next"`
	AsOf     asOf           `json:"as_of"`
}

// question is the body of a query.
type question struct {
	Subject       string   `json:"subject"`
	Purpose       string   `json:"purpose"`
	Authorisation string   `json:"authorisation"`
	Classes       []string `json:"classes"`
}

// ask reads the body of a query.
func (c *call) ask() (q question, purpose pb.Purpose, id []byte, classes []pb.DataClass, err error) {
	bad := func(format string, args ...any) error {
		return refuse(http.StatusBadRequest, ErrBody.With(format, args...))
	}
	dec := json.NewDecoder(bytes.NewReader(c.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return q, 0, nil, nil, bad(`the body is not {"subject":"USCC","purpose":"…","authorisation":"ID","classes":["…"]}`)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return q, 0, nil, nil, bad("something follows the JSON object")
	}
	if err := x.CheckUSCC(q.Subject, "subject"); err != nil {
		return q, 0, nil, nil, badInput(err)
	}
	if n := slices.Index(purposes, q.Purpose); n < int(pb.PURPOSE_PRE_LOAN) {
		return q, 0, nil, nil, bad("purpose is one of pre_loan, in_loan, post_loan, guarantee, supply_chain, insurance")
	} else {
		purpose = pb.Purpose(n)
	}
	if q.Authorisation != "" {
		if id, err = hex.DecodeString(q.Authorisation); err != nil || len(id) != pb.DigestBytes || hex.EncodeToString(id) != q.Authorisation {
			return q, 0, nil, nil, bad("authorisation is not 64 hexadecimal digits in lower case")
		}
	}
	for _, name := range q.Classes {
		n := slices.Index(attest.DataClasses, name)
		if n < int(pb.DATA_GRADE) || slices.Contains(classes, pb.DataClass(n)) {
			return q, 0, nil, nil, bad("classes are grade and commitments, each once; what is published needs no class")
		}
		classes = append(classes, pb.DataClass(n))
	}
	slices.Sort(classes)
	return q, purpose, id, classes, nil
}

// query answers a lender. Whatever becomes of the classes that need an authorisation, what is published is answered; every answer about an enrolled firm has
// its receipt, which is on disk before the bytes leave (INV-22).
func (c *call) query() error {
	began := c.g.o.Now()
	l := c.g.o.Lending
	if l == nil {
		return refuse(http.StatusNotFound, ErrNoLending)
	}
	if !c.g.lenders.enter(c.owner()) { // before anything is spent
		c.g.met.busy.Inc()
		return refuse(http.StatusServiceUnavailable, ErrBusy.With("%d queries of this lender are at work already", c.g.lenders.most))
	}
	defer c.g.lenders.leave(c.owner())
	leave, ok := c.g.place(slotQuery)
	if !ok {
		c.g.met.busy.Inc()
		return refuse(http.StatusServiceUnavailable, ErrBusy)
	}
	defer leave()
	// The journal knows what the process before this one has answered; one from before it did, or from a copy, does not.
	if c.who.signedAt < c.g.began.Unix() {
		e := refuse(http.StatusUnauthorized, ErrAuth.With("Authorization: it was signed before this node started, which cannot know whether it was used; sign anew"))
		e.retryAfter = 1 // of a clock that is behind, too
		return e
	}
	q, purpose, id, classes, err := c.ask()
	if err != nil {
		return err
	}
	// 1. What is published, with its proof.
	h, b, bundle, err := c.g.bundle([]string{q.Subject})
	if err != nil {
		return err
	}
	if len(b.Entries) != 1 || len(b.Entries[0].Standing) == 0 {
		return refuse(http.StatusNotFound, subject.ErrUnknown.With("the subject is not enrolled; that says nothing about it")).at(h.asOf)
	}
	st := new(pb.Standing)
	if err := pb.Decode(b.Entries[0].Standing, st); err != nil {
		return fmt.Errorf("the standing of a subject does not decode: %w", err)
	}
	language := languageOf(c.r)
	v := queryJSON{
		Subject: q.Subject, Requester: c.who.member.Uscc, Gateway: l.Member, Purpose: q.Purpose, Standing: attest.StandingView(st),
		Attestation: base64.StdEncoding.EncodeToString(bundle), Refused: []refusedJSON{}, AsOf: h.asOf,
	}
	// 2. What the firm has authorised, as of the newest height: a withdrawal counts at once.
	ruling, err := c.rule(q.Subject, id, purpose, classes)
	if err != nil {
		return err
	}
	rec := pb.QueryReceipt{
		Subject: q.Subject, Requester: c.who.member.Uscc, Gateway: l.Member, Authorisation: id, Purpose: purpose, Asked: classes, AtHeight: h.height,
		ClockMs: began.UnixMilli(),
	}
	at, err := time.Parse(time.RFC3339, h.asOf.LegalTime)
	if err != nil {
		return err
	}
	rec.AtTime = at.Unix()
	var entry *receipt.Entry
	for entry == nil {
		opening, view, err := c.open(h.height, st, ruling.opened)
		if err != nil {
			return err
		}
		// 3. The receipt, on disk.
		rec.Opened, rec.Refusal = ruling.opened, ruling.number()
		digest := attest.AnswerDigest(bundle, opening)
		rec.AnswerDigest = digest[:]
		rec.LatencyUs = uint32(min(c.g.o.Now().Sub(began).Microseconds(), 1<<31))
		entry, err = l.Journal.Record(rec, ruling.limit, receipt.Request{SignedAt: c.who.signedAt, ID: slices.Concat(c.who.key.Address, c.who.digest[:])})
		switch {
		case errors.Is(err, receipt.ErrAnswered):
			return usedAlready()
		case errors.Is(err, receipt.ErrUsedUp): // another query took the last use meanwhile
			ruling.close(consent.ErrUsedUp)
			continue
		case err != nil:
			return internal(err)
		}
		v.Restricted = view
		if opening != nil {
			text := base64.StdEncoding.EncodeToString(opening)
			v.Opening = &text
		}
	}
	c.owed = true // the receipt stands, and a use is spent
	for _, f := range ruling.refused {
		v.Refused = append(v.Refused, refusedJSON{word(attest.DataClasses, int32(f.class)), whyOf(language, f.why)})
	}
	v.Receipt = receiptOf(entry, nil, nil)
	inWords(c.w.Header(), language)
	return c.json(http.StatusOK, v)
}

// ruling is what becomes of the classes that a lender asks for.
type ruling struct {
	opened  []pb.DataClass
	refused []refusedClass
	limit   uint32 // of uses; 0 = none
}

type refusedClass struct {
	class pb.DataClass
	why   error
}

// close refuses what would have been opened.
func (g *ruling) close(why error) {
	for _, class := range g.opened {
		g.refused = append(g.refused, refusedClass{class, why})
	}
	slices.SortFunc(g.refused, func(a, b refusedClass) int { return int(a.class) - int(b.class) })
	g.opened = nil
}

// number is the refusal that the receipt tells: the first.
func (g *ruling) number() uint32 {
	var r *x.Rejection
	if len(g.refused) > 0 && errors.As(g.refused[0].why, &r) {
		return r.Number
	}
	return 0
}

// rule says which classes are opened to the lender that asks.
func (c *call) rule(uscc string, id []byte, purpose pb.Purpose, classes []pb.DataClass) (*ruling, error) {
	out := new(ruling)
	if len(classes) == 0 {
		return out, nil
	}
	if current := c.g.b.Current; current != nil && !current() {
		return nil, refuse(http.StatusServiceUnavailable, ErrStale)
	}
	l := c.g.o.Lending
	used, err := l.Journal.Used(id)
	if err != nil {
		return nil, internal(err)
	}
	if err := c.g.journalWhole(c.r.Context()); err != nil {
		return nil, err
	}
	err = c.g.b.App.Read(func(r x.Reader) error {
		if a, ok := consent.Get(r, id); ok {
			out.limit = a.Content.MaxUses
		}
		asked := consent.Query{
			Subject: uscc, Requester: c.who.member.Uscc, Gateway: l.Member, Purpose: purpose, Today: c.who.today, Used: used,
		}
		for _, class := range classes {
			if why := consent.Allows(r, id, asked, class); why != nil {
				out.refused = append(out.refused, refusedClass{class, why})
			} else {
				out.opened = append(out.opened, class)
			}
		}
		return nil
	})
	return out, err
}

// unanchoredMost is how long receipts may wait for an anchor while more is opened. An anchor comes each hour; whoever keeps the ledger from it can hide what was opened
// since.
const unanchoredMost = 24 * time.Hour

// journalWhole refuses to open anything where the journal is not the one that the ledger's newest anchor is of, which does not know every use, and where its
// receipts do not come to the ledger.
func (g *Gateway) journalWhole(ctx context.Context) error {
	hour, whole, err := g.anchored(ctx)
	if err != nil {
		return internal(err)
	}
	if !whole {
		return refuse(http.StatusServiceUnavailable, ErrJournal)
	}
	since, err := g.o.Lending.Journal.Waiting(hour)
	if err != nil {
		return internal(err)
	}
	if waits := g.o.Now().Sub(since); !since.IsZero() && waits > unanchoredMost {
		return refuse(http.StatusServiceUnavailable, ErrUnanchored.With("no receipt of this gateway has come to the ledger for %d hours, so it opens nothing", int(waits.Hours())))
	}
	return nil
}

// anchored is the hour of the ledger's newest anchor of this gateway, -1 where it has none, and whether it is the journal's.
func (g *Gateway) anchored(ctx context.Context) (hour int64, whole bool, err error) {
	var last *pb.ReceiptAnchor
	if err = g.b.App.Read(func(r x.Reader) error { last, _ = consent.LastAnchor(r, g.o.Lending.Member); return nil }); err != nil {
		return -1, false, err
	}
	if last == nil {
		return -1, true, nil
	}
	whole, err = g.o.Lending.Journal.Agrees(ctx, last.Hour, last.Root)
	return last.Hour, whole, err
}

// open makes the file that opens classes of the restricted section at a height, and judges it as the lender will.
func (c *call) open(height int64, st *pb.Standing, classes []pb.DataClass) (file []byte, view *attest.RestrictedJSON, err error) {
	if len(classes) == 0 {
		return nil, nil, nil
	}
	err = c.g.b.App.ReadAt(height, func(r x.Reader) error {
		e := &evenly{Reader: r}
		file = attest.EncodeRestricted(standing.Open(e, c.g.b.App.Chain().Secret, st.Subject, classes))
		e.fillScan()
		proven, err := attest.OpenRestricted(file, st)
		if err != nil {
			return fmt.Errorf("an opening made here does not fit its standing: %w", err)
		}
		view = attest.RestrictedView(proven)
		return nil
	})
	return file, view, err
}

func receiptOf(e *receipt.Entry, p *receipt.Proof, height *int64) *receiptJSON {
	r := &e.Receipt
	v := &receiptJSON{
		ID: hexOf(r.Id), Subject: r.Subject, Requester: r.Requester, Gateway: r.Gateway, Authorisation: hexOf(r.Authorisation),
		Purpose: word(purposes, int32(r.Purpose)), Asked: classNames(r.Asked), Opened: classNames(r.Opened), AtHeight: r.AtHeight, At: legal(r.AtTime),
		Clock: utc(time.UnixMilli(r.ClockMs)), LatencyUS: r.LatencyUs, AnswerDigest: hexOf(r.AnswerDigest), Salt: hexOf(e.Salt),
		Bytes: base64.StdEncoding.EncodeToString(e.Raw),
	}
	if why, ok := x.ByNumber(r.Refusal); ok {
		v.Refusal = &why.Code
	}
	if p != nil {
		v.Anchor = &anchorJSON{Hour: p.Hour, Root: hexOf(p.Root[:]), Place: p.Place, Path: []string{}, Height: height}
		for _, h := range p.Path {
			v.Anchor.Path = append(v.Anchor.Path, hexOf(h[:]))
		}
	}
	return v
}

// receipts is the log of queries about a firm: the whole of it for the firm, within subject_log_delay (INV-24); a lender's own for the lender.
func (c *call) receipts() error {
	l := c.g.o.Lending
	if l == nil {
		return refuse(http.StatusNotFound, ErrNoLending)
	}
	uscc, err := c.uscc()
	if err != nil {
		return err
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	reader := c.who.firm
	if reader == "" {
		reader = c.who.member.Uscc
	}
	if !c.g.askers.enter(reader) {
		c.g.met.busy.Inc()
		return refuse(http.StatusServiceUnavailable, ErrBusy.With("%d requests of this reader for receipts are at work already", ownerAtWork))
	}
	defer c.g.askers.leave(reader)
	w := receipt.Wanted{Subject: uscc, After: c.form.Get("after"), Limit: limit}
	if c.who.firm == "" {
		w.Requester = c.who.member.Uscc
	} else if err = c.newest(func(r x.Reader, _ asOf) error {
		last := c.who.today // the last day of which the firm may read
		for consent.ReadableFrom(r, last) > c.who.today {
			last--
		}
		w.Shows = func(q *pb.QueryReceipt) bool { return calendar.Of(q.AtTime) <= last }
		return nil
	}); err != nil {
		return err
	}
	page, err := l.Journal.Page(c.r.Context(), w)
	switch {
	case errors.Is(err, receipt.ErrPlace):
		return refuse(http.StatusBadRequest, ErrQuery.With("after is not a place that an answer has named"))
	case err != nil:
		return internal(err)
	}
	v := receiptsJSON{Receipts: []*receiptJSON{}}
	if page.Next != "" {
		v.Next = &page.Next
	}
	provable, err := c.g.head()
	if err != nil {
		return err
	}
	err = c.newest(func(r x.Reader, as asOf) error {
		v.AsOf = as
		for i, e := range page.Entries {
			var height *int64 // none until the anchor can be proven: who sees it asks for the proof at once
			p := page.Proofs[i]
			if p != nil {
				if a, ok := consent.AnchorOf(r, l.Member, p.Hour); ok && a.Height <= provable.height && bytes.Equal(a.Root, p.Root[:]) {
					height = &a.Height
				}
			}
			v.Receipts = append(v.Receipts, receiptOf(e, p, height))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}
