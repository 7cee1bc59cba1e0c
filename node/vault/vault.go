package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

const (
	magic     = "XLV1"
	saltBytes = 32
	tagBytes  = 16
	infoLabel = "xinlian/vault/record/v1"

	// TextsMax bounds the canonical bytes of one set of texts: a row of an import has at most 1 MiB.
	TextsMax = 2 << 20
	// FieldsMax bounds the fields of one set.
	FieldsMax = 512
	// SetsMax bounds the sets kept for one record.
	SetsMax = 64

	// putWorkers write at the same time in PutAll: most of the time of a write is waiting for the disk to confirm it, and a
	// file system confirms several together.
	putWorkers = 16
)

var (
	// ErrPassphrase says that the passphrase does not open the vault (or that its key file was changed: that cannot be told apart).
	ErrPassphrase = errors.New("the passphrase does not open this vault")
	// ErrNoVault says that there is no vault in the folder.
	ErrNoVault = errors.New("there is no vault in this folder; create it first")
	// ErrUnknown says that the vault has no texts of a record.
	ErrUnknown = errors.New("the vault has no texts of this record")
	// ErrDestroyed says that the texts of a record were destroyed on purpose.
	ErrDestroyed = errors.New("the texts of this record were destroyed; they are not stored again")
	// ErrTampered says that a stored file was cut or changed.
	ErrTampered = errors.New("the stored texts were cut or changed")
)

// Vault is an open vault. It may be used from many goroutines, and several processes may have the same folder open: files are
// only ever added whole, or removed.
type Vault struct {
	dir string // empty: in memory only (Ephemeral)
	key []byte // 32 bytes, never changed after opening
}

// Set is one set of texts of a record.
type Set struct {
	Digest [32]byte
	Texts  map[string]string
}

// Create makes a vault in an empty or new folder.
func Create(dir string, passphrase []byte) (*Vault, error) {
	if len(passphrase) == 0 {
		return nil, errors.New("a vault needs a passphrase")
	}
	if err := os.MkdirAll(filepath.Join(dir, "records"), 0o700); err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	path := filepath.Join(dir, keyFile)
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("create vault: %s is there already; open it instead", keyFile)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	// A new key beside old records could never read them: better to say so than to seem to work.
	if old, err := filepath.Glob(filepath.Join(dir, "records", "*", "*.xlv")); err != nil || len(old) > 0 {
		return nil, fmt.Errorf("create vault: the folder holds records but no %s; restore it from a backup", keyFile)
	}
	key := random(keyBytes)
	raw, err := seal(key, passphrase)
	if err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	if err := writeWhole(path, raw); err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	return &Vault{dir: dir, key: key}, nil
}

