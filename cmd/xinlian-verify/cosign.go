package main

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// cosignCommand makes a witness (见证方) of whoever runs it: it cosigns the headers that it has verified, one a height and none that another contradicts.
func cosignCommand() *cobra.Command {
	var q witnessing
	cmd := &cobra.Command{
		Use:   "cosign BUNDLE --trust TRUST.json --key KEY.pem --name NAME --state FILE --out X.xlw",
		Short: "Witness the header of a bundle",
		Long: `cosign verifies a bundle, an offline pack or an anchor proof whose header is at most five minutes old and cosigns its header, as a witness that lenders may ask for in their trust file.
KEY.pem is an ed25519 key as 'openssl genpkey -algorithm ed25519' writes it; NAME is that of the witness in the trust files. With --add the
cosignature is added to those of another witness file of the same header.

FILE remembers the headers that were cosigned, the newest 1,024 of them. A witness signs no second header of a height, none that contradicts the one right
below or above, and none as old as what FILE has forgotten; lenders that come with bundles of different heights are each served. What the file does not
know, it cannot keep: lose neither key nor file; if the file is lost, take a new key.

Exit codes are those of check; 1 also where this header and what was cosigned before contradict each other, or it is too old to know.`,
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

// witnessState is what a witness has cosigned.
type witnessState struct {
	ChainID string `json:"chain_id"`
	// Height and Hash are those of the newest header. Older programs write and read no more: they sign nothing below it.
	Height int64  `json:"height"`
	Hash   []byte `json:"hash"`
	// Floor is the height up to which nothing is signed any more, because what was signed there is not known.
	Floor    int64      `json:"floor"`
	Cosigned []cosigned `json:"cosigned"` // by height
}

// cosigned is a header that was cosigned, and the hash of the block that it follows; none where an older program has written the file.
type cosigned struct {
	Height int64  `json:"height"`
	Hash   []byte `json:"hash"`
	Last   []byte `json:"last"`
}

// cosignedMax is how many headers are remembered: far more than a chain makes in witnessAge.
const (
	cosignedMax     = 1024
	witnessStateMax = 1 << 20
)

func (q *witnessing) cosign(bundle string) (int64, error) {
	now, err := clock(q.at)
	if err != nil {
		return 0, err
	}
	if err := apart("--out", q.out, bundle, q.trust, q.key, q.state); err != nil {
		return 0, err
	}
	if err := apart("--state", q.state, bundle, q.trust, q.key); err != nil {
		return 0, err
	}
	key, err := readWitnessKey(q.key)
	if err != nil {
		return 0, err
	}
	raw, err := readAtMost(bundle, pb.PackBytesMax)
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
	chainID, next, err := headerOf(v, raw, nil, now)
	if err != nil {
		return refuse(err)
	}
	point, err := attest.Checkpoint(chainID, next.Height, attest.Hash(next.Hash))
	if err != nil {
		return 0, usage("%w", err)
	}
	note := append(bytes.Clone(point), '\n')
	if q.add != "" {
		if note, err = readAtMost(q.add, evidenceBytesMax); err != nil {
			return 0, err
		}
		if !bytes.HasPrefix(note, append(bytes.Clone(point), '\n')) {
			return 0, &exit{code: exitInvalid, err: fmt.Errorf("%s is not of the header of height %d", q.add, next.Height)}
		}
	}
	note = append(note, attest.Cosign(point, q.name, key, now)...)
	// What lenders would refuse is not written. They know the witness by this name and key.
	trust.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{{Name: q.name, PubKey: key.Public().(ed25519.PublicKey)}}}
	if v, err = attest.NewVerifier(trust); err != nil {
		return 0, usage("--name: %w", err)
	}
	if _, _, err := headerOf(v, raw, note, now); err != nil {
		return refuse(err)
	}
	if err := q.remember(chainID, next); err != nil {
		return 0, err
	}
	if err := save(q.out, note); err != nil {
		return 0, usage("write --out: %w", err)
	}
	return next.Height, nil
}

// headerOf judges a bundle, an offline pack or an anchor proof, whichever its first bytes say, and gives its header, which is young. note is a witness file; nil: none.
func headerOf(v *attest.Verifier, raw, note []byte, now time.Time) (chainID string, h cosigned, err error) {
	p := attest.Policy{MaxAge: witnessAge, Now: now, Witness: note}
	fail := func(err error) (string, cosigned, error) { return "", cosigned{}, err }
	switch {
	case bytes.HasPrefix(raw, []byte(attest.PackMagic[:3])):
		f, err := attest.DecodePack(raw)
		if err != nil {
			return fail(err)
		}
		if p.Claim = attest.NoSerious; f.Set == pb.PACK_NEGATIVE {
			p.Claim = attest.NoNegative
		}
		pack, err := v.OpenPack(raw, p)
		if err != nil {
			return fail(err)
		}
		return pack.ChainID, cosigned{pack.HeaderHeight, pack.HeaderHash[:], f.Header.LastBlockHash}, nil
	case bytes.HasPrefix(raw, []byte(attest.AnchorProofMagic[:3])):
		p.MaxAge = 0 // an anchor does not grow old, its header does
		row, err := v.OpenAnchorProof(raw, p)
		if err != nil {
			return fail(err)
		}
		if age := now.Sub(row.Time); age > witnessAge {
			old := fmt.Errorf("the header is %s old, more than %s; fetch a newer proof", age.Round(time.Second), witnessAge) // the catalogue's test knows texts of errors
			return fail(&attest.Error{Class: attest.ErrStale, Step: 13, Code: attest.CodeStale, Text: old.Error()})
		}
		f, err := attest.DecodeAnchorProof(raw)
		if err != nil {
			return fail(err)
		}
		return row.ChainID, cosigned{row.HeaderHeight, row.HeaderHash[:], f.Header.LastBlockHash}, nil
	}
	p.Claim = attest.Standing
	all, err := v.VerifyMany(raw, p)
	if err != nil {
		return fail(err)
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return fail(err)
	}
	return all[0].ChainID, cosigned{all[0].HeaderHeight, all[0].HeaderHash[:], b.Header.LastBlockHash}, nil
}

// remember keeps, before anything is given away, what is cosigned; and refuses what a witness must not sign.
func (q *witnessing) remember(chainID string, next cosigned) (err error) {
	// Two runs at once would both find that nothing stands against their header.
	file, err := shell.Target(q.state) // by whatever name
	if err != nil {
		return usage("write --state: %w", err)
	}
	release, taken, err := lock(file + ".lock")
	switch {
	case taken:
		return usage("another run of this witness is at work with %s: it has locked %s.lock", q.state, file)
	case err != nil:
		return usage("write --state: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	state := witnessState{ChainID: chainID}
	raw, err := readAtMost(q.state, witnessStateMax)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	default:
		var ok bool
		if state, ok = readWitnessState(raw); !ok {
			return usage("%s is no file of a witness", q.state)
		}
		if state.ChainID != chainID {
			return &exit{code: exitInvalid, err: fmt.Errorf("%s is of chain %s; a witness has a file for each chain", q.state, state.ChainID)}
		}
	}
	if err := state.add(next); err != nil {
		return &exit{code: exitInvalid, err: err}
	}
	out, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := save(q.state, append(out, '\n')); err != nil { // on the disk, before anything is given away
		return usage("write --state: %w", err)
	}
	return nil
}

// readWitnessState reads the file of a witness. That of an older program knows one header, and nothing of what is below it.
func readWitnessState(raw []byte) (s witnessState, ok bool) {
	if json.Unmarshal(raw, &s) != nil {
		return s, false
	}
	if len(s.Cosigned) == 0 {
		s.Floor, s.Cosigned = s.Height-1, []cosigned{{Height: s.Height, Hash: s.Hash}}
	}
	at := s.Floor
	for _, c := range s.Cosigned {
		if c.Height <= at || at < 0 {
			return s, false
		}
		at = c.Height
	}
	return s, true
}

// add puts a header to those that were cosigned, or says why a witness must not sign it. One that was is signed again.
func (s *witnessState) add(next cosigned) error {
	i, there := slices.BinarySearchFunc(s.Cosigned, next.Height, func(c cosigned, h int64) int { return cmp.Compare(c.Height, h) })
	contradicts := func(at int64) error {
		return fmt.Errorf("ANOTHER header was cosigned at height %d: one of the two is a forgery, or validators have signed both; keep both bundles", at)
	}
	switch {
	case next.Height <= s.Floor:
		return fmt.Errorf("what was cosigned up to height %d is not remembered any more; a witness signs nothing there: take a newer bundle", s.Floor)
	case there && !bytes.Equal(next.Hash, s.Cosigned[i].Hash):
		return contradicts(next.Height)
	case there:
		return nil
	case i > 0 && s.Cosigned[i-1].Height == next.Height-1 && !bytes.Equal(next.Last, s.Cosigned[i-1].Hash):
		return contradicts(next.Height - 1)
	case i < len(s.Cosigned) && s.Cosigned[i].Height == next.Height+1 && s.Cosigned[i].Last != nil && !bytes.Equal(s.Cosigned[i].Last, next.Hash):
		return fmt.Errorf("the header that was cosigned at height %d follows ANOTHER than this one: one of the two is a forgery, or validators have signed both; keep both bundles", next.Height+1)
	}
	s.Cosigned = slices.Insert(s.Cosigned, i, next)
	if len(s.Cosigned) > cosignedMax {
		s.Floor, s.Cosigned = s.Cosigned[0].Height, s.Cosigned[1:]
	}
	newest := s.Cosigned[len(s.Cosigned)-1]
	s.Height, s.Hash = newest.Height, newest.Hash
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
