package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/google/uuid"
	"golang.org/x/term"
)

// PassphraseFileEnv names the environment variable that names the file with the passphrase.
const PassphraseFileEnv = "XINLIAN_PASSPHRASE_FILE"

const (
	keyFileBytesMax    = 64 << 10
	passphraseBytesMax = 4 << 10
	nameMax            = 64
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func checkName(name string) error {
	if len(name) > nameMax || !nameForm.MatchString(name) {
		return fmt.Errorf("%q cannot name a key: use up to %d letters, digits, - and _", name, nameMax)
	}
	return nil
}

// ErrNoKey says that the folder holds no key of this name.
var ErrNoKey = errors.New("no such key")

// ErrPassphrase says that the passphrase does not open the file.
var ErrPassphrase = errors.New("the passphrase does not open this key")

// Dir is a folder of key files, NAME.json each.
type Dir struct {
	path  string
	light bool
}

// Open names a folder; it need not exist yet.
func Open(path string) *Dir { return &Dir{path: path} }

// UnsafeLight makes new files cheap to open and so cheap to guess: a few milliseconds and 4 MiB instead of a second and 256 MiB a
// try. It is for networks of throw-away keys, where a dozen processes open a dozen files.
func (d *Dir) UnsafeLight() *Dir { return &Dir{path: d.path, light: true} }

// Path is the folder.
func (d *Dir) Path() string { return d.path }

func (d *Dir) file(name string) string { return filepath.Join(d.path, name+".json") }

// Info is what a key file says without its passphrase.
type Info struct {
	Name    string  `json:"name"`
	Address Address `json:"-"`
	File    string  `json:"file"`
}

// MarshalJSON shows the address in its usual form.
func (i Info) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string `json:"name"`
		Address string `json:"address"`
		File    string `json:"file"`
	}{i.Name, i.Address.String(), i.File})
}

// List gives all keys of the folder by name. A folder that does not exist is an error: a wrong --keys must not look like a member without keys.
func (d *Dir) List() ([]Info, error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key folder %s: `xinlian keys add NAME` makes it, and --keys names another one", d.path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key folder: %w", err)
	}
	var out []Info
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || e.IsDir() || checkName(name) != nil {
			continue
		}
		info, err := d.Show(name)
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Show reads one key's address. The file is not authenticated without its passphrase; Load compares.
func (d *Dir) Show(name string) (Info, error) {
	raw, err := d.read(name)
	if err != nil {
		return Info{}, err
	}
	address, err := addressOf(raw)
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w", d.file(name), err)
	}
	return Info{Name: name, Address: address, File: d.file(name)}, nil
}

func addressOf(raw []byte) (Address, error) {
	var head struct {
		Address string `json:"address"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return Address{}, errors.New("not a key file: it is no JSON object")
	}
	if head.Version != 3 {
		return Address{}, fmt.Errorf("not a key file of version 3 (version %d)", head.Version)
	}
	return ParseAddress(head.Address)
}

func (d *Dir) read(name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	raw, err := readBounded(d.file(name), keyFileBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w %q in %s: see `xinlian keys list`", ErrNoKey, name, d.path)
	}
	return raw, err
}

// Load opens a key.
func (d *Dir) Load(name, passphrase string) (*Key, error) {
	raw, err := d.read(name)
	if err != nil {
		return nil, err
	}
	return decrypt(name, raw, passphrase)
}

func decrypt(name string, raw []byte, passphrase string) (*Key, error) {
	address, err := addressOf(raw)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	if err := checkCost(raw); err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	k, err := keystore.DecryptKey(raw, passphrase)
	switch {
	case errors.Is(err, keystore.ErrDecrypt):
		return nil, fmt.Errorf("key %s: %w", name, ErrPassphrase)
	case err != nil:
		return nil, fmt.Errorf("key %s: the file is damaged: %w", name, err)
	}
	out := newKey(name, k.PrivateKey)
	if out.address != address {
		return nil, fmt.Errorf("key %s: the file names %s, its secret belongs to %s", name, address, out.address)
	}
	return out, nil
}

// checkCost refuses a file that asks for more work than any honest one: key files are imported from elsewhere, and the cost of
// opening one is written in it.
func checkCost(raw []byte) error {
	var f struct {
		Crypto struct {
			KDFParams struct {
				N float64 `json:"n"`
				R float64 `json:"r"`
				P float64 `json:"p"`
				C float64 `json:"c"`
			} `json:"kdfparams"`
		} `json:"crypto"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return errors.New("not a key file: its crypto section is not of the known form")
	}
	p := f.Crypto.KDFParams
	if p.N*p.R > 1<<22 || p.P > 64 || p.R < 0 || p.N < 0 || p.C > 1<<24 {
		return errors.New("the file asks for more work to open it than is allowed")
	}
	return nil
}

// Add encrypts a key into a file of its own. A name that is taken is refused.
func (d *Dir) Add(k *Key, passphrase string) (Info, error) {
	if passphrase == "" {
		return Info{}, errors.New("an empty passphrase protects nothing: give one in the file that " + PassphraseFileEnv + " names, or at the prompt")
	}
	raw, err := d.encrypt(k, passphrase)
	if err != nil {
		return Info{}, err
	}
	if err := d.write(k.name, raw); err != nil {
		return Info{}, err
	}
	return Info{Name: k.name, Address: k.address, File: d.file(k.name)}, nil
}

