package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

func trustCmd() *cobra.Command {
	return group("trust", "Trust files of lenders (信任文件)", trustSignCmd())
}

func trustSignCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "sign OLD.json NEW.json --out ROTATION", Short: "Sign, as a validator of the old trust file, that the new one follows it", Args: cobra.ExactArgs(2),
		Long: `Sign, as a validator of the old trust file, that the new one follows it, and add the signature to the rotation file (轮换文件), which is made where there is none.
Pass the file on from validator to validator until more than two thirds of the power of the old file's set have signed; lenders take the new
trust file out of it with 'xinlian-verify trust update'. The key is that of the node's home: a key in a remote signer, which signs votes alone, cannot.

Who signs hands over what lenders believe: read the new file first. Exit codes: 0 signed, 1 refused, 2 the call was wrong, 3 the home is unreadable.`,
	}
	home := homeFlag(c)
	out := c.Flags().String("out", "", "rotation file to make, or to add the signature to")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *out == "" {
			return usagef("--out is missing")
		}
		old, err := readTrust(args[0])
		if err != nil {
			return err
		}
		next, err := readTrust(args[1])
		if err != nil {
			return err
		}
		key, err := validatorKey(*home)
		if err != nil {
			return err
		}
		rotation, signed, err := signRotation(*out, old, next, key)
		if err != nil {
			return err
		}
		if err := writeBeside(*out, rotation); err != nil {
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
	cfg, _, err := loadHome(home)
	if err != nil {
		return nil, err
	}
	name := cfg.Engine.PrivValidatorKeyFile()
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, exitWith(exitUnreadable, err)
	}
	var k privval.FilePVKey
	if err := cmtjson.Unmarshal(raw, &k); err != nil {
		return nil, exitWith(exitUnreadable, fmt.Errorf("%s is no validator key: %w", name, err))
	}
	key, ok := k.PrivKey.(cmted25519.PrivKey)
	if !ok || len(key) != ed25519.PrivateKeySize {
		return nil, exitWith(exitUnreadable, fmt.Errorf("%s holds no ed25519 key", name))
	}
	return ed25519.PrivateKey(key), nil
}

// signRotation adds a signature to the rotation file, where there is one. signed is the number of signatures while they are too few, 0 afterwards.
func signRotation(name string, old, next []byte, key ed25519.PrivateKey) (rotation []byte, signed int, err error) {
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
	mine := attest.SignRotation(old, next, key)
	there := false
	for _, s := range signatures {
		there = there || bytes.Equal(s.PubKey, mine.PubKey)
	}
	if !there {
		signatures = append(signatures, mine)
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

// writeBeside writes a file whole or not at all.
func writeBeside(name string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".xinlian-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
