package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/x"
)

// Refusals of the gateway, 9001–9099. They never stand in a block. Numbers are permanent.
var (
	ErrRoute       = x.Reject(9001, "E_ROUTE", "contract/HTTP", "there is no such route", "see /openapi.json")
	ErrMethod      = x.Reject(9002, "E_METHOD", "contract/HTTP", "the route does not have this method", "see the Allow header")
	ErrAuth        = x.Reject(9003, "E_AUTH", "contract/HTTP", "the Authorization header is not valid", "sign the request again: Xinlian ADDRESS:UNIXTIME:NONCE:SIGNATURE")
	ErrAudience    = x.Reject(9004, "E_AUDIENCE", "§11.2", "this is not for the public", "ask with the key of a member or a warranted auditor")
	ErrQuery       = x.Reject(9005, "E_QUERY", "contract/HTTP", "a query parameter is unknown or out of range", "see /openapi.json")
	ErrNotReady    = x.Reject(9006, "E_NOT_READY", "contract/HTTP", "the node is not ready: it has no proven height yet, or takes no part", "try again")
	ErrInternal    = x.Reject(9007, "E_INTERNAL", "contract/HTTP", "this node could not answer; nothing is wrong with the request", "try again, or ask another node")
	ErrBusy        = x.Reject(9008, "E_BUSY", "contract/HTTP", "the node has as many requests at work as it takes", "try again")
	ErrRate        = x.Reject(9009, "E_RATE", "contract/HTTP", "too many requests from this address", "slow down")
	ErrBodySize    = x.Reject(9010, "E_BODY_SIZE", "contract/HTTP", "the body is too large", "send less at a time")
	ErrPending     = x.Reject(9011, "E_TX_PENDING", "contract/HTTP", "the transaction waits for a block", "ask for its outcome by its id, with the key that signed it")
	ErrTxUnknown   = x.Reject(9012, "E_TX_UNKNOWN", "contract/HTTP", "no outcome of such a transaction is for this reader", "check the id; a node that began with a snapshot has no outcome from before it; a transaction that no block took in before its expiry is dead")
	ErrHeight      = x.Reject(9014, "E_HEIGHT", "contract/HTTP", "the node has no block of this height", "ask for a height between 1 and that of /v1/status")
	ErrAccept      = x.Reject(9015, "E_ACCEPT", "contract/HTTP", "the route does not speak any of the media types asked for", "see /openapi.json")
	ErrBatch       = x.Reject(9016, "E_BATCH", "contract/HTTP", "the list of subjects is empty or too long", "send between 1 and 10000 subjects")
	ErrBody        = x.Reject(9017, "E_BODY", "contract/HTTP", "the body is not what the route takes", "see /openapi.json")
	ErrID          = x.Reject(9018, "E_ID", "contract/HTTP", "an id is not of the form that the route takes", "64 hexadecimal digits")
	ErrPool        = x.Reject(9019, "E_POOL_FULL", "design §4", "the node's pool of transactions is full", "send again after the next blocks")
	ErrBundleSize  = x.Reject(9020, "E_BUNDLE_SIZE", "verification", "the bundle would be larger than a verifier accepts", "ask for fewer subjects at a time")
	ErrRequest     = x.Reject(9021, "E_REQUEST", "contract/HTTP", "the request is not well formed", "see /openapi.json")
	ErrNotHeld     = x.Reject(9022, "E_NOT_HELD", "contract/HTTP", "the chain has a block of this height, this node does not keep it", "ask an archive node")
	ErrPlanUnknown = x.Reject(9024, "E_INSPECTION_PLAN_UNKNOWN", "contract/HTTP", "no plan of inspections has this id", "check the id")
	ErrFirm        = x.Reject(9040, "E_FIRM_AUDIENCE", "§11.2", "a firm's key opens what is the firm's own", "ask about the firm whose key it is, at a route that takes firms")
	ErrPackBase    = x.Reject(9030, "E_PACK_BASE", "design §7", "this gateway makes no delta from that pack: it is none of its own, or one of more than 24 hours ago", "get the whole pack")
	ErrLender      = x.Reject(9041, "E_LENDER_AUDIENCE", "§11.2, A6-4", "a lender is told what the public is, and what firms authorise", "ask at the public routes, or at /v1/queries on a firm's authorisation")
	ErrNoLending   = x.Reject(9042, "E_NO_LENDING", "A6-4", "this node is no lenders' gateway", "ask the gateway that the authorisation names")
	ErrLendersOnly = x.Reject(9043, "E_LENDERS_ONLY", "§11.2, A6-4", "this is for lenders", "ask with a lender's key; agencies ask at /v1/checks")
	ErrJournal     = x.Reject(9044, "E_RECEIPT_JOURNAL", "INV-22", "this gateway's journal of receipts is not whole, so it opens nothing", "ask for what is published alone, without classes, until the operator has brought the journal back")
	ErrNoAnchor    = x.Reject(9045, "E_ANCHOR_NONE", "INV-22", "the gateway has anchored nothing for this hour", "see which hour the receipt names")
	ErrStale       = x.Reject(9046, "E_STALE", "INV-22", "this node's state is old, so it opens nothing: what a firm has withdrawn since is not known here", "ask for what is published alone, without classes, or again when the node has caught up")
	ErrUnanchored  = x.Reject(9047, "E_RECEIPTS_UNANCHORED", "INV-22", "the receipts of this gateway do not come to the ledger, so it opens nothing", "ask for what is published alone, without classes, until the gateway's receipts are anchored again")
	ErrWatch       = x.Reject(9031, "E_WATCH_UNKNOWN", "design §7", "no watch of the caller has this name", "add firms to it first, or check the name")
	ErrWatchID     = x.Reject(9032, "E_WATCH_ID", "design §7", "the name of a watch is not of the form that the route takes", "1 to 64 characters of A-Z a-z 0-9 _ . -, not . or ..")
	ErrWatchFull   = x.Reject(9033, "E_WATCH_FULL", "design §7", "an owner has at most 100 watches, and 100000 firms in all of them together", "remove firms or delete a watch first")
	ErrNotWatched  = x.Reject(9034, "E_NOT_WATCHED", "design §7", "a firm that is acknowledged is not in the watch; nothing was noted", "send the firms of the bundle that the watch gave")
	ErrDuties      = x.Reject(9023, "E_DUTIES_AUDIENCE", "§11.2", "what an agency must do is told to itself, to who acts for it by mandate, and to auditors", "ask for the duties of your own agency")
)

