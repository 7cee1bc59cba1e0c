// Package leniency keeps decisions without a penalty (不予行政处罚, 免罚; L1 art 33, A4-7).
//
//	N1 none → stands:      Record     the offence was slight, mended in time and did no harm; or it was the first, did slight harm and was mended in time
//	N2 stands → withdrawn: Withdraw   the agency has found that the decision should not have been
//
// Such a decision is no dishonesty. It is never public, no standing, count or claim knows of it, and lenders cannot be told. An agency that decides on acts
// under the same power may see it, since whether an offence is the first depends on it.
//
// First offence (初次违法): no decision without a penalty that stands and no penalty that runs, of the same subject under the same power, within
// first_offence_months before the decision. A penalty that was repaired counts no more: it is not used for anything.
//
// The act that it spares is known to package sanction: nobody fines it, unless the decision is withdrawn.
//
// Invariants: INV-05 competence at the place of the act; LEN-1 each decision fits its limb of L1 art 33; LEN-2 the index agrees with the table.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package leniency
