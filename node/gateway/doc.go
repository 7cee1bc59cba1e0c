// Package gateway is a node's HTTP API: it takes transactions in, and hands out what each reader may know.
//
// What it promises:
//
//   - A record becomes an answer only through visibility.go, the state × audience table as data. For a reader who may not see a record,
//     every answer is byte for byte that of a ledger that never had it: no list, count, error text or metric label tells (INV-01, INV-03,
//     INV-04).
//   - Public answers speak of the newest proven height alone: the state of height H, whose app hash header H+1 carries and more than two
//     thirds of the power have signed. Asking about the past would undo a repair.
//   - Every answer about records says of which height and moment it is, under which catalogue and rules, and until when it is fresh
//     (INV-21).
//   - Of offline packs only the newest is there, in memory alone; no answer holds one in which somebody stands who has left its set. A delta
//     leads on from packs of the last 24 hours, and shows the difference and nothing of what came and went in between.
//   - A lender that watches firms gets the current bundle of those whose standing differs from the one that it last acknowledged: no event, no
//     time and no count of what was in between.
//   - A bundle or a pack leaves only after x/attest has verified it here.
//   - Bad input gets a problem document of RFC 9457 with 4xx. What this machine does wrong is 503. Limits are 413, 422, 429 or 503.
//   - Who sends or reads slowly holds up nobody else: bodies are read before a request has its place among those at work, answers are sent after it, and what is on
//     its way is bounded in bytes and by time (limits.go). Connections are bounded by the node (node/bounded.go).
//   - The same state gives the same bytes.
//   - A lender's query (POST /v1/queries) is answered once its receipt is on disk, and opens no more than the firm has authorised (INV-22). Its receipts are for
//     the firm and the lender. Queries that wait for the disk hold up nobody else's questions, and one lender's leave places to others.
//
// Trust: a reader need not trust a gateway for a bundle, which proves itself. For every other answer it trusts the node that it asks.
// Whoever can read a member's requests on the way can at most repeat one to another node within a minute, and only read; so a
// gateway that faces a network stands behind TLS. What does so sets X-Forwarded-For, adding the address from which it has the request at the right end, and is named as a trusted proxy
// (api.trusted_proxies): all rates and shares are then of the reader that it names. Where it is not named and on this machine, all readers are one peer of this machine, which is held to no rate
// and to no share; where it sets neither X-Forwarded-For nor another mark of a proxy (proxyMarks), /metrics, /healthz and /readyz are open to them all.
package gateway
