package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const word = "correct horse"

func folder(t *testing.T) *Dir { return Open(filepath.Join(t.TempDir(), "keys")).UnsafeLight() }

func add(t *testing.T, d *Dir, name string) *Key {
	t.Helper()
	k, err := Generate(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Add(k, word); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRoundTrip(t *testing.T) {
	d := folder(t)
	k := add(t, d, "zz-scjg")
	got, err := d.Load("zz-scjg", word)
	if err != nil {
		t.Fatal(err)
	}
	if got.Address() != k.Address() || string(got.Secret()) != string(k.Secret()) {
		t.Error("another key came back")
	}
	info, err := os.Stat(d.file("zz-scjg"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if raw, _ := os.ReadFile(d.file("zz-scjg")); strings.Contains(string(raw), hex.EncodeToString(k.Secret())) {
		t.Error("the secret stands in the file")
	}
	list, err := d.List()
	if err != nil || len(list) != 1 || list[0].Address != k.Address() {
		t.Errorf("list %v, %v", list, err)
	}
}

// TestAnyToolOpensIt: go-ethereum's own functions read our files, and we read theirs.
func TestAnyToolOpensIt(t *testing.T) {
	d := folder(t)
	k := add(t, d, "ours")
	raw, err := d.Export("ours")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := keystore.DecryptKey(raw, word)
	if err != nil {
		t.Fatal(err)
	}
	if Address(theirs.Address) != k.Address() {
		t.Error("go-ethereum reads another key")
	}

	secret, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	raw, err = keystore.EncryptKey(&keystore.Key{Id: uuid.New(), Address: crypto.PubkeyToAddress(secret.PublicKey), PrivateKey: secret}, "theirs", keystore.LightScryptN, keystore.LightScryptP)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Import("taken", raw, "theirs", word); err != nil {
		t.Fatal(err)
	}
	got, err := d.Load("taken", word)
	if err != nil || got.Address() != Address(crypto.PubkeyToAddress(secret.PublicKey)) {
		t.Errorf("import: %v", err)
	}
	if _, err := d.Import("bare", []byte("0x"+hex.EncodeToString(crypto.FromECDSA(secret))+"\n"), "", word); err != nil {
		t.Errorf("import of a bare secret: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	d := folder(t)
	k := add(t, d, "one")
	if _, err := d.Load("one", "wrong"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := d.Load("two", word); !errors.Is(err, ErrNoKey) {
		t.Errorf("unknown key: %v", err)
	}
	if _, err := d.Add(k, word); err == nil {
		t.Error("a key was overwritten")
	}
	other, _ := Generate("other")
	if _, err := d.Add(other, ""); err == nil {
		t.Error("an empty passphrase was taken")
	}
	for _, name := range []string{"", "..", "../one", "a/b", ".hidden", "a b", strings.Repeat("a", 65), "a.json"} {
		if _, err := Generate(name); err == nil {
			t.Errorf("name %q was taken", name)
		}
		if _, err := d.Load(name, word); err == nil {
			t.Errorf("name %q was read", name)
		}
	}
	raw, _ := d.Export("one")
	for what, edit := range map[string]func(string) string{
		"another address": func(s string) string {
			return strings.Replace(s, hex.EncodeToString(k.address[:]), strings.Repeat("11", 20), 1)
		},
		"endless work": func(s string) string { return strings.Replace(s, `"n":4096`, `"n":1073741824`, 1) },
		"cut short":    func(s string) string { return s[:len(s)/2] },
		"no JSON":      func(string) string { return "hello" },
		"no key file":  func(string) string { return "{}" },
		"bad secret":   func(string) string { return strings.Repeat("00", 32) },
	} {
		changed := edit(string(raw))
		if changed == string(raw) {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, err := d.Import("x", []byte(changed), word, word); err == nil {
			t.Errorf("%s: taken", what)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is not one line", what, err)
		}
	}
}

func TestRotation(t *testing.T) {
	d := folder(t)
	k := add(t, d, "ops")
	old, next, err := d.Rotate("ops", word)
	if err != nil {
		t.Fatal(err)
	}
	if old.Address != k.Address() || next.Address == k.Address() || next.Name != "ops-next" {
		t.Errorf("old %v next %v", old, next)
	}
	if got, err := d.Load("ops", word); err != nil || got.Address() != k.Address() {
		t.Errorf("the old key must stay in use: %v", err)
	}
	if _, _, err := d.Rotate("ops", word); err == nil {
		t.Error("a second successor replaced the first")
	}
	retired, now, err := d.FinishRotation("ops")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Load("ops", word); err != nil || got.Address() != next.Address || now.Address != next.Address {
		t.Errorf("the new key is not in place: %v", err)
	}
	if got, err := d.Load(retired.Name, word); err != nil || got.Address() != k.Address() {
		t.Errorf("the old key is gone: %v", err)
	}
	if _, _, err := d.FinishRotation("ops"); err == nil {
		t.Error("finished twice")
	}

	// A stop between the two renames.
	if _, next, err = d.Rotate("ops", word); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.file("ops"), d.file("ops-retired-by-hand")); err != nil {
		t.Fatal(err)
	}
	if _, now, err = d.FinishRotation("ops"); err != nil || now.Address != next.Address {
		t.Errorf("finishing again: %v", err)
	}
}

// TestSignatures: 65 bytes, low s, v 0 or 1, and the chain's way back from them to the address.
func TestSignatures(t *testing.T) {
	k, err := FromSecret("fixed", bytesOf(32, 7))
	if err != nil {
		t.Fatal(err)
	}
	half, _ := hex.DecodeString("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")
	for i := range 64 {
		digest := sha256.Sum256(fmt.Append(nil, i))
		sig, err := k.Sign(digest)
		if err != nil {
			t.Fatal(err)
		}
		if len(sig) != 65 || sig[64] > 1 || string(sig[32:64]) > string(half) {
			t.Fatalf("signature %x", sig)
		}
		pub, err := crypto.SigToPub(digest[:], sig)
		if err != nil || Address(crypto.PubkeyToAddress(*pub)) != k.Address() {
			t.Fatalf("recovers to another address: %v", err)
		}
	}
}

func TestSignTx(t *testing.T) {
	k, _ := FromSecret("fixed", bytesOf(32, 7))
	msgs := []pb.Msg{{Sum: &pb.Msg_RevokeMandate{RevokeMandate: &pb.RevokeMandate{Issuer: "a", Submitter: "b"}}}}
	raw, id, err := k.SignTx("test-keys", msgs, 1750000000, 42)
	if err != nil {
		t.Fatal(err)
	}
	tx, body, err := pb.DecodeTx(raw)
	if err != nil {
		t.Fatal(err)
	}
	if id != pb.SignBytes("test-keys", tx.Body) || Address(body.Signer) != k.Address() || body.Suite != pb.SuiteSecp256k1 || body.Nonce != 42 || body.ExpiresAt != 1750000000 {
		t.Errorf("body %+v", body)
	}
	pub, err := crypto.SigToPub(id[:], tx.Signature)
	if err != nil || Address(crypto.PubkeyToAddress(*pub)) != k.Address() {
		t.Errorf("signature: %v", err)
	}
	if _, _, err := k.SignTx("test-keys", nil, 1, 1); err == nil {
		t.Error("an empty transaction was signed")
	}
	if _, _, err := k.SignTx("test-keys", make([]pb.Msg, pb.MessagesMax+1), 1, 1); err == nil {
		t.Error("too many messages were signed")
	}
}

func TestAuthHeader(t *testing.T) {
	k, _ := FromSecret("fixed", bytesOf(32, 7))
	h, err := k.AuthHeader("GET", "/v1/duties?a=b", []byte("body"), time.Unix(1750000000, 0), "test-keys")
	if err != nil {
		t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(h, "Xinlian ")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 4 || parts[0] != k.Address().String() || parts[1] != "1750000000" || len(parts[2]) != 32 {
		t.Fatalf("header %q", h)
	}
	if again, err := k.AuthHeader("GET", "/v1/duties?a=b", []byte("body"), time.Unix(1750000000, 0), "test-keys"); err != nil || again == h {
		t.Errorf("the same second has the same header: %v", err)
	}
	sig, err := hex.DecodeString(parts[3])
	if err != nil {
		t.Fatal(err)
	}
	digest := pb.HTTPDigest("GET", "/v1/duties?a=b", sha256.Sum256([]byte("body")), parts[1]+":"+parts[2], "test-keys")
	pub, err := crypto.SigToPub(digest[:], sig)
	if err != nil || Address(crypto.PubkeyToAddress(*pub)) != k.Address() {
		t.Errorf("signature: %v", err)
	}
}

func TestPassphraseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "word")
	t.Setenv(PassphraseFileEnv, path)
	if _, err := Passphrase(t.Context(), "?"); err == nil {
		t.Error("a missing file was read")
	}
	for content, want := range map[string]string{"a b\n": "a b", "a b\r\n": "a b", " a": " a"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Passphrase(t.Context(), "?"); err != nil || got != want {
			t.Errorf("%q gives %q, %v", content, got, err)
		}
	}
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Passphrase(t.Context(), "?"); err == nil {
		t.Error("an empty passphrase was read")
	}
}

func bytesOf(n int, b byte) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}
