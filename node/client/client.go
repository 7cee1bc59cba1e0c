package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const (
	answerBytesMax = 64 << 20
	// requestTimeout bounds one request. A wait for a commit is longer than the gateway's own patience.
	requestTimeout = 90 * time.Second
	// silenceMax bounds the wait for the first byte of an answer that a node has at hand: one that hangs takes connections and says nothing.
	silenceMax = 15 * time.Second

	firstPause = 100 * time.Millisecond
	longPause  = 2 * time.Second
)

// Options of New.
type Options struct {
	URL     string    // of the gateway, such as http://127.0.0.1:26680
	Key     *keys.Key // nil: the public
	ChainID string    // empty: what the gateway says
	// Patience is how long a node that cannot be reached, or is too busy, is asked again. 0: not at all.
	Patience time.Duration
	// Lost is called when the node is first found lost, and Back when it answers again. Both may be nil.
	Lost func(error)
	Back func()
}

// Client speaks to one gateway. It may be used from many goroutines.
type Client struct {
	opts Options
	base string
	http *http.Client

	firstPause, longPause time.Duration // between attempts; tests shorten them
	silence               time.Duration // silenceMax; tests shorten it

	mu      sync.Mutex
	chainID string    // guarded by mu; learned from the gateway unless given
	block   time.Time // guarded by mu; newest block time seen
	seen    time.Time // guarded by mu; when it was seen
}

// New makes a client. It asks nothing yet.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the URL of a gateway, such as http://127.0.0.1:26680", o.URL)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	t.ResponseHeaderTimeout = requestTimeout
	return &Client{
		opts: o, base: strings.TrimRight(u.String(), "/"), http: &http.Client{Transport: t, Timeout: requestTimeout}, chainID: o.ChainID,
		firstPause: firstPause, longPause: longPause, silence: silenceMax,
	}, nil
}

// URL of the gateway.
func (c *Client) URL() string { return c.base }

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ErrUnreachable says that no node answered. Nothing that was committed is lost, and everything may be sent again.
var ErrUnreachable = errors.New("the node cannot be reached")

// errDial is ErrUnreachable where nothing was sent.
var errDial = fmt.Errorf("%w", ErrUnreachable)

// errSilent ends a request to a node that took the connection and sends no byte.
var errSilent = errors.New("silent")

// ErrUnanswered says that a question was sent and that no answer came: the gateway may have answered, and what that costs is spent.
var ErrUnanswered = errors.New("the question was sent and no answer came")

