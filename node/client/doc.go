// Package client is how a member's programs speak to a node's gateway: reading with and without a member's key, submitting transactions, and sending
// whole files (Importer).
//
// It promises that nothing is recorded twice, whatever is lost on the way: a transaction is sent again only as the same bytes, whose id
// the chain executes once, and where it died unexecuted its messages are sent anew, whose record ids the chain knows. It promises
// that a question ends: every request has a timeout, what is tried again is tried for a bounded time, and what has failed is one line.
//
// Trust: it believes what the gateway answers, except for what the caller verifies (bundles, with package attest). A gateway that lies can
// make it report records that do not stand; running the same import again at another node shows it. It never shows its key to a gateway.
package client
