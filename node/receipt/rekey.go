package receipt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// NextKeyFileName is of the key that is to follow, while a journal is put under it. Which of the two keys a journal is under, it tells itself.
const NextKeyFileName = "receipts.next.json"

// OpenSealed opens the journal in a folder under the key that its file holds, sealed under a passphrase, or makes both. A change of key that a crash cut short is
// finished, or taken back where it had not come to the journal. ErrInUse, ErrKey and vault.ErrPassphrase say what is in the way.
func OpenSealed(dir string, passphrase []byte) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, s, err := settle(dir, passphrase, passphrase)
	if err != nil {
		return nil, err
	}
	return newJournal(db, s)
}

// Rekey (换密钥) puts the journal in a folder under a new key: sealed under the passphrase now, the key before under was. Nothing of what the journal says changes. Whoever
// has a copy of the old file and of its key can still read that copy. Errors are those of OpenSealed; after any of them the change can be made again. tell hears of each
// receipt; nil: nobody does.
//
// All is done under the lock of the journal's file, from before a key is read: a node that starts meanwhile, or a second change, finds it in use. The order of writes, and
// what a crash right after each leaves:
//
//  1. The new key's file, beside the old one: the journal is under the old key, so the next start removes the new one.
//  2. The copy under the new key, in a file of its own: as 1, and the next start removes the copy.
//  3. The copy takes the journal's place: the journal is under the new key, which the next start finds and puts in its place.
//  4. The blocks of the old file are overwritten: as 3; what a crash leaves of them has no name.
//  5. The new key's file takes the old one's place.
func Rekey(dir string, was, now []byte, tell func(done, of int)) error {
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		return fmt.Errorf("there is no journal of receipts: %w", err)
	}
	db, before, err := settle(dir, was, now)
	if err != nil {
		return err
	}
	defer db.Close()
	key, err := vault.SealedKey(filepath.Join(dir, NextKeyFileName), now)
	if err != nil {
		return err
	}
	testingOnlyAtStep("the new key is on disk")
	after := secrets{key}
	done, of := 0, 0
	if err := db.View(func(tx *bbolt.Tx) error { of = int(tx.Bucket(bReceipts).Sequence()); return nil }); err != nil {
		return err
	}
	copied, err := replace(db, filepath.Join(dir, FileName), after, func(to *bbolt.Tx, bucket, k, v []byte) error {
		if tell != nil && bytes.Equal(bucket, bReceipts) {
			done++
			tell(done, of)
		}
		return before.rekeyRow(after, to, bucket, k, v)
	})
	if err != nil {
		return err
	}
	defer copied.Close()
	testingOnlyAtStep("the old file is overwritten")
	return nextInPlace(dir)
}

// settle opens the file of a folder under the key that it is under.
func settle(dir string, was, now []byte) (*bbolt.DB, secrets, error) {
	db, err := take(dir)
	if err != nil {
		return nil, secrets{}, err
	}
	s, err := keyOf(db, dir, was, now)
	if err != nil {
		db.Close()
		return nil, secrets{}, err
	}
	db, err = s.under(db, dir)
	return db, s, err
}

// keyOf gives the key of a file that was taken, in its place: of the two that a crash may have left, the one that the file is under.
func keyOf(db *bbolt.DB, dir string, was, now []byte) (s secrets, err error) {
	marked, _, err := formOf(db)
	if err != nil {
		return s, err
	}
	file, next := filepath.Join(dir, KeyFileName), filepath.Join(dir, NextKeyFileName)
	_, err = os.Stat(next)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sealedKey(file, was, marked)
	case err != nil:
		return s, err
	}
	// A change that came to the journal may be made once more under yet another passphrase: then was is what seals the next key. One that neither opens is of a
	// change that did not come to the journal, or the old key does not open it either.
	key, err := vault.SealedKey(next, now)
	if err != nil && !bytes.Equal(was, now) {
		key, err = vault.SealedKey(next, was)
	}
	if err == nil {
		if s = (secrets{key}); marked && s.opens(db) {
			return s, nextInPlace(dir)
		}
	}
	if s, err = sealedKey(file, was, marked); err != nil {
		return s, err
	}
	if marked && !s.opens(db) {
		return s, ErrKey
	}
	return s, os.Remove(next)
}

