// Package vault is the submitting agency's encrypted folder (保险库): the words of a record that never go on chain (facts, legal
// basis, names, reasons). The chain carries a salted digest of them; whoever holds the vault can show the words and prove that
// they are the ones the digest speaks of, and can destroy them for good.
//
// # Files
//
//	DIR/vault.json                          how the vault key is sealed under the passphrase (scrypt, AES-256-GCM)
//	DIR/records/SS/RECORD-DIGEST.xlv        one set of texts, encrypted
//	DIR/records/SS/RECORD.gone              the texts of this record were destroyed
//	DIR/records/SS/RECORD-DIGEST.tmp*       a write that a crash cut short; never read
//
// RECORD is the record id in 64 hexadecimal digits, SS its first two, DIGEST the first 16 digits of the digest of the texts. A record may have several sets: a commitment has
// its content, and later what was not performed and what was done about it; and a refused correction may lie beside what stands.
//
// vault.json is a JSON object: format "xinlian-vault/1", scrypt {n, r, p, salt}, nonce, sealed. The vault key is 32 random
// bytes; sealed = AES-256-GCM(scrypt(passphrase, salt), nonce, key, additional data = the format string). Bytes are base64.
//
// An .xlv file is "XLV1" ‖ salt (32 random bytes) ‖ AES-256-GCM ciphertext of the canonical text bytes. Its key is
// HKDF-SHA256(secret = vault key, salt, info = "xinlian/vault/record/v1" ‖ record id). The salt makes the key unique to the file,
// so the nonce is twelve zero bytes. Additional data = "XLV1" ‖ record id ‖ salt.
//
// # Digest
//
// Canonical text bytes: uint32 number of fields, then for each field in ascending order of its name uint32 length ‖ name ‖
// uint32 length ‖ text, all big endian, UTF-8. Digest = SHA-256(salt ‖ canonical text bytes) with salt = HMAC-SHA256(vault key,
// record id). The same texts of the same record give the same digest for as long as the vault lives, so that sending a file again
// records nothing twice; without the vault key nobody can try out texts against a digest.
//
// # What is promised
//
// A write is a temporary file, fsync, rename, fsync of the folder: after a crash a set of texts is there whole or not at all.
// Opening a file that was cut or changed is an error that names it, never wrong text. Destroy leaves a tombstone, so that sending
// an old file again cannot bring texts back unnoticed. A file system that copies on write (and any backup) may keep old
// blocks; since the vault key still exists, backups of the folder must be destroyed with the record.
//
// Trust: whoever has the folder and the passphrase can read everything in it and can confirm a guess at destroyed texts; whoever
// has the folder alone learns which records it speaks of and how long their texts are, and can at most delete them.
package vault
