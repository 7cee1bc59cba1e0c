// Package tidy holds the rules of this repository as tests: what may import
// what, what consensus code (共识代码) may not do, and what every module must
// have. A failure says what to do instead. It needs nothing but the Go
// toolchain and runs with `go test ./...`.
//
// A rule for a package that is not there yet is skipped. An exemption is a line
// in the list of its rule, with a reason, and fails once nothing needs it.
//
// Trust: whoever can change this can at most let a change through that review
// then has to catch; nothing at run time depends on it.
package tidy
