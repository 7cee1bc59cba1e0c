package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/scrypt"
)

const (
	keyFile   = "vault.json"
	keyFormat = "xinlian-vault/1"
	keyBytes  = 32

	// scryptN and scryptR cost about 64 MiB and a fifth of a second for each guess at a passphrase.
	scryptN = 1 << 16
	scryptR = 8
	scryptP = 1

	// Bounds on what a file may ask for: a changed vault.json must not be able to take all memory.
	scryptNMax  = 1 << 20
	scryptRPMax = 16
	keyFileMax  = 4 << 10
)

// sealed is vault.json.
type sealed struct {
	Format string `json:"format"`
	Scrypt struct {
		N    int    `json:"n"`
		R    int    `json:"r"`
		P    int    `json:"p"`
		Salt []byte `json:"salt"`
	} `json:"scrypt"`
	Nonce  []byte `json:"nonce"`
	Sealed []byte `json:"sealed"`
}

// seal encrypts the vault key under a passphrase.
func seal(key, passphrase []byte) ([]byte, error) {
	s := sealed{Format: keyFormat}
	s.Scrypt.N, s.Scrypt.R, s.Scrypt.P = scryptN, scryptR, scryptP
	s.Scrypt.Salt = random(32)
	s.Nonce = random(12)
	aead, err := s.aead(passphrase)
	if err != nil {
		return nil, err
	}
	s.Sealed = aead.Seal(nil, s.Nonce, key, []byte(keyFormat))
	out, err := json.MarshalIndent(&s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(out, '\n'), nil
}

// unseal reads vault.json.
func unseal(raw, passphrase []byte) ([]byte, error) {
	var s sealed
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s is not a vault's key file: %w", keyFile, err)
	}
	switch {
	case s.Format != keyFormat:
		return nil, fmt.Errorf("%s has the format %.32q; this program reads %s", keyFile, s.Format, keyFormat)
	case s.Scrypt.N < 1<<14 || s.Scrypt.N > scryptNMax || s.Scrypt.R < 1 || s.Scrypt.P < 1 || s.Scrypt.R*s.Scrypt.P > scryptRPMax,
		len(s.Scrypt.Salt) < 16 || len(s.Scrypt.Salt) > 64, len(s.Nonce) != 12:
		return nil, fmt.Errorf("%s asks for parameters out of bounds: it was changed", keyFile)
	}
	aead, err := s.aead(passphrase)
	if err != nil {
		return nil, err
	}
	key, err := aead.Open(nil, s.Nonce, s.Sealed, []byte(keyFormat))
	if err != nil || len(key) != keyBytes {
		return nil, ErrPassphrase
	}
	return key, nil
}

func (s *sealed) aead(passphrase []byte) (cipher.AEAD, error) {
	k, err := scrypt.Key(passphrase, s.Scrypt.Salt, s.Scrypt.N, s.Scrypt.R, s.Scrypt.P, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the vault: %w", err)
	}
	return newAEAD(k)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// random gives n bytes from the operating system. It does not return when there are none (crypto/rand crashes the process).
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// writeWhole writes a file so that after a crash it is there whole or not at all: temporary file, fsync, rename. The caller
// syncs the folder, once for many files.
func writeWhole(path string, raw []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), trimExt(filepath.Base(path))+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(raw); err != nil {
		return err
	}
	if err = f.Sync(); err != nil { // a crash before this leaves a .tmp file, which nothing reads
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func trimExt(name string) string { return name[:len(name)-len(filepath.Ext(name))] }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readBounded reads a small file and refuses a large one.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is no regular file of at most %d bytes", filepath.Base(path), limit)
	}
	return os.ReadFile(path)
}

// SealedKey opens the key that a file holds, sealed under a passphrase in the form of vault.json, or makes a key and its file where there is none. For what else
// a member keeps encrypted on its disk.
func SealedKey(path string, passphrase []byte) (key []byte, err error) {
	if len(passphrase) == 0 {
		return nil, errors.New("a sealed key needs a passphrase")
	}
	raw, err := readBounded(path, keyFileMax)
	switch {
	case err == nil:
		if key, err = unseal(raw, passphrase); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key = random(keyBytes)
	if raw, err = seal(key, passphrase); err != nil {
		return nil, err
	}
	if err := errors.Join(writeWhole(path, raw), syncDir(dir)); err != nil {
		return nil, err
	}
	return key, nil
}
