package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// submit takes a transaction in. What signs it is in it, so the route needs no Authorization header; with one, the signer of a transaction
// that was executed already gets its outcome.
//
//   - wait=none answers as soon as the bytes are a transaction, and tells no verdict.
//   - wait=check (default) answers with the gate's verdict.
//   - wait=commit answers with the outcome, or with 202 and E_TX_PENDING when the wait is over.
func (c *call) submit() error {
	wait := "check"
	if w, ok := c.form["wait"]; ok {
		wait = w[0]
	}
	if wait != "none" && wait != "check" && wait != "commit" {
		return refuse(http.StatusBadRequest, ErrQuery.With("wait is none, check or commit"))
	}
	if ready := c.g.b.App.Chain() != nil; wait == "none" || !ready {
		id, _, err := decode(c.body)
		switch {
		case err != nil:
			return err
		case !ready:
			return refuse(http.StatusServiceUnavailable, ErrNotReady)
		case !c.g.handOver(c.body):
			return refuse(http.StatusServiceUnavailable, ErrBusy)
		}
		return c.tx(http.StatusAccepted, accepted(id, nil))
	}

	id, number, log, err := c.g.b.Submit(c.ctx, c.body)
	if err == nil && number == 0 { // the gate has decoded it
		return c.taken(id, wait)
	}
	id, body, malformed := decode(c.body)
	switch {
	case malformed != nil:
		return malformed
	case errors.Is(err, ErrPoolFull):
		return withTx(refuse(http.StatusServiceUnavailable, ErrPool), id)
	case errors.Is(err, ErrInPool):
		// It waits, or a block took it in already.
		if answered, err := c.seenBefore(id, body); answered || err != nil {
			return err
		}
	case err != nil:
		return internal(err)
	case number == app.ErrSeen.Number:
		if answered, err := c.seenBefore(id, body); answered || err != nil {
			return err
		}
		return c.gateRefusal(id, number, log)
	case number != 0:
		return c.gateRefusal(id, number, log)
	}
	return c.taken(id, wait)
}

// decode gives the id and the body of a transaction.
func decode(raw []byte) (id [32]byte, body *pb.Body, err error) {
	tx, body, err := pb.DecodeTx(raw)
	if err != nil {
		return id, nil, refuse(http.StatusBadRequest, app.ErrMalformed.With("%v", err))
	}
	return pb.SignBytes(body.ChainId, tx.Body), body, nil
}

// taken answers for a transaction that waits in the pool, when the caller wants the answer.
func (c *call) taken(id [32]byte, wait string) error {
	if wait == "check" {
		return c.tx(http.StatusAccepted, accepted(id, nil))
	}

	ctx, cancel := context.WithTimeout(c.ctx, c.g.o.WaitMax)
	defer cancel()
	o, err := c.g.b.App.Wait(ctx, id)
	switch {
	case err == nil:
		return c.writeOutcome(id, o)
	case ctx.Err() != nil:
		return c.tx(http.StatusAccepted, accepted(id, ErrPending))
	}
	return internal(err)
}

// tx answers with what became of a transaction, its reasons in the language of the request.
func (c *call) tx(status int, t txJSON) error {
	l := languageOf(c.r)
	inWords(c.w.Header(), l)
	return c.json(status, t.in(l))
}