func (d *Dir) encrypt(k *Key, passphrase string) ([]byte, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("name the key file: %w", err)
	}
	n, p := keystore.StandardScryptN, keystore.StandardScryptP
	if d.light {
		n, p = keystore.LightScryptN, keystore.LightScryptP
	}
	raw, err := keystore.EncryptKey(&keystore.Key{Id: id, Address: [20]byte(k.address), PrivateKey: k.secret}, passphrase, n, p)
	if err != nil {
		return nil, fmt.Errorf("encrypt the key: %w", err)
	}
	return append(raw, '\n'), nil
}

// write puts a new file into the folder: a temporary one, synced, then linked under its name, which fails if the name is taken. A
// crash before the link leaves a *.tmp that nothing reads.
func (d *Dir) write(name string, raw []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make the key folder: %w", err)
	}
	f, err := os.CreateTemp(d.path, "."+name+"-*.tmp") // mode 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	if err := os.Link(f.Name(), d.file(name)); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already: key files are never overwritten, choose another name", d.file(name))
	} else if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	return nil
}

// Import takes a version 3 file made by any tool, or 64 hexadecimal digits of a bare secret, and files it under a name. The file's
// own passphrase opens it, the new one locks the copy.
func (d *Dir) Import(name string, raw []byte, opens, locks string) (Info, error) {
	if len(raw) > keyFileBytesMax {
		return Info{}, fmt.Errorf("a key file has at most %d bytes", keyFileBytesMax)
	}
	var k *Key
	var err error
	if text := bytes.TrimSpace(raw); len(text) > 0 && text[0] == '{' {
		k, err = decrypt(name, text, opens)
	} else {
		var secret []byte
		if secret, err = decodeSecret(string(text)); err == nil {
			k, err = FromSecret(name, secret)
		}
	}
	if err != nil {
		return Info{}, err
	}
	return d.Add(k, locks)
}

// Export gives the key's file as it is, encrypted.
func (d *Dir) Export(name string) ([]byte, error) { return d.read(name) }

// nextSuffix marks the successor of a key until the governors have put it into the member's row.
const nextSuffix = "-next"

// Rotate makes the successor of a key beside it, as NAME-next. The old key stays in force and in its file: the chain knows no
// other until the governors' vote has taken effect, and a key that were replaced here at once could sign nothing.
func (d *Dir) Rotate(name, passphrase string) (old, next Info, err error) {
	if old, err = d.Show(name); err != nil {
		return old, next, err
	}
	if _, err = d.Load(name, passphrase); err != nil {
		return old, next, err
	}
	k, err := Generate(name + nextSuffix)
	if err != nil {
		return old, next, err
	}
	next, err = d.Add(k, passphrase)
	return old, next, err
}

// FinishRotation puts NAME-next in NAME's place once the governors' vote is in force, and keeps the old file as
// NAME-retired-ADDRESS. A crash between the two renames leaves NAME-next and the retired file: finishing again goes on from there.
func (d *Dir) FinishRotation(name string) (retired, now Info, err error) {
	next, err := d.Show(name + nextSuffix)
	if err != nil {
		return retired, now, fmt.Errorf("there is no successor to put in place, run `xinlian keys rotate %s` first: %w", name, err)
	}
	old, err := d.Show(name)
	switch {
	case err == nil:
		retired = Info{Name: name + "-retired-" + old.Address.String()[2:10], Address: old.Address}
		retired.File = d.file(retired.Name)
		if err := os.Rename(old.File, retired.File); err != nil {
			return retired, now, fmt.Errorf("keep the old key: %w", err)
		}
	case !errors.Is(err, ErrNoKey):
		return retired, now, err
	}
	if err := os.Rename(next.File, d.file(name)); err != nil {
		return retired, now, fmt.Errorf("put the new key in place: %w", err)
	}
	now, err = d.Show(name)
	return retired, now, err
}

// Passphrase reads the file that XINLIAN_PASSPHRASE_FILE names (one line ending at its end is not part of it), or asks on the terminal. The end of ctx ends the
// question: the terminal, which does not show what is typed meanwhile, is as before.
func Passphrase(ctx context.Context, prompt string) (string, error) {
	if path := os.Getenv(PassphraseFileEnv); path != "" {
		return ReadPassphrase(path)
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", errors.New("no passphrase: name a file in " + PassphraseFileEnv + ", or run this on a terminal")
	}
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	var raw []byte
	read := make(chan error, 1)
	fmt.Fprint(os.Stderr, prompt+": ")
	go func() { // nothing ends a read of a terminal: where ctx does, it is left behind, and the program ends
		var err error
		raw, err = term.ReadPassword(fd)
		read <- err
	}()
	select {
	case err = <-read:
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	return string(raw), nil
}

// ReadPassphrase reads a passphrase file.
func ReadPassphrase(path string) (string, error) {
	raw, err := readBounded(path, passphraseBytesMax)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	s := strings.TrimRight(string(raw), "\r\n")
	if s == "" {
		return "", fmt.Errorf("the passphrase file %s is empty", path)
	}
	return s, nil
}
