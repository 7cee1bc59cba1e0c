// Package sample carries the sample files of a Henan network: firms, agencies, penalties, commitments and fulfillments, all
// synthetic, with the outcome that the import of each row must have. The demo and the localnet enrol its subjects and admit its
// members.
//
// The files are written by networks/sample/gen from a fixed seed; README.md describes them.
//
// Trust: nothing real is in here. Whoever changes the files changes what a demonstration shows, and nothing else.
package sample
