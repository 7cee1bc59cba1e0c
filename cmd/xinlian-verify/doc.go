// Command xinlian-verify is the lender's program (信贷机构核验工具): it judges proof bundles offline. check, check-many and inspect read
// files and nothing else; convert and qr write a bundle in a shorter form, as text or as a picture; trust update and doctor look
// after the trust file; cosign makes a witness of whoever runs it; receipt judges receipts of queries against anchors that nodes told. fetch alone, and the verbs of pack that begin with it, speak to a node,
// and believe nothing that they are told.
//
// Exit codes of check: 0 verified and the claim holds; 1 invalid; 2 usage; 3 stale; 4 the trust file has expired or does not reach the
// bundle; 5 unsupported version; 6 verified, but the claim does not hold.
//
// Trust: the trust file named by --trust and the clock, or --at. Who serves the bundle does not matter.
// For receipt, whoever told the anchors: they carry no signatures of validators.
package main
