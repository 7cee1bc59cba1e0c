package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func trustCmd() *cobra.Command {
	return group("trust", "Trust files of lenders (信任文件)", trustSignCmd(), trustBytesCmd())
}

func trustSignCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "sign OLD.json NEW.json --out ROTATION", Short: "Sign, as a validator of the old trust file, that the new one follows it", Args: cobra.ExactArgs(2),
		Long: `Sign, as a validator of the old trust file, that the new one follows it, and add the signature to the rotation file (轮换文件), which is made where there is none.
Pass the file on from validator to validator until more than two thirds of the power of the old file's set have signed; lenders take the new
trust file out of it with 'xinlian-verify trust update'.

The key is that of the node's home; or --key-file names it: a priv_validator_key.json, or an ed25519 key in PEM as 'openssl genpkey -algorithm ed25519'
writes it. "-" is standard input, so that a key that is kept encrypted need not lie in clear: 'age -d key.age | xinlian trust sign … --key-file -'.

A key that never leaves its machine or its device signs elsewhere: 'xinlian trust bytes' writes what is signed, and --signature takes the signature
back, in 64 bytes, base64 or hexadecimal. Whose it is is found in the old trust file. A remote signer that signs votes alone cannot do that.

Who signs hands over what lenders believe: read the new file first. What leads back is refused: a new file that ends before the old one, names a set that was
replaced as the newest, takes away the end of one, or is later in nothing; give it a later not_after. Exit codes: 0 signed, 1 refused, 2 the call was wrong, 3 the home is unreadable.`,
	}
	home := homeFlag(c)
	out := c.Flags().String("out", "", "rotation file to make, or to add the signature to")
	keyFile := c.Flags().String("key-file", "", `file with the validator's key, in place of the home's ("-": standard input)`)
	given := c.Flags().StringArray("signature", nil, "file with a signature that was made elsewhere; may be given several times")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *out == "":
			return usagef("--out is missing")
		case *keyFile != "" && len(*given) > 0, c.Flags().Changed("home") && *keyFile+strings.Join(*given, "") != "":
			return usagef("--home, --key-file and --signature each say who signs; give one of them")
		}
		old, next, err := readSuccession(args)
		if err != nil {
			return err
		}
		var signatures []attest.RotationSignature
		for _, name := range *given {
			s, err := readSignature(name, old, next)
			if err != nil {
				return err
			}
			signatures = append(signatures, s)
		}
		if len(*given) == 0 {
			var key ed25519.PrivateKey
			if *keyFile != "" {
				key, err = keyOfFile(*keyFile)
			} else {
				key, err = validatorKey(*home)
			}
			if err != nil {
				return err
			}
			signatures = append(signatures, attest.SignRotation(old, next, key))
		}
		rotation, signed, err := signRotation(*out, old, next, signatures)
		if err != nil {
			return err
		}
		if err := shell.WriteFile(*out, rotation, 0o644); err != nil {
			return exitWith(exitFailed, fmt.Errorf("write --out: %w", err))
		}
		if signed == 0 {
			sayf(c, c.OutOrStdout(), "%s: signed; new trust file SHA-256 %x; enough have signed", *out, sha256.Sum256(next))
		} else {
			sayf(c, c.OutOrStdout(), "%s: signed; new trust file SHA-256 %x; %d have signed, more are needed", *out, sha256.Sum256(next), signed)
		}
		return nil
	}
	return c
}

// readSuccession reads a trust file and the one that is to follow it.
func readSuccession(args []string) (old, next []byte, err error) {
	if old, err = readTrust(args[0]); err != nil {
		return nil, nil, err
	}
	if next, err = readTrust(args[1]); err != nil {
		return nil, nil, err
	}
	if bytes.Equal(old, next) {
		return nil, nil, usagef("%s and %s are the same; a trust file does not follow itself", args[0], args[1])
	}
	return old, next, nil
}

func trustBytesCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "bytes OLD.json NEW.json --out FILE", Short: "Write what a validator signs whose key is kept elsewhere", Args: cobra.ExactArgs(2),
		Long: `Write the bytes that a validator of the old trust file signs with ed25519 to say that the new one follows it: a fixed line and the SHA-256 of both
files. They are the message itself, no digest of it:

  xinlian trust bytes old.json new.json --out message
  openssl pkeyutl -sign -rawin -inkey key.pem -in message -out signature
  xinlian trust sign old.json new.json --signature signature --out rotation.json

Read the new file before it is signed, and compare its SHA-256 where the key is.`,
	}
	out := c.Flags().String("out", "", "file for the bytes")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *out == "" {
			return usagef("--out is missing")
		}
		old, next, err := readSuccession(args)
		if err != nil {
			return err
		}
		if err := comesAfter(old, next); err != nil {
			return exitWith(exitFailed, err)
		}
		message := attest.RotationMessage(old, next)
		if err := shell.WriteFile(*out, message, 0o644); err != nil {
			return exitWith(exitFailed, fmt.Errorf("write --out: %w", err))
		}
		sayf(c, c.OutOrStdout(), "%s: %d bytes to sign; old trust file SHA-256 %x, new trust file SHA-256 %x", *out, len(message), sha256.Sum256(old), sha256.Sum256(next))
		return nil
	}
	return c
}

