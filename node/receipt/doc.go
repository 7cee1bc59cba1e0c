// Package receipt keeps the receipts (查询回执) of a lenders' gateway: a journal on its disk, and the anchors of their roots on the ledger.
//
// What it promises:
//
//   - Record returns once a receipt is on disk, and not before. An answer that left has its receipt there, whatever happens to the process next (INV-22).
//     Many who wait share one write to disk (group commit): it costs the time of a write, not a write for each.
//   - How often an authorisation was used is counted in the write that holds the receipt. Two queries at once never overrun its limit. An authorisation
//     names one gateway, so no other counts.
//   - Seal puts all receipts since the last time under one root: leaves salted each on its own, in the order of their hashes, filled up to a power of
//     two, at least 64, with random ones. The root tells nobody how many there are, or whether there are any; a path tells the firm and the lender who hold
//     a receipt no more than the size of that power. Sealing twice gives the same anchor, so that what was sent and lost is sent again.
//   - A signed request that has a receipt gets no other, from this process or the next one: it is remembered in the write that holds the receipt, for two minutes, which is
//     longer than a gateway takes one.
//   - No receipt is deleted (A8-8: at least three years).
//   - Whoever has the file alone learns how many receipts there are, in which order and of what length, how many each of the firms and authorisations has that stand
//     there under names that only the key makes, how many an hour's anchor covers, and which second each of the newest requests named; not who asked about whom. The key is sealed under the passphrase of the
//     gateway's key (vault.SealedKey); without it nothing is opened, and a new one opens no old journal; where the journal is there and its key is gone, none is made. What a file holds is bound to its place. A file that a
//     version before this wrote in clear is encrypted when it is opened.
//   - Rekey puts the journal under a new key, sealed under the same passphrase or another; wherever a crash cuts it, the journal is whole under one of the two, and
//     OpenSealed finds which (TestRekeyCutAtEachWrite). The journal is one process's from before a key is read until both are in place.
//   - A write that a crash cuts short is there whole or not at all, the use that it counts with it (TestCutAtEachWrite).
//
// A journal that has lost anchors which the ledger holds, or has sealed an hour otherwise than the ledger has it, does not know all uses; the gateway then opens
// nothing until its journal is back. Nor does it where no receipt has come to the ledger for a day.
//
// Trust: the operator of the gateway has file and key. Whoever has both can hide receipts that are not anchored yet, an hour's while anchors come, and can change none that is.
// Whoever can write to the file alone can put an older one in its place: an anchor that the ledger holds and the journal lacks then stops the gateway from opening
// anything.
package receipt
