// Package subject keeps the subjects of credit (信用主体) and their files (档案).
//
// A subject is an organisation known by its unified social credit code. Its name is not on chain. Recording never enrols: a code that
// is not enrolled is refused, and only the registry enrols, in bulk and independently of records, so being enrolled says nothing.
//
//	none → active: Enrol
//	active → deregistered, revoked, active: Enrol with another status
//
// The keys of a firm, by the registry as well:
//
//	K1 none → in force:      RegisterKey, with the key's own signature for this firm  登记密钥
//	K2 in force → rotated:   RegisterKey of its successor, in the same block  更换
//	K3 in force → lost, returned: EndKey  遗失、停用
//
// A firm's key signs the firm's own acts alone: authorisations that it gives and takes back (package consent). With it the firm reads its own file
// and receipts. It is no member's key, so it signs no transaction and takes no share of a block. What it signed while it was in force stays.
//
// The file of a subject is an append-only log (RFC 6962) of every version of every record of that subject. Records is the table
// type of all modules whose rows are such records: writing a row appends to the file, so that the file's root binds every row. The
// file's root is a leaf of the state tree under a key that only holders of the chain's secret can compute: it never stands in a
// lender's bundle.
//
// Invariants: SUB-1 a subject's file has as many entries as its head says, and they hash to its root. SUB-2 each record row is the
// newest version of its key in the file. SUB-4 the index of keys follows from the keys; at most eight of a firm are in force. SUB-5 the
// counts of rows that members added to a long file add up. SUB-3 nothing is ever removed from a file (INV-20, INV-40).
//
// Trust: this package trusts the signer's role as package member reports it. Whoever can change this package can at most enrol or
// hide subjects on its own node, which changes the app hash and stops that node.
package subject
