// Package pb holds every byte that is signed, stored or proven: the transactions, the stored records, the standing and the
// proof bundle. Generated code comes from the .proto files beside it (scripts/dev gen); what is written by hand is the strict
// decoding (canonical.go), the bytes that a member signs (signbytes.go) and every bound on size and count (limits.go).
//
// It promises that a value has one encoding: Decode refuses any other. WIRE.md is the normative text, testdata/vectors its
// vectors.
//
// Trust: none is needed. Whoever sends bytes to this package can at most have them refused.
package pb