// comesAfter is what a rotation file is refused for before anybody has signed it. Both have been read as trust files.
func comesAfter(old, next []byte) error {
	o, err := attest.ParseTrust(old)
	if err != nil {
		return err
	}
	n, err := attest.ParseTrust(next)
	if err != nil {
		return err
	}
	return o.CheckNext(n)
}

func readTrust(name string) ([]byte, error) {
	raw, err := readFileMax(name, trustBytesMax)
	if err != nil {
		return nil, usage(err)
	}
	if _, err := attest.ParseTrust(raw); err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err))
	}
	return raw, nil
}

// validatorKey reads the key with which the node of a home votes.
func validatorKey(home string) (ed25519.PrivateKey, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, usage(err)
	}
	cfg, err := node.LoadConfig(home)
	if err != nil {
		return nil, exitWith(exitUnreadable, err)
	}
	name := cfg.Engine.PrivValidatorKeyFile()
	raw, err := readFileMax(name, keyFileMax)
	if err != nil {
		return nil, exitWith(exitUnreadable, err)
	}
	key, err := parseValidatorKey(raw)
	if err != nil {
		return nil, exitWith(exitUnreadable, fmt.Errorf("%s: %w", name, err))
	}
	return key, nil
}

// keyFileMax is far more than a key takes, or a signature.
const keyFileMax = 64 << 10

// keyOfFile reads a validator's key that is kept elsewhere than in a home.
func keyOfFile(name string) (ed25519.PrivateKey, error) {
	raw, err := readInput(name, keyFileMax)
	if err != nil {
		return nil, usage(err)
	}
	key, err := parseValidatorKey(raw)
	if err != nil {
		return nil, usage(fmt.Errorf("--key-file: %w", err))
	}
	return key, nil
}

// parseValidatorKey reads the engine's key file, or a key in PEM. No error says anything of what it read.
func parseValidatorKey(raw []byte) (ed25519.PrivateKey, error) {
	if block, _ := pem.Decode(raw); block != nil {
		if block.Type != "PRIVATE KEY" {
			return nil, fmt.Errorf("it is a PEM of %.40q, not of a PRIVATE KEY in clear", block.Type)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("it is no private key in PEM")
		}
		if key, ok := parsed.(ed25519.PrivateKey); ok {
			return key, nil
		}
		return nil, errors.New("it holds no ed25519 key")
	}
	var k privval.FilePVKey
	if err := cmtjson.Unmarshal(raw, &k); err != nil || k.PrivKey == nil {
		return nil, errors.New("it is no validator key: neither a priv_validator_key.json nor a PEM")
	}
	key, ok := k.PrivKey.(cmted25519.PrivKey)
	if !ok || len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("it holds no ed25519 key")
	}
	return ed25519.PrivateKey(key), nil
}

// readSignature reads a signature that was made elsewhere, and finds whose it is.
func readSignature(name string, old, next []byte) (s attest.RotationSignature, err error) {
	raw, err := readFileMax(name, keyFileMax)
	if err != nil {
		return s, usage(err)
	}
	if len(raw) != ed25519.SignatureSize {
		text := strings.TrimSpace(string(raw))
		if raw, err = base64.StdEncoding.DecodeString(text); err != nil || len(raw) != ed25519.SignatureSize {
			if raw, err = hex.DecodeString(text); err != nil || len(raw) != ed25519.SignatureSize {
				return s, usagef("%s is no signature of ed25519: 64 bytes, in base64 or hexadecimal as well", name)
			}
		}
	}
	trust, err := attest.ParseTrust(old)
	if err != nil {
		return s, usage(err)
	}
	message := attest.RotationMessage(old, next)
	for i := range trust.Validators {
		if key := trust.Validators[i].PubKey; ed25519.Verify(key, message, raw) {
			return attest.RotationSignature{PubKey: key, Signature: raw}, nil
		}
	}
	return s, exitWith(exitFailed, fmt.Errorf("%s is the signature of no validator of the old trust file over these two files", name))
}

// signRotation adds signatures to the rotation file, where there is one. signed is the number of signatures while they are too few, 0 afterwards.
func signRotation(name string, old, next []byte, mine []attest.RotationSignature) (rotation []byte, signed int, err error) {
	var signatures []attest.RotationSignature
	if was, err := os.ReadFile(name); err == nil {
		from, trust, have, err := attest.DecodeRotation(was)
		switch {
		case err != nil:
			return nil, 0, exitWith(exitFailed, fmt.Errorf("%s: %w", name, err))
		case from != sha256.Sum256(old) || !bytes.Equal(trust, next):
			return nil, 0, exitWith(exitFailed, fmt.Errorf("%s leads from or to another trust file; write a file of your own", name))
		}
		signatures = have
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, 0, usage(err)
	}
	for _, m := range mine {
		if !slices.ContainsFunc(signatures, func(s attest.RotationSignature) bool { return bytes.Equal(s.PubKey, m.PubKey) }) {
			signatures = append(signatures, m)
		}
	}
	rotation = attest.EncodeRotation(old, next, signatures)
	_, err = attest.Rotate(old, rotation, time.Now())
	switch {
	case err == nil:
		return rotation, 0, nil
	case attest.CodeOf(err) == attest.CodeRotationQuorum:
		return rotation, len(signatures), nil
	}
	return nil, 0, exitWith(exitFailed, err)
}
