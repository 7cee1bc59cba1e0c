package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// writeTrustSamples writes trust files of four validators, and the keys of those and of a stranger.
func writeTrustSamples(dir string) error {
	trust := &attest.Trust{ChainID: "test-trust", Anchor: attest.Anchor{Height: 1, HeaderHash: attest.Hash{1}}, NotAfter: time.Now().AddDate(1, 0, 0).UTC()}
	files := map[string][]byte{}
	for i := range 5 {
		key := ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i+1)))
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		k := cmted25519.PrivKey(key)
		engine, err := cmtjson.Marshal(privval.FilePVKey{Address: k.PubKey().Address(), PubKey: k.PubKey(), PrivKey: k})
		if err != nil {
			return err
		}
		name := "key" + strconv.Itoa(i)
		files[name+".pem"], files[name+".json"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), engine
		if i < 4 {
			v := attest.TrustedValidator{Validator: attest.Validator{PubKey: key.Public().(ed25519.PublicKey), Power: 10}, FromHeight: 1}
			trust.Validators = append(trust.Validators, v)
		}
	}
	files["old.json"] = trust.Encode()
	trust.NotAfter = trust.NotAfter.AddDate(1, 0, 0)
	files["new.json"] = trust.Encode()
	trust.ChainID = "test-other"
	files["other.json"] = trust.Encode()
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// TestScripts runs the verbs that need no network, as a process of their own. `exits CODE PROGRAM ARGS…` holds the exit code.
func TestScripts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			bin := filepath.Join(env.WorkDir, "bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			if err := os.Symlink(self, filepath.Join(bin, "xinlian")); err != nil {
				return err
			}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("XINLIAN_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XINLIAN_PASSPHRASE_FILE", filepath.Join(env.WorkDir, "passphrase"))
			if err := writeTrustSamples(env.WorkDir); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "passphrase"), []byte("synthetic\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// What signs where the key is kept: a device, openssl, another machine.
			"signs": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 3 {
					ts.Fatalf("usage: signs KEY.pem MESSAGE SIGNATURE")
				}
				key, err := parseValidatorKey([]byte(ts.ReadFile(args[0])))
				if err != nil {
					ts.Fatalf("%v", err)
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), ed25519.Sign(key, []byte(ts.ReadFile(args[1]))), 0o600))
			},
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
				}
				want, err := strconv.Atoi(args[0])
				if err != nil {
					ts.Fatalf("exits: %v", err)
				}
				got := 0
				if err := ts.Exec(args[1], args[2:]...); err != nil {
					var e *exec.ExitError
					if !errors.As(err, &e) {
						ts.Fatalf("%v", err)
					}
					got = e.ExitCode()
				}
				if got != want {
					ts.Fatalf("exit code %d, want %d", got, want)
				}
			},
		},
	})
}
