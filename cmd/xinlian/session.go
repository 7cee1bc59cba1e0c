package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/node/vault"
)

// session is what the verbs that speak to a gateway share: which node, which key, how long to wait.
type session struct {
	node     string
	key      string
	keysDir  string
	issuer   string
	patience time.Duration

	opened *keys.Key
	pass   string // read once: key and vault have the same passphrase unless the vault says otherwise
}

const defaultGateway = "http://127.0.0.1:26680"

// addNode gives a verb --node and --retry-for.
func (s *session) addNode(cmd *cobra.Command, patience time.Duration) {
	def := os.Getenv("XINLIAN_NODE")
	if def == "" {
		def = defaultGateway
	}
	cmd.Flags().StringVar(&s.node, "node", def, "URL of the gateway of a node")
	cmd.Flags().DurationVar(&s.patience, "retry-for", patience, "how long a node that does not answer is asked again")
}

// addKey gives a verb --key and --keys.
func (s *session) addKey(cmd *cobra.Command, need bool) {
	cmd.Flags().StringVar(&s.key, "key", "", "name of the key that signs")
	cmd.Flags().StringVar(&s.keysDir, "keys", filepath.Join(homeDir(), "keys"), "folder with the key files")
	if need {
		_ = cmd.MarkFlagRequired("key") // fails only for a flag that does not exist
	}
}

func (s *session) addIssuer(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.issuer, "issuer", "", "code of the agency in whose name the key acts (default: the key's own)")
}

// open makes the client, with the key where one is named.
func (s *session) open(ctx context.Context) (*client.Client, error) {
	if s.key != "" {
		pass, err := s.passphrase(ctx)
		if err != nil {
			return nil, usage(err)
		}
		if s.opened, err = keys.Open(s.keysDir).Load(s.key, pass); err != nil {
			return nil, usage(err)
		}
	}
	return s.dial()
}

func (s *session) dial() (*client.Client, error) {
	o := client.Options{URL: s.node, Key: s.opened, Patience: s.patience}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Lost = func(err error) { fmt.Fprintf(os.Stderr, "%v; waiting for it\n", err) }
		o.Back = func() { fmt.Fprintln(os.Stderr, "the node answers again") }
	}
	c, err := client.New(o)
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

func (s *session) passphrase(ctx context.Context) (string, error) {
	if s.pass == "" {
		var err error
		if s.pass, err = keys.Passphrase(ctx, "passphrase"); err != nil {
			return "", err
		}
	}
	return s.pass, nil
}

// vault opens the vault in a folder, or makes one.
func (s *session) vault(ctx context.Context, dir string) (*vault.Vault, error) {
	pass, err := s.passphrase(ctx)
	if err != nil {
		return nil, usage(err)
	}
	v, err := vault.OpenOrCreate(vaultDir(dir), []byte(pass))
	if err != nil {
		return nil, usage(fmt.Errorf("vault %s: %w", vaultDir(dir), err))
	}
	return v, nil
}

func vaultDir(dir string) string {
	if dir == "" {
		return filepath.Join(homeDir(), "vault")
	}
	return dir
}

// member is the code of the agency that the key belongs to: what --issuer says, else what the node knows of the key.
func (s *session) member(ctx context.Context, c *client.Client) (string, error) {
	if s.issuer != "" {
		return s.issuer, nil
	}
	self, err := c.Self(ctx)
	if err != nil {
		return "", err
	}
	s.issuer = self.USCC
	return s.issuer, nil
}

// verdictOf gives an error of a client its exit code: 3 where no node answered, 1 where the chain or the gateway said no, 2 where the call
// itself was wrong.
func verdictOf(err error) error {
	var (
		p *client.Problem
		r *client.Refusal
		o *client.Open
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &o):
		code, why := 3, err.Error()
		if errors.Is(err, context.Canceled) {
			code, why = shell.ExitInterrupted, "interrupted"
		}
		return exitWith(code, fmt.Errorf("%s; transaction %x may have been taken in, and lives until %s: see `xinlian query tx ID` before you run this again", why, o.ID, o.Expires.UTC().Format(time.RFC3339)))
	case errors.Is(err, client.ErrUnreachable):
		return exitWith(3, fmt.Errorf("%w; nothing is lost: run it again", err))
	case errors.As(err, &p) && (p.Status == 400 || p.Status == 401 || p.Status == 403):
		return usage(err)
	case errors.As(err, &p), errors.As(err, &r):
		return exitWith(1, err)
	}
	return err
}

// readInput reads a file, or standard input for "-".
func readInput(path string, max int64) ([]byte, error) {
	f := os.Stdin
	if path != "-" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Size() > max {
			return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), max)
		}
		if f, err = os.Open(path); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	return readAtMost(f, max)
}

// recordID reads a record id as people copy it.
func recordID(s string) (id [32]byte, err error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(s), "0x"))
	if err != nil || len(raw) != len(id) {
		return id, usage(fmt.Errorf("%q is no record id: 64 hexadecimal digits are expected", s))
	}
	return [32]byte(raw), nil
}

// indent shows an answer as JSON, with the fields in the gateway's order.
func indent(cmd *cobra.Command, raw json.RawMessage) error {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(raw), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), out.String())
	return err
}
