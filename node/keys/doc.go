// Package keys holds a member's signing keys: one encrypted file a key (Ethereum keystore, version 3), and the two things a
// member signs, transactions and requests to a gateway.
//
// It promises that a secret reaches the disk only encrypted, that no file is ever overwritten (a key that is gone cannot be had
// back, and the member with it until the governors vote), and that any tool for version 3 files opens what it wrote.
//
// Trust: whoever has a file and its passphrase is the member, as far as the key's roles go. Whoever can change a file can at
// most make it unreadable: the address that it names is compared with the one of the secret inside.
package keys
