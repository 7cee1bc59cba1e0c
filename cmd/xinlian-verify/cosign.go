package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// cosignCommand makes a witness (见证方) of whoever runs it: it cosigns the headers that it has verified, one a height and none below one that it has signed.
func cosignCommand() *cobra.Command {
	var q witnessing
	cmd := &cobra.Command{
		Use:   "cosign BUNDLE --trust TRUST.json --key KEY.pem --name NAME --state FILE --out X.xlw",
		Short: "Witness the header of a bundle",
		Long: `cosign verifies a bundle whose header is at most five minutes old and cosigns its header, as a witness that lenders may ask for in their trust file.
KEY.pem is an ed25519 key as 'openssl genpkey -algorithm ed25519' writes it; NAME is that of the witness in the trust files. With --add the
cosignature is added to those of another witness file of the same header.

FILE remembers the last header that was cosigned. A witness signs no older header and no second one of a height: what the file does not
know, it cannot keep. Lose neither key nor file; if the file is lost, take a new key.

Exit codes are those of check; 1 also where another header was cosigned at this height, or a younger one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			height, err := q.cosign(args[0])
			if err != nil {
				return err
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: cosigned the header of height %d as %s", q.out, height, q.name)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.trust, "trust", "", "trust file (trust.json)")
	f.StringVar(&q.key, "key", "", "ed25519 key of the witness (PEM)")
	f.StringVar(&q.name, "name", "", "name of the witness, such as w1.example/xinlian")
	f.StringVar(&q.state, "state", "", "file that remembers what was cosigned")
	f.StringVar(&q.add, "add", "", "witness file to add the cosignature to")
	f.StringVar(&q.out, "out", "", "witness file (*.xlw) to write")
	f.StringVar(&q.at, "at", "", "time (RFC 3339) in place of the clock")
	for _, name := range []string{"trust", "key", "name", "state", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

// witnessAge is how old a header may be that is cosigned. A witness says that a header existed by now: of an old one that is worth little, and may be what
// somebody wants who has found old keys.
const witnessAge = 5 * time.Minute

type witnessing struct{ trust, key, name, state, add, out, at string }

// witnessState is the last header that was cosigned.
type witnessState struct {
	ChainID string `json:"chain_id"`
	Height  int64  `json:"height"`
	Hash    []byte `json:"hash"`
}

func (q *witnessing) cosign(bundle string) (int64, error) {
	now, err := clock(q.at)
	if err != nil {
		return 0, err
	}
	key, err := readWitnessKey(q.key)
	if err != nil {
		return 0, err
	}
	raw, err := readBundle(bundle)
	if err != nil {
		return 0, err
	}
	file, err := readAtMost(q.trust, trustBytesMax)
	if err != nil {
		return 0, err
	}
	refuse := func(err error) (int64, error) { return 0, &exit{code: attest.ExitCode(nil, err), err: err} }
	trust, err := attest.ParseTrust(file)
	if err != nil {
		return refuse(err)
	}
	// A witness judges for itself: what its trust file asks of other witnesses is asked by lenders.
	trust.Witnesses, trust.Stamps = attest.Witnesses{}, attest.Stamps{}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		return refuse(err)
	}
	verdicts, err := v.VerifyMany(raw, attest.Policy{Claim: attest.Standing, MaxAge: witnessAge, Now: now})
	if err != nil {
		return refuse(err)
	}
	d := verdicts[0]
	point, err := attest.Checkpoint(d.ChainID, d.HeaderHeight, d.HeaderHash)
	if err != nil {
		return 0, usage("%w", err)
	}
	note := append(bytes.Clone(point), '\n')
	if q.add != "" {
		if note, err = readAtMost(q.add, evidenceBytesMax); err != nil {
			return 0, err
		}
		if !bytes.HasPrefix(note, append(bytes.Clone(point), '\n')) {
			return 0, &exit{code: exitInvalid, err: fmt.Errorf("%s is not of the header of height %d", q.add, d.HeaderHeight)}
		}
	}
	note = append(note, attest.Cosign(point, q.name, key, now)...)
	// What lenders would refuse is not written. They know the witness by this name and key.
	trust.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{{Name: q.name, PubKey: key.Public().(ed25519.PublicKey)}}}
	if v, err = attest.NewVerifier(trust); err != nil {
		return 0, usage("--name: %w", err)
	}
	if _, err := v.VerifyMany(raw, attest.Policy{Claim: attest.Standing, MaxAge: witnessAge, Now: now, Witness: note}); err != nil {
		return refuse(err)
	}
	if err := q.remember(witnessState{d.ChainID, d.HeaderHeight, d.HeaderHash[:]}); err != nil {
		return 0, err
	}
	if err := save(q.out, note); err != nil {
		return 0, usage("write --out: %w", err)
	}
	return d.HeaderHeight, nil
}

// remember keeps, before anything is given away, what is cosigned; and refuses what a witness must not sign.
func (q *witnessing) remember(next witnessState) (err error) {
	// Two runs at once would both find that nothing stands against their header.
	lock, err := os.OpenFile(q.state+".lock", os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return usage("another run of this witness is at work with %s, or was broken off; where none is, remove %s.lock", q.state, q.state)
	case err != nil:
		return usage("write --state: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close(), os.Remove(lock.Name())) }()
	raw, err := readAtMost(q.state, evidenceBytesMax)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	default:
		var last witnessState
		if err := json.Unmarshal(raw, &last); err != nil || last.Height < 1 {
			return usage("%s is no file of a witness", q.state)
		}
		switch {
		case last.ChainID != next.ChainID:
			err = fmt.Errorf("%s is of chain %s; a witness has a file for each chain", q.state, last.ChainID)
		case next.Height < last.Height:
			err = fmt.Errorf("the header of height %d was cosigned already; a witness signs none that is older", last.Height)
		case next.Height == last.Height && !bytes.Equal(next.Hash, last.Hash):
			err = fmt.Errorf("ANOTHER header was cosigned at height %d: one of the two is a forgery, or validators have signed both; keep both bundles", last.Height)
		}
		if err != nil {
			return &exit{code: exitInvalid, err: err}
		}
	}
	out, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := save(q.state, append(out, '\n')); err != nil {
		return usage("write --state: %w", err)
	}
	if folder, err := os.Open(filepath.Dir(q.state)); err == nil {
		_ = folder.Sync() // the name is on the disk before anything is given away, where a system can do that
		_ = folder.Close()
	}
	return nil
}

func readWitnessKey(name string) (ed25519.PrivateKey, error) {
	raw, err := readAtMost(name, evidenceBytesMax)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, usage("%s is no PEM file", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, usage("%s holds no private key: %w", name, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, usage("%s holds no ed25519 key", name)
	}
	return key, nil
}
