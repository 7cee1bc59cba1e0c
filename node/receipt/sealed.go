package receipt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// ErrKey: the journal is encrypted under another key.
var ErrKey = errors.New("the key does not open this journal of receipts: bring back the key file that was made with it")

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

// openFile opens the file of a folder under a key: makes it, or encrypts one in clear first.
func openFile(dir string, s secrets) (*bbolt.DB, error) {
	path := filepath.Join(dir, FileName)
	if err := os.Remove(path + making); err != nil && !errors.Is(err, fs.ErrNotExist) { // what a crash left
		return nil, err
	}
	db, err := openBolt(path)
	if err != nil {
		return nil, fmt.Errorf("open the journal of receipts in %s: %w; another process may hold it", dir, err)
	}
	clear := false
	err = db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bForm); b != nil {
			if plain, err := s.open(bForm, atForm, b.Get(atForm)); err != nil || string(plain) != form {
				return ErrKey
			}
		} else {
			clear = tx.Bucket(bReceipts) != nil
		}
		return nil
	})
	if err == nil && clear {
		if err = encrypt(db, path, s); err == nil {
			return openFile(dir, s)
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

func openBolt(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
}

// prepare makes what a new file lacks.
func (s secrets) prepare(tx *bbolt.Tx) error {
	for _, b := range [][]byte{bForm, bReceipts, bSubjects, bUses, bUsedUp, bAnchors, bEnds} {
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

// encrypt puts an encrypted copy into the place of a journal in clear, which is closed. A crash before the rename leaves the old file, and a part of a copy that the
// next start removes; one after it leaves the new. The blocks of the old file are overwritten last: a file system that copies on write may keep them.
func encrypt(old *bbolt.DB, path string, s secrets) error {
	now, err := openBolt(path + making)
	if err != nil {
		return err
	}
	defer now.Close()
	if err := now.Update(s.prepare); err != nil {
		return err
	}
	err = old.View(func(from *bbolt.Tx) error {
		for _, name := range [][]byte{bReceipts, bSubjects, bUses, bUsedUp, bAnchors, bEnds} {
			b := from.Bucket(name)
			if b == nil {
				continue
			}
			c := b.Cursor()
			for k, v := c.First(); ; {
				err := now.Update(func(to *bbolt.Tx) error {
					for n := 0; k != nil && n < encryptMost; n++ {
						if err := s.copyRow(to, name, k, v); err != nil {
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
		}
		return nil
	})
	if err = errors.Join(err, now.Close()); err != nil {
		return err
	}
	clear, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer clear.Close()
	if err := errors.Join(old.Close(), os.Rename(path+making, path), syncDir(filepath.Dir(path))); err != nil {
		return err
	}
	info, err := clear.Stat()
	zeros := make([]byte, 1<<20)
	for at := int64(0); err == nil && at < info.Size(); at += int64(len(zeros)) {
		_, err = clear.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	return errors.Join(err, clear.Sync())
}

// copyRow puts a row of a file in clear as this program has it.
func (s secrets) copyRow(to *bbolt.Tx, bucket, k, v []byte) error {
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