// Problem is an error answer of the gateway (RFC 9457).
type Problem struct {
	Status   int    `json:"status"`
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	Code     string `json:"code"`
	Number   uint32 `json:"number"`
	Rule     string `json:"rule,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
	PassesOn string `json:"passes_on,omitempty"`
}

// Error is one line with code, rule and remedy. A detail that is a refusal in full says these already.
func (p *Problem) Error() string {
	s := p.Detail
	if s == "" {
		s = p.Title
	}
	return line(p.Code, s, p.Rule, p.PassesOn, p.Remedy)
}

// line joins the parts of a refusal. reason may hold some of them already: the rules' own text does.
func line(code, reason, rule, passesOn, remedy string) string {
	s := reason
	if code != "" && !strings.HasPrefix(s, code) {
		s = code + ": " + s
	}
	if rule != "" && !strings.Contains(s, "(rule ") {
		s += " (rule " + rule + ")"
	}
	if passesOn != "" && !strings.Contains(s, "passes on "+passesOn) {
		s += "; passes on " + passesOn
	}
	if remedy != "" && !strings.Contains(s, remedy) {
		s += "; " + remedy
	}
	return strings.ReplaceAll(s, "\n", " ")
}

// CodeOf gives the code of a refusal by the gateway, empty for any other error.
func CodeOf(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request is what is asked. auth says that a member is needed, or makes a difference; long, that the answer may begin late, as that of every request with a body may.
type request struct {
	method, path string
	accept       string
	body         []byte
	contentType  string
	auth, long   bool
}

// ask sends a request until it is answered, with growing pauses, for as long as the client is patient. Only what cannot have had an effect, or
// whose effect happens once however often it is sent, comes here: reads, and transactions, which are known by their id.
func (c *Client) ask(ctx context.Context, r request) (*answer, error) {
	deadline := time.Now().Add(c.opts.Patience)
	pause, lost := c.firstPause, false
	for {
		a, err := c.once(ctx, r)
		wait := pause
		switch {
		case err == nil && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable:
			if lost && c.opts.Back != nil {
				c.opts.Back()
			}
			return a, problemOf(a)
		case err == nil:
			if s, e := strconv.Atoi(a.header.Get("Retry-After")); e == nil && s > 0 && s <= 10 {
				wait = min(max(wait, time.Duration(s)*time.Second), c.longPause)
			}
			err = problemOf(a)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			if !errors.Is(err, ErrUnreachable) {
				return nil, err
			}
			if !lost && c.opts.Lost != nil && c.opts.Patience > 0 {
				c.opts.Lost(err)
			}
			lost = true
		}
		if time.Now().Add(wait).After(deadline) {
			return a, err
		}
		if e := sleep(ctx, wait); e != nil {
			return nil, e
		}
		pause = min(2*pause, c.longPause)
	}
}

// sleep waits, with a little chance in it so that many senders do not come back at one moment.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// authWaits is how often a request is signed anew because a gateway takes its header for one that was used.
const authWaits = 30

// once sends a request once. A gateway takes each Authorization header once: where the connection broke and the request was sent over another, it may have taken this one. One that
// has just begun takes no query that is signed for a second before, as the process before it may have.
func (c *Client) once(ctx context.Context, r request) (*answer, error) {
	if !r.auth || c.opts.Key == nil {
		return c.exchange(ctx, r, "")
	}
	chain, err := c.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.ParseRequestURI(c.base + r.path)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		if try > 1 {
			if err := sleep(ctx, time.Second); err != nil {
				return nil, err
			}
		}
		h, err := c.opts.Key.AuthHeader(r.method, u.RequestURI(), r.body, time.Now(), chain)
		if err != nil {
			return nil, err
		}
		a, err := c.exchange(ctx, r, h)
		if err != nil || a.status != http.StatusUnauthorized || CodeOf(problemOf(a)) != codeAuth || a.header.Get("Retry-After") == "" || try == authWaits {
			return a, err
		}
	}
}

// exchange sends a request and reads the answer to its end.
func (c *Client) exchange(ctx context.Context, r request, auth string) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	patience := c.silence
	if r.long || len(r.body) > 0 {
		patience = math.MaxInt64
	}
	timer := time.AfterFunc(patience, func() { cancel(errSilent) })
	resp, err := c.http.Do(req)
	if !timer.Stop() && context.Cause(ctx) == errSilent {
		if err == nil {
			resp.Body.Close()
		}
		return nil, c.unreachable(fmt.Errorf("nothing came for %s", patience))
	}
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax+1))
	if err != nil {
		return nil, c.unreachable(err)
	}
	if len(body) > answerBytesMax {
		return nil, fmt.Errorf("%s answered more than %d bytes", c.base, answerBytesMax)
	}
	return &answer{resp.StatusCode, resp.Header, body}, nil
}

func (c *Client) unreachable(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	what := ErrUnreachable
	var late net.Error
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		if op.Op == "dial" {
			what = errDial
		}
	} else if errors.As(err, &late) && late.Timeout() {
		err = fmt.Errorf("it did not come whole within %s", c.http.Timeout)
	}
	return fmt.Errorf("%w: no answer at %s: %v", what, c.base, err)
}

// problemOf makes an error of an answer that is one.
func problemOf(a *answer) error {
	if a == nil || a.status < 400 {
		return nil
	}
	p := &Problem{}
	if json.Unmarshal(a.body, p) != nil || p.Code == "" && p.Detail == "" && p.Title == "" {
		p = &Problem{Title: http.StatusText(a.status), Detail: "the gateway answered " + strconv.Itoa(a.status) + " " + http.StatusText(a.status)}
	}
	p.Status = a.status
	return p
}

// Get reads a JSON route into what into points to. auth makes the request a member's.
func (c *Client) Get(ctx context.Context, path string, auth bool, into any) error {
	a, err := c.ask(ctx, request{method: http.MethodGet, path: path, accept: "application/json", auth: auth})
	if err != nil {
		return err
	}
	if raw, ok := into.(*json.RawMessage); ok {
		*raw = bytes.Clone(a.body)
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("%s answered no JSON of the expected form: %w", c.base+path, err)
	}
	return nil
}

// Status of the node.
type Status struct {
	ChainID    string    `json:"chain_id"`
	Height     int64     `json:"height"`
	BlockTime  time.Time `json:"block_time"`
	LegalTime  time.Time `json:"legal_time"`
	AppHash    string    `json:"app_hash"`
	CatchingUp bool      `json:"catching_up"`
}

// Status asks for it.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	s := new(Status)
	if err := c.Get(ctx, "/v1/status", false, s); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts.ChainID != "" && s.ChainID != "" && s.ChainID != c.opts.ChainID {
		return nil, fmt.Errorf("%s is a node of chain %q, not of %q", c.base, s.ChainID, c.opts.ChainID)
	}
	if c.chainID == "" {
		c.chainID = s.ChainID
	}
	if !s.BlockTime.Before(c.block) {
		c.block, c.seen = s.BlockTime, time.Now()
	}
	return s, nil
}

// ChainID is the chain's, asked for once.
func (c *Client) ChainID(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.chainID
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	s, err := c.Status(ctx)
	if err != nil {
		return "", err
	}
	if s.ChainID == "" {
		return "", fmt.Errorf("%w: the node at %s has no block yet", ErrUnreachable, c.base)
	}
	return s.ChainID, nil
}

// Subjects lists enrolled codes after one, a page at a time.
func (c *Client) Subjects(ctx context.Context, after string, limit int) (json.RawMessage, error) {
	q := url.Values{}
	if after != "" {
		q.Set("after", after)
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return c.raw(ctx, "/v1/subjects?"+q.Encode(), false)
}

// Subject is a subject's standing, as the public sees it.
func (c *Client) Subject(ctx context.Context, uscc string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/subjects/"+url.PathEscape(uscc), false)
}

// Commitment is a public commitment.
func (c *Client) Commitment(ctx context.Context, code string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/commitments/"+url.PathEscape(code), false)
}

// Record reads a record as the member who asks may see it.
func (c *Client) Record(ctx context.Context, id string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/records/"+url.PathEscape(id), true)
}

func (c *Client) raw(ctx context.Context, path string, auth bool) (out json.RawMessage, err error) {
	err = c.Get(ctx, path, auth, &out)
	return out, err
}

// Self is the member that the client's key belongs to, as the chain knows it.
type Self struct {
	USCC      string   `json:"uscc"`
	Name      string   `json:"name"`
	Key       string   `json:"key"`
	Roles     []string `json:"roles"`
	ValidFrom *string  `json:"valid_from"`
	ValidTo   *string  `json:"valid_to"`
	// Mandates are the agencies in whose name it may act, with the kinds.
	Mandates []Mandate `json:"mandates"`
}

// Mandate is one of Self.
type Mandate struct {
	Issuer string   `json:"issuer"`
	Kinds  []string `json:"kinds"`
}

// Self asks for it.
func (c *Client) Self(ctx context.Context) (*Self, error) {
	s := new(Self)
	return s, c.Get(ctx, "/v1/members/self", true, s)
}

// Check is what a member that is about to act on a firm is told of it (信用核查).
func (c *Client) Check(ctx context.Context, uscc string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/checks/"+url.PathEscape(uscc), true)
}

// InspectionPlan is a plan of random inspections (双随机抽查计划), as the reader may see it.
func (c *Client) InspectionPlan(ctx context.Context, id string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/inspections/"+url.PathEscape(id), true)
}

// Header is a block's header.
func (c *Client) Header(ctx context.Context, height int64) (hash string, err error) {
	var h struct {
		Hash string `json:"hash"`
	}
	err = c.Get(ctx, "/v1/headers/"+strconv.FormatInt(height, 10), false, &h)
	return h.Hash, err
}

// MeasureItems is the list of measures (失信惩戒措施清单), ListStandards the standards of lists of serious dishonesty.
func (c *Client) MeasureItems(ctx context.Context) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/measure-items", false)
}

// ListStandards is the standards of lists of serious dishonesty (严重失信主体名单认定标准).
func (c *Client) ListStandards(ctx context.Context) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/list-standards", false)
}

// IncentiveLists is the incentive lists (守信激励名单).
func (c *Client) IncentiveLists(ctx context.Context) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/incentive-lists", false)
}

// Param is a parameter (参数) with its value in force.
type Param struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Value   int64  `json:"value"`
	Default int64  `json:"default"`
	Min     int64  `json:"min"`
	Max     int64  `json:"max"`
	Unit    string `json:"unit"`
	Source  string `json:"source"`
	Meaning string `json:"meaning"`
}

// Params lists the parameters.
func (c *Client) Params(ctx context.Context) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/params", false)
}

// File is what the member who asks may see of a subject's file.
func (c *Client) File(ctx context.Context, uscc string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/files/"+url.PathEscape(uscc), true)
}

// Duty is something that an agency must do by the end of a day (待办).
type Duty struct {
	Kind        string  `json:"kind"`
	Label       string  `json:"label"`
	Rule        string  `json:"rule"`
	Due         *string `json:"due"` // nil: the law sets no day
	Days        *int    `json:"days_left"`
	WorkingDays *int    `json:"working_days_left"`
	Alarmed     bool    `json:"alarmed"`
	Subject     string  `json:"subject"`
	Record      string  `json:"record"`
	Case        *Case   `json:"case"`
}

// Case is how far a matter has come.
type Case struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	State string `json:"state"`
	DocNo string `json:"doc_no"`
	Done  []struct {
		Step string `json:"step"`
		On   string `json:"on"`
	} `json:"done"`
	Left []struct {
		Kind    string  `json:"kind"`
		Label   string  `json:"label"`
		Owner   string  `json:"owner"`
		Due     *string `json:"due"`
		Alarmed bool    `json:"alarmed"`
	} `json:"left"`
}

// Duties is a page of what an agency must do, the earliest day first. agency "" is the key's own; after is the next of the page before.
func (c *Client) Duties(ctx context.Context, agency, after string, limit int) (json.RawMessage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if agency != "" {
		q.Set("agency", agency)
	}
	if after != "" {
		q.Set("after", after)
	}
	return c.raw(ctx, "/v1/duties?"+q.Encode(), true)
}

// EachDuty visits all that an agency must do, page by page.
func (c *Client) EachDuty(ctx context.Context, agency string, fn func(*Duty) error) error {
	for after := ""; ; {
		raw, err := c.Duties(ctx, agency, after, 1000)
		if err != nil {
			return err
		}
		var page struct {
			Duties []*Duty `json:"duties"`
			Next   string  `json:"next"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return err
		}
		for _, d := range page.Duties {
			if err := fn(d); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// Question is what a lender asks (信易贷).
type Question struct {
	Subject       string   `json:"subject"`
	Purpose       string   `json:"purpose"`
	Authorisation string   `json:"authorisation,omitempty"`
	Classes       []string `json:"classes,omitempty"`
}

// Query asks a lenders' gateway. It is sent once: each answer has its receipt and may use up an authorisation. ErrUnanswered says that it may have been answered.
func (c *Client) Query(ctx context.Context, q Question) (json.RawMessage, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	if _, err := c.ChainID(ctx); err != nil {
		return nil, err
	}
	a, err := c.once(ctx, request{method: http.MethodPost, path: "/v1/queries", body: body, contentType: "application/json", auth: true})
	switch {
	case errors.Is(err, ErrUnreachable) && !errors.Is(err, errDial):
		return nil, fmt.Errorf("%w: %w", ErrUnanswered, err)
	case err != nil:
		return nil, err
	}
	err = problemOf(a)
	if a.status >= http.StatusInternalServerError && CodeOf(err) == "" { // a gateway names a code: a proxy says it, of a gateway that may have answered
		err = fmt.Errorf("%w: %w", ErrUnanswered, err)
	}
	return a.body, err
}

// Receipts reads a page of the receipts of queries about a firm, those after a place that the page before names as next: all of them for the firm, a lender's own
// for the lender.
func (c *Client) Receipts(ctx context.Context, uscc, after string, limit int) (json.RawMessage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		q.Set("after", after)
	}
	return c.raw(ctx, "/v1/subjects/"+url.PathEscape(uscc)+"/receipts?"+q.Encode(), true)
}