// handOver gives a transaction to the pool without waiting for the verdict.
func (g *Gateway) handOver(tx []byte) bool {
	select {
	case g.slots[slotRequest] <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() {
			<-g.slots[slotRequest]
			if p := recover(); p != nil {
				g.met.panics.Inc()
				g.log.Error("a transaction could not be handed over", "panic", fmt.Sprint(p))
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, _, _, _ = g.b.Submit(ctx, tx) // the sender did not want to know
	}()
	return true
}

// seenBefore answers with the outcome of a transaction that a block took in already: to its signer. Anybody else who sends the same
// bytes again learns only that.
func (c *call) seenBefore(id [32]byte, body *pb.Body) (answered bool, err error) {
	o, ok, err := c.g.b.App.Outcome(id)
	if err != nil {
		return false, internal(err)
	}
	if !ok {
		switch gone, err := c.g.b.App.NotHeld(id); {
		case err != nil:
			return false, internal(err)
		case !gone:
			return false, nil
		}
	}
	signer := c.who != nil && string(c.who.key.Address) == string(body.Signer)
	switch {
	case signer && ok:
		return true, c.writeOutcome(id, o)
	case signer:
		return true, withTx(notHeld(http.StatusConflict), id)
	}
	return true, withTx(refuse(http.StatusConflict, app.ErrSeen), id)
}

// notHeld says that a transaction was executed before the snapshot with which this node began.
func notHeld(status int) *refusal {
	return refuse(status, ErrNotHeld.With("the chain has executed this transaction; this node began with a later snapshot and has no outcome of it"))
}

// accepted is the answer about a transaction that no block has taken in.
func accepted(id [32]byte, why *x.Rejection) txJSON {
	t := txJSON{ID: hex.EncodeToString(id[:]), Code: "OK", Results: []txResultJSON{}}
	if why != nil {
		t.Code, t.Number, t.Reason, t.Rule = why.Code, why.Number, why.Error(), why.Rule
	}
	return t
}

func withTx(e *refusal, id [32]byte) *refusal {
	t := accepted(id, e.why)
	e.tx = &t
	return e
}

// gateStatus is how HTTP says a refusal of the gate; others are 422.
var gateStatus = map[uint32]int{
	app.ErrMalformed.Number: http.StatusBadRequest,
	app.ErrSigner.Number:    http.StatusForbidden,
	app.ErrSignature.Number: http.StatusForbidden,
	app.ErrSeen.Number:      http.StatusConflict,
	app.ErrShare.Number:     http.StatusTooManyRequests,
	app.ErrTooLarge.Number:  http.StatusRequestEntityTooLarge,
	app.ErrWork.Number:      http.StatusServiceUnavailable,
}

func (c *call) gateRefusal(id [32]byte, number uint32, log string) error {
	status, ok := gateStatus[number]
	if !ok {
		status = http.StatusUnprocessableEntity
	}
	return withTx(refuse(status, rejectionOf(number, log)), id)
}

// rejectionOf finds the refusal behind a number, with what its one line says of the case at hand: text, and rule and remedy, which may be others than those
// that are declared.
func rejectionOf(number uint32, line string) *x.Rejection {
	r, ok := x.ByNumber(number)
	if !ok {
		return &x.Rejection{Number: number, Code: "E_UNKNOWN", Text: line} // a later version's
	}
	text := strings.TrimPrefix(line, r.Code+": ")
	rule, remedy := r.Rule, r.Remedy
	if i := strings.LastIndex(text, " (rule "); i > 0 {
		told, after, _ := strings.Cut(text[i+len(" (rule "):]+";", ");") // a rule may hold brackets
		rule, text = told, text[:i]
		if after = strings.TrimSuffix(strings.TrimSpace(after), ";"); strings.HasPrefix(after, "passes on ") {
			_, after, _ = strings.Cut(after, "; ")
		}
		if after != "" {
			remedy = after
		}
	}
	if text == "" {
		return r
	}
	c := r.With("%s", text)
	c.Rule, c.Remedy = rule, remedy
	return c
}

// writeOutcome answers with what a block made of a transaction: 200, or 422 with the same members as a problem document.
func (c *call) writeOutcome(id [32]byte, o *pb.TxOutcome) error {
	t := outcomeOf(id, o)
	if o.Code == 0 {
		return c.tx(http.StatusOK, t)
	}
	e := refuse(http.StatusUnprocessableEntity, rejectionOf(o.Code, o.Reason))
	e.tx = &t
	return e
}

func outcomeOf(id [32]byte, o *pb.TxOutcome) txJSON {
	t := txJSON{
		ID: hex.EncodeToString(id[:]), Code: codeOf(o.Code), Number: o.Code, Reason: o.Reason, Rule: o.Rule, PassesOn: optional(o.PassesOn),
		Height: o.Height, Results: []txResultJSON{},
	}
	for i := range o.Results {
		m := &o.Results[i]
		t.Results = append(t.Results, txResultJSON{
			Index: m.Index, Record: hexOf(m.Record), Code: codeOf(m.Code), Number: m.Code, Note: m.Note,
			Reason: m.Reason, Rule: m.Rule, PassesOn: optional(m.PassesOn),
		})
	}
	return t
}

func codeOf(number uint32) string {
	if number == 0 {
		return "OK"
	}
	if r, ok := x.ByNumber(number); ok {
		return r.Code
	}
	return "E_UNKNOWN"
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// outcome answers about a transaction: to the key that signed it, and to auditors. To all others it is unknown. A node that began with a snapshot does not know who signed what was
// executed before: it says to auditors alone that it does not hold the outcome, else any member with an id would be told that it was executed. Its signer is told who sends it again.
func (c *call) outcome() error {
	raw, err := c.digest("id")
	if err != nil {
		return err
	}
	id := [32]byte(raw)
	o, ok, err := c.g.b.App.Outcome(id)
	if err != nil {
		return internal(err)
	}
	if !ok && c.who.auditor {
		switch gone, err := c.g.b.App.NotHeld(id); {
		case err != nil:
			return internal(err)
		case gone:
			return notHeld(http.StatusNotFound)
		}
	}
	if !ok || !c.who.auditor && string(o.Signer) != string(c.who.key.Address) {
		return refuse(http.StatusNotFound, ErrTxUnknown)
	}
	return c.tx(http.StatusOK, outcomeOf(id, o))
}