// Open opens the vault in a folder.
func Open(dir string, passphrase []byte) (*Vault, error) {
	raw, err := readBounded(filepath.Join(dir, keyFile), keyFileMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoVault
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	key, err := unseal(raw, passphrase)
	if err != nil {
		return nil, err
	}
	return &Vault{dir: dir, key: key}, nil
}

// OpenOrCreate opens the vault in a folder, or makes one where there is none.
func OpenOrCreate(dir string, passphrase []byte) (*Vault, error) {
	v, err := Open(dir, passphrase)
	if errors.Is(err, ErrNoVault) {
		return Create(dir, passphrase)
	}
	return v, err
}

// Ephemeral gives a vault that stores nothing and forgets its key: for a dry run without a folder. Its digests compare with
// nothing on chain.
func Ephemeral() *Vault { return &Vault{key: random(keyBytes)} }

// Digest is the digest that the chain carries for these texts of this record. It writes nothing.
func (v *Vault) Digest(record [32]byte, texts map[string]string) [32]byte {
	return v.digest(record, canonical(texts))
}

func (v *Vault) digest(record [32]byte, text []byte) (out [32]byte) {
	mac := hmac.New(sha256.New, v.key)
	mac.Write(record[:])
	h := sha256.New()
	h.Write(mac.Sum(nil))
	h.Write(text)
	h.Sum(out[:0])
	return out
}

// Put stores texts of a record and gives their digest. Storing the same texts again changes nothing and gives the same digest.
func (v *Vault) Put(record [32]byte, texts map[string]string) ([32]byte, error) {
	digest, dir, err := v.put(record, texts)
	if err == nil && dir != "" {
		err = syncDir(dir)
	}
	return digest, err
}

// Item is one set of texts to store.
type Item struct {
	Record [32]byte
	Texts  map[string]string
}

// PutAll stores many sets; when it returns without an error, all of them are safe on disk. Each error is that of the item at the
// same index, nil where it was stored. ErrDestroyed is such an error: the digest on chain stays right, the texts stay gone.
func (v *Vault) PutAll(items []Item) []error {
	errs := make([]error, len(items))
	dirs := make([]string, len(items))
	atOnce(len(items), func(i int) {
		_, dirs[i], errs[i] = v.put(items[i].Record, items[i].Texts)
	})
	at := map[string]int{} // folder → index in synced
	var folders []string
	for i, dir := range dirs {
		if _, known := at[dir]; dir != "" && errs[i] == nil && !known {
			at[dir] = len(folders)
			folders = append(folders, dir)
		}
	}
	synced := make([]error, len(folders))
	atOnce(len(folders), func(i int) { synced[i] = syncDir(folders[i]) })
	for i, dir := range dirs {
		if dir != "" && errs[i] == nil {
			errs[i] = synced[at[dir]]
		}
	}
	return errs
}

// atOnce calls do for 0 to n-1 from several goroutines and waits for all.
func atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	for w := range min(putWorkers, n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n; i += putWorkers {
				do(i)
			}
		}()
	}
	wg.Wait()
}

// put writes one file and gives the folder that the caller has to sync, empty if nothing was written.
func (v *Vault) put(record [32]byte, texts map[string]string) (digest [32]byte, dir string, err error) {
	text := canonical(texts)
	digest = v.digest(record, text)
	if len(text) > TextsMax || len(texts) > FieldsMax {
		return digest, "", fmt.Errorf("the texts have %d fields and %d bytes; at most %d and %d are stored", len(texts), len(text), FieldsMax, TextsMax)
	}
	if v.dir == "" {
		return digest, "", nil
	}
	dir = v.shard(record)
	if err := v.makeShard(dir); err != nil {
		return digest, "", fmt.Errorf("store texts: %w", err)
	}
	if exists(v.tombstone(record)) {
		return digest, "", ErrDestroyed
	}
	path := filepath.Join(dir, fileName(record, digest))
	if exists(path) {
		// A crash may have come between rename and fsync of the folder, so the caller syncs it again. What is there must be
		// readable: a damaged file is written anew, since the same texts are at hand.
		if _, err := v.read(path, record); err == nil {
			return digest, dir, nil
		}
	}
	salt := random(saltBytes)
	aead, err := v.fileAEAD(record, salt)
	if err != nil {
		return digest, "", err
	}
	head := append([]byte(magic), salt...)
	raw := aead.Seal(head, make([]byte, aead.NonceSize()), text, additional(record, salt))
	if err := writeWhole(path, raw); err != nil {
		return digest, "", fmt.Errorf("store texts: %w", err)
	}
	// A destruction that began after the look above wins: its tombstone is there before it lists the files.
	if exists(v.tombstone(record)) {
		return digest, "", errors.Join(ErrDestroyed, erase(path))
	}
	return digest, dir, nil
}

// Show gives all sets of texts of a record, by digest ascending.
func (v *Vault) Show(record [32]byte) ([]Set, error) {
	names, err := v.files(record)
	if err != nil {
		return nil, err
	}
	var sets []Set
	for _, name := range names {
		if filepath.Ext(name) != ".xlv" {
			continue
		}
		text, err := v.read(filepath.Join(v.shard(record), name), record)
		if err != nil {
			return nil, err
		}
		texts, err := parseCanonical(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTampered, name, err)
		}
		sets = append(sets, Set{Digest: v.digest(record, text), Texts: texts})
	}
	if len(sets) == 0 {
		return nil, ErrUnknown
	}
	slices.SortFunc(sets, func(a, b Set) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
	return sets, nil
}