// Attestation fetches a subject's bundle. It is not verified here.
func (c *Client) Attestation(ctx context.Context, uscc string) ([]byte, error) {
	a, err := c.ask(ctx, request{method: http.MethodGet, path: "/v1/subjects/" + url.PathEscape(uscc) + "/attestation", accept: attest.MediaType})
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// Pack fetches the newest offline pack (离线信用包) of a set, "serious" or "negative"; base, if there is one, is the file of an older pack that this gateway has served,
// byte for byte, and what comes is the delta from it. It is UNVERIFIED.
func (c *Client) Pack(ctx context.Context, set string, base []byte) ([]byte, error) {
	path := "/v1/packs/" + url.PathEscape(set)
	if base != nil {
		name := sha256.Sum256(base)
		path += "/delta?base=" + hex.EncodeToString(name[:])
	}
	a, err := c.ask(ctx, request{method: http.MethodGet, path: path, accept: "*/*", long: true})
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// Trust fetches the node's trust file, to be compared out of band.
func (c *Client) Trust(ctx context.Context) ([]byte, error) { return c.raw(ctx, "/v1/trust", false) }

// Audit reads a route of the auditors: genesis, blocks/H, commits/H, validators/H.
func (c *Client) Audit(ctx context.Context, what string) ([]byte, error) {
	a, err := c.ask(ctx, request{method: http.MethodGet, path: "/v1/audit/" + what, auth: true, long: true})
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// bare takes from a reason what the rules' own text says a second time: code, rule, day and remedy.
func bare(code, reason, rule, passesOn, remedy string) (string, string) {
	s := strings.TrimPrefix(reason, code+": ")
	if remedy != "" {
		s = strings.TrimSuffix(s, "; "+remedy)
	}
	if passesOn != "" {
		s = strings.TrimSuffix(s, "; passes on "+passesOn)
	}
	if rule != "" {
		if before, after, ok := strings.Cut(s, " (rule "+rule+")"); ok {
			s = before
			if remedy == "" {
				if after = strings.TrimPrefix(after, "; "); !strings.HasPrefix(after, "passes on") {
					remedy = after
				} else if _, rest, ok := strings.Cut(after, "; "); ok {
					remedy = rest
				}
			}
		}
	}
	return s, remedy
}
