package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// OK is the code of what was not refused.
const OK = "OK"

// Codes by which a gateway or the gate says what became of a transaction's bytes.
const (
	codeSeen    = "E_TX_SEEN"
	codeExpired = "E_TX_EXPIRED"
	codePending = "E_TX_PENDING"
	codeUnknown = "E_TX_UNKNOWN"
	codeShare   = "E_SHARE"
	codePool    = "E_POOL_FULL"
	codeAuth    = "E_AUTH"
	codeNotHeld = "E_NOT_HELD"
)

// Result is the outcome of one message.
type Result struct {
	Index    uint32 `json:"index"`
	Record   string `json:"record,omitempty"` // 64 hexadecimal digits, where the message speaks of a record
	Code     string `json:"code"`             // OK, or that of a refusal
	Note     string `json:"note,omitempty"`   // ALREADY_RECORDED
	Reason   string `json:"reason,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
	PassesOn string `json:"passes_on,omitempty"`
}

// Refused says whether the message was.
func (r *Result) Refused() bool { return r.Code != "" && r.Code != OK }

// AlreadyRecorded says that the message changed nothing: its content stands.
func (r *Result) AlreadyRecorded() bool { return !r.Refused() && r.Note == x.AlreadyRecorded }

// Error is one line with code, rule, day and remedy.
func (r *Result) Error() string { return line(r.Code, r.Reason, r.Rule, r.PassesOn, r.Remedy) }

// Outcome is what became of a transaction: all of its messages, or none.
type Outcome struct {
	ID       string   `json:"id"`
	Code     string   `json:"code"` // OK, or that of the first refusal
	Reason   string   `json:"reason,omitempty"`
	Rule     string   `json:"rule,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
	PassesOn string   `json:"passes_on,omitempty"`
	Height   int64    `json:"height"`
	Results  []Result `json:"results"`
}

// Refused says whether the transaction was.
func (o *Outcome) Refused() bool { return o.Code != "" && o.Code != OK }

// Err is nil unless the transaction was refused.
func (o *Outcome) Err() error {
	if !o.Refused() {
		return nil
	}
	return &Refusal{o}
}

// Refusal is the error of a refused transaction.
type Refusal struct{ Outcome *Outcome }

// Error is one line with code, rule, day and remedy.
func (r *Refusal) Error() string {
	o := r.Outcome
	return line(o.Code, o.Reason, o.Rule, o.PassesOn, o.Remedy)
}

// outcomeOf reads an answer that holds an outcome: 200, or a problem of a transaction that was executed and refused, or that the gate refused.
func outcomeOf(a *answer) (*Outcome, error) {
	o := new(Outcome)
	if err := json.Unmarshal(a.body, o); err != nil {
		return nil, fmt.Errorf("the gateway answered no outcome: %w", err)
	}
	if o.Code == "" {
		return nil, errors.New("the gateway answered an outcome without a code")
	}
	if o.Refused() && o.Reason == "" {
		p := new(Problem)
		if json.Unmarshal(a.body, p) == nil {
			o.Reason = p.Detail
		}
	}
	return o, nil
}

// Signed is a transaction ready to be sent.
type Signed struct {
	Raw     []byte
	ID      [32]byte
	Expires time.Time // block time after which it is dead
}

// expiryAhead is how far ahead of block time a transaction expires. Shorter than the chain allows by default: after it a transaction is surely
// dead, and what it carried can be sent anew.
const expiryAhead = 4 * time.Minute

// statusFresh is how long the newest block time is taken for current, with what has passed since added.
const statusFresh = 20 * time.Second

// Sign makes a transaction of messages with the client's key.
func (c *Client) Sign(ctx context.Context, msgs []pb.Msg) (*Signed, error) {
	if c.opts.Key == nil {
		return nil, errors.New("no key to sign with: name one with --key")
	}
	chain, err := c.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	now, err := c.blockTime(ctx)
	if err != nil {
		return nil, err
	}
	nonce, err := keys.Nonce()
	if err != nil {
		return nil, err
	}
	s := &Signed{Expires: time.Unix(now.Add(expiryAhead).Unix(), 0)}
	s.Raw, s.ID, err = c.opts.Key.SignTx(chain, msgs, s.Expires.Unix(), nonce)
	return s, err
}

