package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var passphrase = []byte("synthetic passphrase")

func rec(b byte) (r [32]byte) {
	for i := range r {
		r[i] = b
	}
	return r
}

func create(t *testing.T) (*Vault, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := Create(dir, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return v, dir
}

func xlvFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "records", "*", "*.xlv"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRoundTrip(t *testing.T) {
	v, dir := create(t)
	texts := map[string]string{"cf_sy": "示例事实", "cf_yj": "示例依据\n第二行", "空": ""}
	digest, err := v.Put(rec(1), texts)
	if err != nil {
		t.Fatal(err)
	}
	if digest != v.Digest(rec(1), texts) {
		t.Error("Put and Digest differ")
	}
	if digest == v.Digest(rec(2), texts) {
		t.Error("two records with the same texts have the same digest")
	}
	again, err := v.Put(rec(1), map[string]string{"空": "", "cf_yj": "示例依据\n第二行", "cf_sy": "示例事实"})
	if err != nil || again != digest {
		t.Errorf("the same texts again: %x %v, want %x", again, err, digest)
	}
	if n := len(xlvFiles(t, dir)); n != 1 {
		t.Errorf("%d files after storing the same texts twice, want 1", n)
	}
	more := map[string]string{"unperformed_content": "示例"}
	if _, err := v.Put(rec(1), more); err != nil {
		t.Fatal(err)
	}

	v, err = Open(dir, passphrase) // everything below goes through the sealed key
	if err != nil {
		t.Fatal(err)
	}
	sets, err := v.Show(rec(1))
	if err != nil || len(sets) != 2 {
		t.Fatalf("Show: %d sets, %v; want 2", len(sets), err)
	}
	got, err := v.Verify(rec(1), digest)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts, got); d != "" {
		t.Error(d)
	}
	if _, err := v.Verify(rec(1), rec(9)); !errors.Is(err, ErrUnknown) {
		t.Errorf("Verify of another digest: %v", err)
	}
	if _, err := v.Show(rec(3)); !errors.Is(err, ErrUnknown) {
		t.Errorf("Show of an unknown record: %v", err)
	}
	list, err := v.List()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Entry{{Record: rec(1), Sets: 2}}, list); d != "" {
		t.Error(d)
	}
}