// refusal is an answer that says no. The rejection tells what and why, the rest how HTTP says it.
type refusal struct {
	status     int
	why        *x.Rejection
	retryAfter int // seconds; 0 = none
	asOf       *asOf
	tx         *txJSON
	cause      error // for the log, never for the answer
}

func (e *refusal) Error() string { return e.why.Error() }
func (e *refusal) Unwrap() error { return e.cause }

func refuse(status int, why *x.Rejection) *refusal {
	e := &refusal{status: status, why: why}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		e.retryAfter = 1
	}
	return e
}

// internal is what this machine did wrong. The cause goes to the log.
func internal(cause error) *refusal {
	e := refuse(http.StatusServiceUnavailable, ErrInternal)
	e.cause = cause
	return e
}

// at adds the height that a refusal speaks of.
func (e *refusal) at(as asOf) *refusal {
	e.asOf = &as
	return e
}

// badInput is a refusal by a check of the rules of what the caller wrote into the request.
func badInput(err error) error {
	var r *x.Rejection
	if errors.As(err, &r) {
		return refuse(http.StatusBadRequest, r)
	}
	return internal(err)
}

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// problem is the document of RFC 9457 with our members.
type problem struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail"`
	Code     string  `json:"code"`
	Number   uint32  `json:"number"`
	Rule     string  `json:"rule"`
	PassesOn *string `json:"passes_on"`
	Remedy   string  `json:"remedy"`
	AsOf     *asOf   `json:"as_of,omitempty"`
	// Of a transaction that was executed and refused.
	ID      string         `json:"id,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Height  *int64         `json:"height,omitempty"`
	Results []txResultJSON `json:"results,omitempty"`
}

func (e *refusal) problem(l lang.Language) problem {
	p := problem{
		Type: "urn:xinlian:problem:" + e.why.Code, Title: lang.Ledger().Text(l, e.why.Text), Status: e.status, Detail: detail(l, e.why),
		Code: e.why.Code, Number: e.why.Number, Rule: e.why.Rule, Remedy: lang.Ledger().Text(l, e.why.Remedy), AsOf: e.asOf,
	}
	if declared, ok := x.ByNumber(e.why.Number); ok {
		p.Title = lang.Ledger().Text(l, declared.Text)
	}
	if e.why.PassesOn != 0 {
		on := e.why.PassesOn.String()
		p.PassesOn = &on
	}
	if t := e.tx; t != nil {
		t := t.in(l)
		p.ID, p.Reason, p.Height, p.Results = t.ID, t.Reason, &t.Height, t.Results
		if t.PassesOn != nil {
			p.PassesOn = t.PassesOn
		}
	}
	return p
}

// detail says what is wrong in the case at hand. Where the catalogue does not know it, what the code means stands before it.
func detail(l lang.Language, why *x.Rejection) string {
	said, known := lang.Ledger().Known(l, why.Text)
	if declared, ok := x.ByNumber(why.Number); ok && !known {
		return lang.Ledger().Text(l, declared.Text) + "（" + why.Text + "）"
	}
	return said
}

// in says the reasons of an outcome in a language.
func (t *txJSON) in(l lang.Language) *txJSON {
	out := *t
	out.Reason = lang.Ledger().Text(l, t.Reason)
	out.Results = slices.Clone(t.Results)
	for i := range out.Results {
		out.Results[i].Reason = lang.Ledger().Text(l, out.Results[i].Reason)
	}
	return &out
}

// languageOf is the language in which a request is answered where the answer has words.
func languageOf(r *http.Request) lang.Language {
	return lang.Accept(strings.Join(r.Header.Values("Accept-Language"), ","))
}

// inWords says in the headers that the words of an answer follow the language of the request.
func inWords(h http.Header, l lang.Language) {
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Language", string(l))
}

func (e *refusal) write(w http.ResponseWriter, r *http.Request) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Xinlian")
	}
	l := languageOf(r)
	inWords(w.Header(), l)
	writeBytes(w, e.status, problemType, encodeJSON(e.problem(l)))
}

// encodeJSON is the one encoding of a view: fields in the order of the struct, no map anywhere.
func encodeJSON(view any) []byte {
	body, err := json.Marshal(view)
	if err != nil {
		panic(err) // a view of strings and numbers cannot fail: a bug
	}
	return append(body, '\n')
}

func writeBytes(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader that went away is no fault of ours
}
