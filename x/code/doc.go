// Package code holds the identifiers, code tables and closed formats of the credit field:
// 统一社会信用代码, 行政区划代码, 承诺编码, 处罚决定书文号, penalty kinds and the other enumerations,
// amounts in 万元, and the scanner that keeps natural persons' numbers off the chain (INV-17).
//
// For every identifier there are two functions. Normalize… mends what people and spreadsheets
// do (full-width digits, blanks, lower case, brackets) and says whether it changed anything; it
// is for the edge, where a file is read, and never refuses. Check… is strict and is the only one
// the rules call: what it accepts is the one spelling that may stand on chain, so that a
// number cannot be recorded twice in two spellings.
//
// It promises to be pure and deterministic: no clock, no state, no table that comes from the
// language's Unicode version. Which characters are Chinese or blank is written down here,
// because two nodes built with two compilers must agree on every refusal.
//
// A refusal is a Problem: the code string of the rule book and one line of text. The text
// names positions and lengths, never the value, which may be the very thing that must not be
// repeated.
//
// Trust: whoever can change this package can let through a misspelt, invented or personal
// number, or refuse a right one; they cannot record anything, since every record still needs
// the signature and competence of its issuer.
package code
