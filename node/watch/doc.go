// Package watch keeps, for a node's gateway, which firms a lender watches (组合监测) and which standing of each it has last acknowledged.
//
// It is the lender's own list and no part of the chain: a file for each list in a folder of its own, bounded for each owner, and gone from the disk when the
// owner deletes it. A file is text, a line a firm: its code and the digest that the lender sent, or - where it has sent none. It knows no time, no order
// and no count of changes: what a firm's standing was between two acknowledgements nobody can learn from it (INV-03).
//
// Files and no database: a list is read and written whole, a few times a day, and what a database has deleted stays in its older files.
//
// Trust: whoever can write to the folder can at most have a lender told of a firm once more, or once less.
package watch
