package receipt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrKey: the journal is encrypted under another key, or its key is gone.
	ErrKey = errors.New("the key does not open this journal of receipts: bring back the key file that was made with it")
	// ErrInUse: another process has the journal open.
	ErrInUse = errors.New("in use by another process: stop the node first")
)

// KeyBytes is the length of a journal's key.
const KeyBytes = 32

// form is of the files that this program writes. A file without one is of a program that wrote in clear.
const form = "xinlian-receipts/2"

var (
	bForm  = []byte("form") // "form" → form, sealed: opens under the right key alone
	atForm = []byte("form")
)

// secrets hide what a journal says. A value is salt[32] ‖ AES-256-GCM of it under HKDF-SHA256(key, salt, form ‖ bucket), as the vault does with its files: the salt
// makes the key unique, so the nonce is zero. It is bound to its place (bucket and key). What would name somebody as a key stands there as its HMAC.
type secrets struct{ key []byte }

func (s secrets) aead(bucket, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.key, salt, form+string(bucket), KeyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s secrets) seal(bucket, at, plain []byte) ([]byte, error) {
	salt := make([]byte, saltBytes, saltBytes+len(plain)+16)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	aead, err := s.aead(bucket, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(salt, make([]byte, aead.NonceSize()), plain, slices.Concat(bucket, []byte{0}, at)), nil
}

// open gives bytes of its own.
func (s secrets) open(bucket, at, sealed []byte) ([]byte, error) {
	if len(sealed) < saltBytes {
		return nil, fmt.Errorf("%s %x of the journal was cut", bucket, at)
	}
	aead, err := s.aead(bucket, sealed[:saltBytes])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed[saltBytes:], slices.Concat(bucket, []byte{0}, at))
	if err != nil {
		return nil, fmt.Errorf("%s %x of the journal was changed", bucket, at)
	}
	return plain, nil
}

// name stands for an id that would name somebody.
func (s secrets) name(bucket, id []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(slices.Concat([]byte(form), bucket, []byte{0}, id))
	return mac.Sum(nil)
}

// take opens the file of a folder, or makes an empty one. From then on it is this process's alone, and so are the files of its keys beside it.
func take(dir string) (*bbolt.DB, error) {
	path := filepath.Join(dir, FileName)
	var taken fs.FileInfo
	db, err := openBolt(path, func(name string, flag int, mode fs.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		if err == nil {
			if taken, err = f.Stat(); err != nil {
				f.Close()
			}
		}
		return f, err
	})
	// Who waited for a process that put a copy in the file's place may have got the file of before, which has no name any more.
	if now, e := os.Stat(path); errors.Is(err, berrors.ErrTimeout) || taken != nil && (e != nil || !os.SameFile(taken, now)) {
		if err == nil {
			db.Close()
		}
		return nil, fmt.Errorf("the journal of receipts %s is %w", path, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal of receipts in %s: %w", dir, err)
	}
	if err := os.Remove(path + making); err != nil && !errors.Is(err, fs.ErrNotExist) { // what a crash left
		db.Close()
		return nil, err
	}
	return db, nil
}

// formOf tells whether a file says under which key it is; if not, whether there is something in it, in clear.
func formOf(db *bbolt.DB) (marked, clear bool, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bForm)
		marked = b != nil && b.Get(atForm) != nil
		clear = !marked && tx.Bucket(bReceipts) != nil
		return nil
	})
	return marked, clear, err
}

// opens tells whether this is the key of a file that says under which it is.
func (s secrets) opens(db *bbolt.DB) bool {
	return db.View(func(tx *bbolt.Tx) error {
		if plain, err := s.open(bForm, atForm, tx.Bucket(bForm).Get(atForm)); err != nil || string(plain) != form {
			return ErrKey
		}
		return nil
	}) == nil
}

// under holds that a file that was taken is under a key, or puts it there: an empty one, or one in clear. It closes the file that it does not give back.
func (s secrets) under(db *bbolt.DB, dir string) (*bbolt.DB, error) {
	marked, clear, err := formOf(db)
	switch {
	case err != nil:
	case marked:
		if !s.opens(db) {
			err = ErrKey
		}
	case clear:
		var now *bbolt.DB
		if now, err = replace(db, filepath.Join(dir, FileName), s, s.encryptRow); err == nil {
			if err = now.Close(); err == nil {
				db, err = take(dir)
			}
			if err != nil {
				return nil, err
			}
			return s.under(db, dir)
		}
	}
	if err == nil {
		err = db.Update(s.prepare)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func openBolt(path string, open func(string, int, fs.FileMode) (*os.File, error)) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, OpenFile: open})
}