// Verify finds the texts of a record that a digest on chain speaks of. ErrUnknown means that the vault has none with this digest.
func (v *Vault) Verify(record, digest [32]byte) (map[string]string, error) {
	if v.dir == "" {
		return nil, ErrUnknown
	}
	if exists(v.tombstone(record)) {
		return nil, ErrDestroyed
	}
	path := filepath.Join(v.shard(record), fileName(record, digest))
	if !exists(path) {
		return nil, ErrUnknown
	}
	text, err := v.read(path, record)
	if err != nil {
		return nil, err
	}
	if v.digest(record, text) != digest {
		return nil, fmt.Errorf("%w: %s holds texts of another digest", ErrTampered, filepath.Base(path))
	}
	return parseCanonical(text)
}

// Discard removes one set of texts again, without a tombstone: for texts whose record the chain refused.
func (v *Vault) Discard(record, digest [32]byte) error {
	if v.dir == "" {
		return nil
	}
	path := filepath.Join(v.shard(record), fileName(record, digest))
	if !exists(path) {
		return nil
	}
	if err := erase(path); err != nil {
		return fmt.Errorf("discard texts: %w", err)
	}
	return syncDir(v.shard(record))
}

// Destroy removes all texts of a record for good and leaves a tombstone. It may be called again after a crash, and for a record that
// the vault does not know (the tombstone then keeps its texts from being stored later).
func (v *Vault) Destroy(record [32]byte) error {
	if v.dir == "" {
		return ErrUnknown
	}
	dir := v.shard(record)
	if err := v.makeShard(dir); err != nil {
		return fmt.Errorf("destroy texts: %w", err)
	}
	// The tombstone first: a crash after it leaves files that Show refuses to open and that a second call removes.
	if err := writeWhole(v.tombstone(record), []byte("XLV-GONE 1\n")); err != nil {
		return fmt.Errorf("destroy texts: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("destroy texts: %w", err)
	}
	names, err := listPrefix(dir, hex.EncodeToString(record[:]))
	if err != nil {
		return fmt.Errorf("destroy texts: %w", err)
	}
	for _, name := range names {
		if filepath.Ext(name) == ".gone" {
			continue
		}
		if err := erase(filepath.Join(dir, name)); err != nil { // torn writes (.tmp) as well
			return fmt.Errorf("destroy texts: %w", err)
		}
	}
	return syncDir(dir)
}

// Entry is what List says of a record.
type Entry struct {
	Record    [32]byte
	Sets      int
	Destroyed bool
}

// List gives all records that the vault knows, by id. It opens no texts.
func (v *Vault) List() ([]Entry, error) {
	if v.dir == "" {
		return nil, nil
	}
	shards, err := os.ReadDir(filepath.Join(v.dir, "records"))
	if err != nil {
		return nil, fmt.Errorf("list vault: %w", err)
	}
	var out []Entry
	for _, s := range shards {
		if !s.IsDir() {
			continue
		}
		names, err := listPrefix(filepath.Join(v.dir, "records", s.Name()), "")
		if err != nil {
			return nil, fmt.Errorf("list vault: %w", err)
		}
		var here []Entry
		for _, name := range names { // sorted, so the files of a record are neighbours
			var record [32]byte
			if len(name) < 64 {
				continue
			}
			if _, err := hex.Decode(record[:], []byte(name[:64])); err != nil {
				continue
			}
			ext := filepath.Ext(name)
			if ext != ".xlv" && ext != ".gone" {
				continue
			}
			if len(here) == 0 || here[len(here)-1].Record != record {
				here = append(here, Entry{Record: record})
			}
			if e := &here[len(here)-1]; ext == ".gone" {
				e.Destroyed = true
			} else {
				e.Sets++
			}
		}
		out = append(out, here...)
	}
	return out, nil
}

// files lists the files of a record that is not destroyed.
func (v *Vault) files(record [32]byte) ([]string, error) {
	if v.dir == "" {
		return nil, ErrUnknown
	}
	if exists(v.tombstone(record)) {
		return nil, ErrDestroyed
	}
	names, err := listPrefix(v.shard(record), hex.EncodeToString(record[:])+"-")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", err)
	}
	if len(names) > SetsMax {
		return nil, fmt.Errorf("the vault holds %d files for this record, more than %d: remove what does not belong there", len(names), SetsMax)
	}
	return names, nil
}