// blockTime estimates the chain's clock.
func (c *Client) blockTime(ctx context.Context) (time.Time, error) {
	c.mu.Lock()
	block, seen := c.block, c.seen
	c.mu.Unlock()
	if block.IsZero() || time.Since(seen) > statusFresh {
		s, err := c.Status(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if s.BlockTime.IsZero() || s.BlockTime.Unix() <= 0 {
			return time.Time{}, fmt.Errorf("%w: the node at %s has no block yet", ErrUnreachable, c.base)
		}
		return s.BlockTime, nil
	}
	return block.Add(time.Since(seen)), nil
}

// standstill is how long a chain without new blocks is waited for at least. An idle one makes a block every few seconds.
const standstill = 30 * time.Second

// errDead says that a transaction expired before a block took it in.
var errDead = errors.New("the transaction expired before a block took it in; send it again")

// Open is why the outcome of a transaction is not known that a node may have taken in. It may be executed until it expires.
type Open struct {
	ID      [32]byte
	Expires time.Time // block time
	Err     error     // ErrUnreachable, or the end of the context
}

func (o *Open) Error() string { return o.Err.Error() }
func (o *Open) Unwrap() error { return o.Err }

// Send signs messages as one transaction, submits it and waits until it is committed. It returns an Outcome whenever the transaction was executed, or
// refused at the gate; an error says that it is not known, or that nobody answered.
func (c *Client) Send(ctx context.Context, msgs ...pb.Msg) (*Outcome, error) {
	for {
		s, err := c.Sign(ctx, msgs)
		if err != nil {
			return nil, err
		}
		o, sent, err := c.deliver(ctx, s)
		switch {
		case err != nil && sent && (ctx.Err() != nil || errors.Is(err, ErrUnreachable)):
			return nil, &Open{s.ID, s.Expires, err}
		case !errors.Is(err, errDead):
			return o, err
		}
	}
}

// Deliver submits a signed transaction until its outcome is known. The same bytes may be sent as often as needed: the chain executes them once.
func (c *Client) Deliver(ctx context.Context, s *Signed) (*Outcome, error) {
	o, _, err := c.deliver(ctx, s)
	return o, err
}

// deliver tells as well whether a node was reached with the transaction.
func (c *Client) deliver(ctx context.Context, s *Signed) (_ *Outcome, sent bool, _ error) {
	path := "/v1/txs?wait=commit"
	deadline := time.Now().Add(c.opts.Patience)
	pause := c.firstPause
	lost := false
	var waits stand
	for {
		a, err := c.once(ctx, request{method: http.MethodPost, path: path, accept: "application/json", body: s.Raw, contentType: "application/octet-stream", auth: true})
		sent = sent || !errors.Is(err, errDial)
		code := ""
		if err == nil {
			err = problemOf(a)
			code = CodeOf(err)
		}
		switch {
		case ctx.Err() != nil:
			return nil, sent, ctx.Err()
		case errors.Is(err, ErrUnreachable):
			// It may have been taken in before the connection broke. Sending it again finds out.
			if !lost {
				lost = true
				deadline = time.Now().Add(c.opts.Patience)
				if c.opts.Lost != nil && c.opts.Patience > 0 {
					c.opts.Lost(err)
				}
			}
		case code == codeShare, code == codePool, a != nil && err != nil && code != codePending && (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable):
			// Full or busy: later. A node that works through its pool has all the time until the expiry.
			if lost && c.opts.Back != nil {
				c.opts.Back()
			}
			lost = false
			deadline = time.Now().Add(max(c.opts.Patience, time.Until(s.Expires)))
		case code == codePending, code == codeSeen, err == nil && a.status == http.StatusAccepted:
			o, err := c.look(ctx, s, &waits)
			if o != nil || err != nil {
				return o, sent, err
			}
			deadline = time.Now().Add(max(c.opts.Patience, time.Until(s.Expires)))
		case code == codeNotHeld: // it was executed: sent anew, what it says would be said twice
			return nil, sent, err
		case code == codeExpired:
			o, err := c.outcome(ctx, s.ID)
			if err == nil && o != nil {
				return o, sent, nil
			}
			if err != nil {
				return nil, sent, err
			}
			return nil, sent, errDead
		case err != nil && a == nil:
			return nil, sent, err
		default:
			if lost && c.opts.Back != nil {
				c.opts.Back()
			}
			var p *Problem
			if errors.As(err, &p) && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || p.Status >= 500 || p.Code == "") {
				return nil, sent, err
			}
			o, err := outcomeOf(a)
			return o, sent, err
		}
		if time.Now().Add(pause).After(deadline) {
			return nil, sent, err
		}
		if e := sleep(ctx, pause); e != nil {
			return nil, sent, e
		}
		pause = min(2*pause, c.longPause)
	}
}

// stand is what is known of a transaction that the node has taken in and no answer has told the outcome of.
type stand struct {
	height int64
	moved  time.Time
}

// look asks for the outcome of such a transaction; nil and no error: wait on. A node that was started anew has lost its pool, so the caller sends the
// same bytes again meanwhile.
func (c *Client) look(ctx context.Context, s *Signed, st *stand) (*Outcome, error) {
	o, err := c.outcome(ctx, s.ID)
	if o != nil || err != nil {
		return o, err
	}
	now, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	if now.Height > st.height || st.moved.IsZero() {
		st.height, st.moved = now.Height, time.Now()
	}
	if still := time.Since(st.moved); still > max(c.opts.Patience, standstill) {
		return nil, fmt.Errorf("%w: the chain of the node at %s has stood still at height %d for %s", ErrUnreachable, c.base, st.height, still.Round(time.Second))
	}
	if now.BlockTime.After(s.Expires.Add(time.Second)) {
		// Once more: its block may have come between the two questions.
		if o, err := c.outcome(ctx, s.ID); o != nil || err != nil {
			return o, err
		}
		return nil, errDead
	}
	return nil, nil
}

// Tx is the outcome of a transaction as the gateway has it.
func (c *Client) Tx(ctx context.Context, id string) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/txs/"+url.PathEscape(id), true)
}

// Outcome looks a transaction up by its id; its signer and auditors are told.
func (c *Client) Outcome(ctx context.Context, id [32]byte) (*Outcome, error) {
	a, err := c.ask(ctx, request{method: http.MethodGet, path: "/v1/txs/" + hex.EncodeToString(id[:]), accept: "application/json", auth: true})
	if a != nil {
		var p *Problem
		if err == nil || errors.As(err, &p) && hasResults(a) {
			return outcomeOf(a)
		}
	}
	return nil, err
}

// outcome is Outcome with nil for one that is not there yet.
func (c *Client) outcome(ctx context.Context, id [32]byte) (*Outcome, error) {
	o, err := c.Outcome(ctx, id)
	if code := CodeOf(err); code == codeUnknown || code == codePending {
		return nil, nil
	}
	return o, err
}

func hasResults(a *answer) bool {
	var o Outcome
	return json.Unmarshal(a.body, &o) == nil && len(o.Results) > 0
}
