// Package standing makes the standing (信用状况) of a subject: one document with everything that the public may see of it now.
//
// Its digest is one leaf of the state tree, so that a proof shows that nothing was left out (INV-44). The bytes are a function of visible
// facts alone: lists sorted by id, no height, no counter of changes, no order or time of writing. When a repair takes effect the
// standing has again the very bytes from before the record came, and since its salt is derived from those bytes, so has its leaf (INV-03).
//
// For the same reason may_promise is not the bar inside consensus: that one goes when the record which punishes a breach is repaired, and comes back
// when such a record is registered. Whoever saw it move would know of the record.
//
// The application makes standings anew once a block, after timers and transactions, for the subjects that they touched.
//
// The standing carries one digest of the restricted section (特定范围内公开): always present, salted the same way. The section has a salted digest for each
// class of data, also where a class is empty. Open opens the classes that a subject has authorised a lender for; the others stay closed.
//
// Invariants: STD-1 every enrolled subject has a standing, and it is what Build makes of the records.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package standing