// sealedKey opens a key's file. Where there is none, one is made for a journal that is under no key yet, and for no other: it would not open it.
func sealedKey(file string, passphrase []byte, marked bool) (secrets, error) {
	if _, err := os.Stat(file); marked && errors.Is(err, fs.ErrNotExist) {
		return secrets{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, err := vault.SealedKey(file, passphrase)
	return secrets{key}, err
}

func nextInPlace(dir string) error {
	return errors.Join(os.Rename(filepath.Join(dir, NextKeyFileName), filepath.Join(dir, KeyFileName)), syncDir(dir))
}

// rekeyRow puts a row of a journal as one under another key has it. Names are made anew from what they stand for: those of subjects and of uses from the receipts.
func (s secrets) rekeyRow(after secrets, to *bbolt.Tx, bucket, k, v []byte) error {
	switch string(bucket) {
	case string(bEnds):
		return to.Bucket(bucket).Put(k, v)
	case string(bSubjects), string(bUses):
		return nil
	}
	plain, err := s.open(bucket, k, v)
	if err != nil {
		return err
	}
	switch string(bucket) {
	case string(bUsedUp):
		return after.put(to, bucket, after.name(bucket, plain), plain)
	case string(bAnswered):
		return after.put(to, bucket, after.answered(Request{int64(binary.BigEndian.Uint64(k)), plain}), plain)
	case string(bReceipts):
		if len(plain) <= saltBytes || len(k) != 8 {
			return fmt.Errorf("%s %x of the journal was cut", bucket, k)
		}
		var r pb.QueryReceipt
		if err := pb.Decode(plain[saltBytes:], &r); err != nil {
			return fmt.Errorf("receipt %d of the journal: %w", binary.BigEndian.Uint64(k), err)
		}
		if err := after.index(to, &r, k); err != nil {
			return err
		}
	}
	return after.put(to, bucket, k, plain)
}

// index enters what leads to a receipt: its subject, and the use that it counts.
func (s secrets) index(to *bbolt.Tx, r *pb.QueryReceipt, seq []byte) error {
	if len(r.Opened) > 0 {
		if err := to.Bucket(bUses).Put(s.name(bUses, r.Authorisation), be64(s.count(to, r.Authorisation)+1)); err != nil {
			return err
		}
	}
	return s.lead(to, r, seq)
}

// lead enters a receipt under its subject, and under its subject and who asked.
func (s secrets) lead(to *bbolt.Tx, r *pb.QueryReceipt, seq []byte) error {
	if err := to.Bucket(bSubjects).Put(append(s.name(bSubjects, []byte(r.Subject)), seq...), nil); err != nil {
		return err
	}
	return s.asked(to, r, seq)
}

func (s secrets) asked(to *bbolt.Tx, r *pb.QueryReceipt, seq []byte) error {
	b := to.Bucket(bAsked)
	if err := b.Put(append(s.name(bAsked, []byte(r.Subject+r.Requester)), seq...), nil); err != nil { // both codes have one length
		return err
	}
	return b.SetSequence(binary.BigEndian.Uint64(seq))
}

// indexAskers enters who asked in the receipts that a program of before wrote.
func (s secrets) indexAskers(db *bbolt.DB) error {
	for more := true; more; {
		err := db.Update(func(tx *bbolt.Tx) error {
			next, last := tx.Bucket(bAsked).Sequence()+1, tx.Bucket(bReceipts).Sequence()
			most := min(last, next+encryptMost-1)
			more = most < last
			for ; next <= most; next++ {
				e, err := s.entry(tx, next)
				if err != nil {
					return err
				}
				if err := s.asked(tx, &e.Receipt, be64(next)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