func TestNothingReadableOnDisk(t *testing.T) {
	v, dir := create(t)
	secret := "只在保险库里的文字 secret words"
	if _, err := v.Put(rec(1), map[string]string{"cf_sy": secret}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("secret words")) || bytes.Contains(raw, v.key) {
			t.Errorf("%s holds text or key in clear", d.Name())
		}
		if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable by others: %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPassphrase(t *testing.T) {
	_, dir := create(t)
	if _, err := Open(dir, []byte("another")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := Create(dir, passphrase); err == nil {
		t.Error("Create over a vault")
	}
	if _, err := Create(t.TempDir(), nil); err == nil {
		t.Error("Create without a passphrase")
	}
	if _, err := Open(t.TempDir(), passphrase); !errors.Is(err, ErrNoVault) {
		t.Errorf("no vault: %v", err)
	}
	if v, err := OpenOrCreate(dir, passphrase); err != nil || v == nil {
		t.Errorf("OpenOrCreate: %v", err)
	}

	path := filepath.Join(dir, keyFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"torn":            string(raw[:len(raw)/2]),
		"huge scrypt n":   strings.Replace(string(raw), `"n": 65536`, `"n": 1073741824`, 1),
		"another version": strings.Replace(string(raw), keyFormat, "xinlian-vault/9", 1),
		"empty":           "",
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, passphrase); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestCreateBesideOldRecords(t *testing.T) {
	v, dir := create(t)
	if _, err := v.Put(rec(1), map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOrCreate(dir, passphrase); err == nil {
		t.Error("a new key was made beside records that it cannot read")
	}
}

func TestTamperAndTear(t *testing.T) {
	v, dir := create(t)
	texts := map[string]string{"cf_sy": "示例事实"}
	digest, err := v.Put(rec(1), texts)
	if err != nil {
		t.Fatal(err)
	}
	path := xlvFiles(t, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, raw []byte) {
		t.Helper()
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Show(rec(1)); !errors.Is(err, ErrTampered) {
			t.Fatalf("%s: Show: %v", what, err)
		}
		if _, err := v.Verify(rec(1), digest); !errors.Is(err, ErrTampered) {
			t.Fatalf("%s: Verify: %v", what, err)
		}
	}
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		check("flipped byte", bad)
		check("torn file", whole[:i])
	}
	check("longer file", append(bytes.Clone(whole), 0))

	// The same texts at hand again repair a torn file.
	if got, err := v.Put(rec(1), texts); err != nil || got != digest {
		t.Fatalf("Put over a torn file: %v", err)
	}
	if _, err := v.Verify(rec(1), digest); err != nil {
		t.Errorf("after the repair: %v", err)
	}

	// A file moved to another record does not open there.
	other := filepath.Join(filepath.Dir(path), fileName(rec(1), rec(7)))
	if err := os.Rename(path, other); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(rec(1), rec(7)); !errors.Is(err, ErrTampered) {
		t.Errorf("texts under another digest: %v", err)
	}
	if err := os.MkdirAll(v.shard(rec(2)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, filepath.Join(v.shard(rec(2)), fileName(rec(2), digest))); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Show(rec(2)); !errors.Is(err, ErrTampered) {
		t.Errorf("texts of another record: %v", err)
	}
}

func TestDestroy(t *testing.T) {
	v, dir := create(t)
	texts := map[string]string{"cf_sy": "示例事实"}
	digest, err := v.Put(rec(1), texts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Put(rec(1), map[string]string{"b": "c"}); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(v.shard(rec(1)), trimExt(fileName(rec(1), digest))+".tmp123")
	if err := os.WriteFile(torn, []byte("half a write"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second call finds nothing to do
		if err := v.Destroy(rec(1)); err != nil {
			t.Fatal(err)
		}
	}
	if files := xlvFiles(t, dir); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
	if exists(torn) {
		t.Error("a torn write outlived Destroy")
	}
	if _, err := v.Show(rec(1)); !errors.Is(err, ErrDestroyed) {
		t.Errorf("Show: %v", err)
	}
	if _, err := v.Verify(rec(1), digest); !errors.Is(err, ErrDestroyed) {
		t.Errorf("Verify: %v", err)
	}
	// Sending the old file again gives the same digest, and brings nothing back.
	got, err := v.Put(rec(1), texts)
	if !errors.Is(err, ErrDestroyed) || got != digest {
		t.Errorf("Put: %x, %v", got, err)
	}
	if files := xlvFiles(t, dir); len(files) != 0 {
		t.Errorf("brought back: %v", files)
	}
	list, err := v.List()
	if err != nil || len(list) != 1 || !list[0].Destroyed || list[0].Sets != 0 {
		t.Errorf("List: %+v %v", list, err)
	}
}

func TestPutAll(t *testing.T) {
	v, _ := create(t)
	if err := v.Destroy(rec(3)); err != nil {
		t.Fatal(err)
	}
	var items []Item
	for i := range 40 {
		items = append(items, Item{rec(byte(i)), map[string]string{"n": "示例"}})
	}
	items = append(items, items[0], Item{rec(50), map[string]string{"big": strings.Repeat("x", TextsMax)}})
	for i, err := range v.PutAll(items) {
		switch {
		case i == 3:
			if !errors.Is(err, ErrDestroyed) {
				t.Errorf("destroyed record: %v", err)
			}
		case i == 41:
			if err == nil {
				t.Error("texts over the limit were stored")
			}
		case err != nil:
			t.Errorf("item %d: %v", i, err)
		}
	}
	for i := range 40 {
		if i == 3 {
			continue
		}
		if _, err := v.Verify(rec(byte(i)), v.Digest(rec(byte(i)), items[i].Texts)); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}

func TestDiscard(t *testing.T) {
	v, _ := create(t)
	digest, err := v.Put(rec(1), map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := v.Discard(rec(1), digest); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Show(rec(1)); !errors.Is(err, ErrUnknown) {
		t.Errorf("Show: %v", err)
	}
	if _, err := v.Put(rec(1), map[string]string{"a": "b"}); err != nil {
		t.Errorf("Put after Discard: %v", err)
	}
}

func TestEphemeral(t *testing.T) {
	v := Ephemeral()
	texts := map[string]string{"a": "b"}
	digest, err := v.Put(rec(1), texts)
	if err != nil || digest != v.Digest(rec(1), texts) {
		t.Errorf("Put: %v", err)
	}
	if _, err := v.Show(rec(1)); !errors.Is(err, ErrUnknown) {
		t.Errorf("Show: %v", err)
	}
	if list, err := v.List(); err != nil || len(list) != 0 {
		t.Errorf("List: %v %v", list, err)
	}
}

// The canonical bytes are frozen: digests on chain rest on them.
func TestCanonicalVector(t *testing.T) {
	got := canonical(map[string]string{"b": "2", "a": "一"})
	want := []byte("\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x03一\x00\x00\x00\x01b\x00\x00\x00\x012")
	if !bytes.Equal(got, want) {
		t.Errorf("got %x want %x", got, want)
	}
	v := &Vault{key: bytes.Repeat([]byte{7}, 32)}
	digest := v.Digest(rec(1), map[string]string{"b": "2", "a": "一"})
	// Computed once with another program (Python hmac and hashlib).
	const pinned = "14c1d9fa3f099762c24f10a99d132bb5"
	if got := cmp.Diff(pinned, hex.EncodeToString(digest[:16])); got != "" {
		t.Error(got)
	}
}

func FuzzParseCanonical(f *testing.F) {
	f.Add(canonical(map[string]string{"a": "b", "": "c"}))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		texts, err := parseCanonical(raw)
		if err == nil && !bytes.Equal(canonical(texts), raw) {
			t.Error("accepted a second encoding")
		}
	})
}

// A sealed key is made once, opens under its passphrase alone, and is never made anew over one that is damaged.
func TestSealedKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "key.json")
	key, err := SealedKey(path, []byte("one"))
	if err != nil || len(key) != keyBytes {
		t.Fatal(len(key), err)
	}
	if again, err := SealedKey(path, []byte("one")); err != nil || !bytes.Equal(again, key) {
		t.Error("opened again it is another key", err)
	}
	if _, err := SealedKey(path, []byte("two")); !errors.Is(err, ErrPassphrase) {
		t.Error("another passphrase:", err)
	}
	if _, err := SealedKey(path, nil); err == nil {
		t.Error("no passphrase opens it")
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Contains(raw, key) {
		t.Fatal("the key stands in the file in clear", err)
	}
	if err := os.WriteFile(path, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SealedKey(path, []byte("one")); err == nil {
		t.Error("a file that was cut opens, or was made anew")
	}
}