// read opens one .xlv file.
func (v *Vault) read(path string, record [32]byte) ([]byte, error) {
	raw, err := readBounded(path, int64(len(magic)+saltBytes+TextsMax+tagBytes))
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", err)
	}
	name := filepath.Base(path)
	if len(raw) < len(magic)+saltBytes+tagBytes || string(raw[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: %s", ErrTampered, name)
	}
	salt := raw[len(magic) : len(magic)+saltBytes]
	aead, err := v.fileAEAD(record, salt)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, make([]byte, aead.NonceSize()), raw[len(magic)+saltBytes:], additional(record, salt))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrTampered, name)
	}
	return text, nil
}

func (v *Vault) fileAEAD(record [32]byte, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, v.key, salt, infoLabel+string(record[:]), keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the key of a record: %w", err)
	}
	return newAEAD(key)
}

func additional(record [32]byte, salt []byte) []byte {
	return slices.Concat([]byte(magic), record[:], salt)
}

// shard is the folder of a record: 256 of them keep folders small with millions of records.
func (v *Vault) shard(record [32]byte) string {
	return filepath.Join(v.dir, "records", hex.EncodeToString(record[:1]))
}

// makeShard makes the folder of a record. The new entry must be on disk before a file in it counts as stored.
func (v *Vault) makeShard(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil {
		return syncDir(filepath.Dir(dir))
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (v *Vault) tombstone(record [32]byte) string {
	return filepath.Join(v.shard(record), hex.EncodeToString(record[:])+".gone")
}

func fileName(record, digest [32]byte) string {
	return hex.EncodeToString(record[:]) + "-" + hex.EncodeToString(digest[:8]) + ".xlv"
}

// exists also says yes where it cannot tell: a tombstone that cannot be looked at must not count as absent.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func listPrefix(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// erase overwrites a file before it unlinks it. The random salt goes first and with it the key: on a disk that writes in place that
// alone makes the rest unreadable.
func erase(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(random(int(min(info.Size(), TextsMax+1024))), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}

// canonical encodes texts; see the package comment.
func canonical(texts map[string]string) []byte {
	names := make([]string, 0, len(texts))
	size := 4
	for name, text := range texts {
		names = append(names, name)
		size += 8 + len(name) + len(text)
	}
	slices.Sort(names)
	out := binary.BigEndian.AppendUint32(make([]byte, 0, size), uint32(len(names)))
	for _, name := range names {
		out = binary.BigEndian.AppendUint32(out, uint32(len(name)))
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(texts[name])))
		out = append(out, texts[name]...)
	}
	return out
}

// parseCanonical is the inverse of canonical and refuses any other encoding.
func parseCanonical(raw []byte) (map[string]string, error) {
	rest := raw
	number := func() (int, bool) {
		if len(rest) < 4 {
			return 0, false
		}
		n := binary.BigEndian.Uint32(rest)
		rest = rest[4:]
		return int(n), true
	}
	field := func() (string, bool) {
		n, ok := number()
		if !ok || n > len(rest) {
			return "", false
		}
		s := string(rest[:n])
		rest = rest[n:]
		return s, true
	}
	n, ok := number()
	if !ok || n > FieldsMax {
		return nil, errors.New("not a set of texts")
	}
	texts := make(map[string]string, n)
	for range n {
		name, ok1 := field()
		text, ok2 := field()
		if !ok1 || !ok2 {
			return nil, errors.New("a set of texts is cut")
		}
		texts[name] = text
	}
	if !bytes.Equal(canonical(texts), raw) {
		return nil, errors.New("a set of texts is not in its one order")
	}
	return texts, nil
}