// prepare makes what a new file lacks.
func (s secrets) prepare(tx *bbolt.Tx) error {
	for _, b := range [][]byte{bForm, bReceipts, bSubjects, bAsked, bUses, bUsedUp, bAnchors, bEnds, bAnswered} {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return err
		}
	}
	if tx.Bucket(bForm).Get(atForm) != nil {
		return nil
	}
	mark, err := s.seal(bForm, atForm, []byte(form))
	if err != nil {
		return err
	}
	return tx.Bucket(bForm).Put(atForm, mark)
}

const (
	making      = ".making"
	encryptMost = 10_000 // rows a transaction
)

// copyRow puts a row of the old file into the new one.
type copyRow func(to *bbolt.Tx, bucket, k, v []byte) error

// replace puts a copy under a key into the place of a journal, which is closed, and gives the copy, which is open: nobody else has one of the two at any time. A crash
// before the rename leaves the old file, and a part of a copy that the next start removes; one after it leaves the new. The blocks of the old file are overwritten last:
// a file system that copies on write may keep them.
func replace(old *bbolt.DB, path string, s secrets, row copyRow) (now *bbolt.DB, err error) {
	if now, err = openBolt(path+making, nil); err != nil {
		return nil, err
	}
	inPlace := false
	defer func() {
		if err != nil {
			now.Close()
			if !inPlace {
				os.Remove(path + making) // it may have taken the last of a full disk
			}
		}
	}()
	if err := now.Update(s.prepare); err != nil {
		return nil, err
	}
	if err := old.View(func(from *bbolt.Tx) error { return copyRows(from, now, row) }); err != nil {
		return nil, err
	}
	testingOnlyAtStep("the copy is whole")
	gone, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer gone.Close()
	if err := os.Rename(path+making, path); err != nil {
		return nil, err
	}
	inPlace = true
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	testingOnlyAtStep("the copy has its place")
	info, err := gone.Stat()
	zeros := make([]byte, 1<<20)
	for at := int64(0); err == nil && at < info.Size(); at += int64(len(zeros)) {
		_, err = gone.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	if err == nil {
		err = gone.Sync()
	}
	return now, errors.Join(err, old.Close())
}

func copyRows(from *bbolt.Tx, now *bbolt.DB, row copyRow) error {
	for _, name := range [][]byte{bReceipts, bSubjects, bUses, bUsedUp, bAnchors, bEnds, bAnswered} {
		b := from.Bucket(name)
		if b == nil {
			continue
		}
		c := b.Cursor()
		for k, v := c.First(); ; {
			err := now.Update(func(to *bbolt.Tx) error {
				for n := 0; k != nil && n < encryptMost; n++ {
					if err := row(to, name, k, v); err != nil {
						return err
					}
					k, v = c.Next()
				}
				return to.Bucket(name).SetSequence(b.Sequence())
			})
			if err != nil {
				return err
			}
			if k == nil {
				break
			}
		}
		testingOnlyAtStep("a bucket is copied")
	}
	return now.View(func(to *bbolt.Tx) error { return sameUses(from, to) })
}

// testingOnlyAtStep is called between the writes of a replacement.
var testingOnlyAtStep = func(step string) {}

// sameUses holds that a copy counts as many uses as the file that it is of: they are what keeps an authorisation from being used too often.
func sameUses(from, to *bbolt.Tx) error {
	sum := func(tx *bbolt.Tx) (n uint64) {
		b := tx.Bucket(bUses)
		if b == nil {
			return 0
		}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(v) == 8 {
				n += binary.BigEndian.Uint64(v)
			}
		}
		return n
	}
	if sum(from) != sum(to) {
		return errors.New("the journal of receipts counts other uses than its receipts have")
	}
	return nil
}

// encryptRow puts a row of a file in clear as this program has it.
func (s secrets) encryptRow(to *bbolt.Tx, bucket, k, v []byte) error {
	switch {
	case bytes.Equal(bucket, bReceipts), bytes.Equal(bucket, bAnchors):
		return s.put(to, bucket, k, v)
	case bytes.Equal(bucket, bSubjects):
		if len(k) <= 8 {
			return errors.New("a row of the journal in clear is damaged")
		}
		return to.Bucket(bucket).Put(slices.Concat(s.name(bucket, k[:len(k)-8]), k[len(k)-8:]), nil)
	case bytes.Equal(bucket, bUses):
		return to.Bucket(bucket).Put(s.name(bucket, k), v)
	case bytes.Equal(bucket, bUsedUp):
		return s.put(to, bucket, s.name(bucket, k), k)
	}
	return to.Bucket(bucket).Put(k, v)
}

// put seals a value and puts it.
func (s secrets) put(tx *bbolt.Tx, bucket, at, plain []byte) error {
	sealed, err := s.seal(bucket, at, plain)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(at, sealed)
}

// get opens a value; nil: there is none.
func (s secrets) get(tx *bbolt.Tx, bucket, at []byte) ([]byte, error) {
	sealed := tx.Bucket(bucket).Get(at)
	if sealed == nil {
		return nil, nil
	}
	return s.open(bucket, at, sealed)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
