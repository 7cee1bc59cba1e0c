package gateway

import (
	"net/http"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// audienceOf says who may call a route at all. What an answer holds for each reader is visibility.go's.
type audienceOf int

const (
	all       audienceOf = iota
	members              // agencies and warranted auditors: an Authorization header is needed
	signers              // the same, and lenders
	parties              // agencies and warranted auditors, and a firm by its own key about itself
	lenders              // lenders alone
	concerned            // a firm about itself, and lenders
	local                // peers on this machine
)

// admits refuses a reader who may not call a route at all. uscc is whom the route is about, empty where it is about nobody.
func (a audienceOf) admits(who *caller, uscc string) error {
	switch {
	case a == all || a == local:
		return nil
	case who == nil:
		return refuse(http.StatusUnauthorized, ErrAudience)
	case who.firm != "" && (a != parties && a != concerned || who.firm != uscc):
		return refuse(http.StatusForbidden, ErrFirm)
	case who.lender && (a == members || a == parties):
		return refuse(http.StatusForbidden, ErrLender)
	case who.firm == "" && !who.lender && (a == lenders || a == concerned):
		return refuse(http.StatusForbidden, ErrLendersOnly)
	}
	return nil
}

// slotKind is a pool of requests at work.
type slotKind int

const (
	slotRequest  slotKind = iota
	slotWait              // waits for a block, costs nothing meanwhile
	slotBatch             // makes a bundle for many
	slotBody              // sends its body: as slowly as it likes, so it holds up nobody but those who send one
	slotPack              // a pack or a delta: waits where one is being made
	slotWatch             // reads and writes a list of up to 100,000 firms, synced
	slotQuery             // waits for its receipt to be on disk
	slotReceipts          // may read the receipts of many hours for the proofs of its page
	slotKinds
)

// route is one line of the API.
type route struct {
	method   string
	path     string
	audience audienceOf
	slot     slotKind
	query    []string // parameters that it has
	body     int64    // bytes of body that it takes
	handle   func(*call) error
}

func (rt route) pattern() string { return rt.method + " " + rt.path }

// routes is the whole API. /openapi.json describes the same, and a test compares them.
var routes = []route{
	{method: http.MethodGet, path: "/v1/status", handle: (*call).status},
	{method: http.MethodGet, path: "/v1/headers/{height}", handle: (*call).header},
	{method: http.MethodGet, path: "/v1/subjects", query: []string{"after", "limit"}, handle: (*call).subjects},
	{method: http.MethodGet, path: "/v1/subjects/{uscc}", handle: (*call).standing},
	{method: http.MethodGet, path: "/v1/subjects/{uscc}/attestation", query: []string{"form"}, handle: (*call).attestation},
	{method: http.MethodPost, path: "/v1/attestations", slot: slotBatch, query: []string{"form"}, body: batchBodyMax, handle: (*call).attestations},
	{method: http.MethodGet, path: "/v1/packs/serious", slot: slotPack, handle: packOf(pb.PACK_SERIOUS)},
	{method: http.MethodGet, path: "/v1/packs/serious/delta", slot: slotPack, query: []string{"base"}, handle: deltaOf(pb.PACK_SERIOUS)},
	{method: http.MethodGet, path: "/v1/packs/negative", slot: slotPack, handle: packOf(pb.PACK_NEGATIVE)},
	{method: http.MethodGet, path: "/v1/packs/negative/delta", slot: slotPack, query: []string{"base"}, handle: deltaOf(pb.PACK_NEGATIVE)},
	{method: http.MethodGet, path: "/v1/commitments/{code}", handle: (*call).commitment},
	{method: http.MethodGet, path: "/v1/trust", handle: (*call).trust},
	{method: http.MethodGet, path: "/v1/params", handle: (*call).params},
	{method: http.MethodGet, path: "/v1/measure-items", handle: (*call).measureItems},
	{method: http.MethodGet, path: "/v1/list-standards", handle: (*call).listStandards},
	{method: http.MethodGet, path: "/v1/incentive-lists", handle: (*call).incentiveLists},

	{method: http.MethodPost, path: "/v1/txs", query: []string{"wait"}, body: pb.TxBytesMax, handle: (*call).submit},
	{method: http.MethodGet, path: "/v1/txs/{id}", audience: signers, handle: (*call).outcome},
	{method: http.MethodGet, path: "/v1/records/{id}", handle: (*call).record},
	{method: http.MethodGet, path: "/v1/files/{uscc}", audience: parties, handle: (*call).file},
	{method: http.MethodGet, path: "/v1/duties", audience: members, query: []string{"agency", "after", "limit"}, handle: (*call).duties},
	{method: http.MethodGet, path: "/v1/inspections/{id}", handle: (*call).inspectionPlan},
	{method: http.MethodGet, path: "/v1/checks/{uscc}", audience: members, handle: (*call).check},
	{method: http.MethodGet, path: "/v1/watches", audience: signers, slot: slotWatch, handle: watching((*call).watchList)},
	{method: http.MethodPost, path: "/v1/watches", audience: signers, slot: slotWatch, body: batchBodyMax, handle: watching((*call).watchAdd)},
	{method: http.MethodGet, path: "/v1/watches/{id}", audience: signers, slot: slotWatch, query: []string{"after", "limit"}, handle: watching((*call).watchShow)},
	{method: http.MethodDelete, path: "/v1/watches/{id}", audience: signers, slot: slotWatch, handle: watching((*call).watchDrop)},
	{method: http.MethodPost, path: "/v1/watches/{id}/remove", audience: signers, slot: slotWatch, body: batchBodyMax, handle: watching((*call).watchRemove)},
	{method: http.MethodGet, path: "/v1/watches/{id}/changed", audience: signers, slot: slotBatch, query: []string{"limit"}, handle: watching((*call).watchChanged)},
	{method: http.MethodPost, path: "/v1/watches/{id}/ack", audience: signers, slot: slotWatch, body: ackBodyMax, handle: watching((*call).watchAck)},
	{method: http.MethodGet, path: "/v1/members/self", audience: signers, handle: (*call).self},

	{method: http.MethodPost, path: "/v1/queries", audience: lenders, slot: slotQuery, body: queryBodyMax, handle: (*call).query},
	{method: http.MethodGet, path: "/v1/subjects/{uscc}/receipts", audience: concerned, slot: slotReceipts, query: []string{"after", "limit"}, handle: (*call).receipts},
	{method: http.MethodGet, path: "/v1/anchors/{gateway}/{hour}", handle: (*call).anchor},

	{method: http.MethodGet, path: "/v1/audit/genesis", audience: members, handle: (*call).genesis},
	{method: http.MethodGet, path: "/v1/audit/blocks/{height}", audience: members, handle: (*call).auditBlock},
	{method: http.MethodGet, path: "/v1/audit/commits/{height}", audience: members, handle: (*call).auditCommit},
	{method: http.MethodGet, path: "/v1/audit/validators/{height}", audience: members, handle: (*call).auditValidators},

	{method: http.MethodGet, path: "/healthz", audience: local, handle: (*call).healthz},
	{method: http.MethodGet, path: "/readyz", audience: local, handle: (*call).readyz},
	{method: http.MethodGet, path: "/metrics", audience: local, handle: (*call).metrics},
	{method: http.MethodGet, path: "/openapi.json", handle: (*call).openapi},
	{method: http.MethodGet, path: "/verify", handle: (*call).verifyPage},
}

func localOnly(path string) bool {
	for _, rt := range routes {
		if rt.path == path && rt.audience == local {
			return true
		}
	}
	return false
}

// Patterns lists the routes, method and path: for documents and tests.
func Patterns() []string {
	out := make([]string, len(routes))
	for i, rt := range routes {
		out[i] = rt.pattern()
	}
	return out
}
