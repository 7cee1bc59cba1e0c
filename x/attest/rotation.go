package attest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const (
	rotationVersion  = 1
	rotationBytesMax = 4 << 20
	rotationDomain   = "xinlian/trust-rotation/v1\n"
)

// RotationSignature is one validator's word for a new trust file.
type RotationSignature struct {
	PubKey    []byte // ed25519, of the set in force in the old file
	Signature []byte // by RFC 8032
}

// SignRotation signs, as a validator of the old trust file, that the new one follows it. Both are the bytes of the files.
func SignRotation(oldFile, newFile []byte, key ed25519.PrivateKey) RotationSignature {
	return RotationSignature{key.Public().(ed25519.PublicKey), ed25519.Sign(key, RotationMessage(oldFile, newFile))}
}

// RotationMessage is what a validator of the old trust file signs, for a key that signs elsewhere. Both are the bytes of the files.
func RotationMessage(oldFile, newFile []byte) []byte {
	from, to := sha256.Sum256(oldFile), sha256.Sum256(newFile)
	return slices.Concat([]byte(rotationDomain), from[:], to[:])
}

type rotationJSON struct {
	Version    int             `json:"version"`
	From       string          `json:"from"`
	Trust      string          `json:"trust"`
	Signatures []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	PubKey    string `json:"pub_key"`
	Signature string `json:"signature"`
}

// EncodeRotation gives the rotation file (轮换文件): the new trust file with the signatures that lead to it from the old one. It judges nothing: run Rotate.
func EncodeRotation(oldFile, newFile []byte, signatures []RotationSignature) []byte {
	from := sha256.Sum256(oldFile)
	f := rotationJSON{Version: rotationVersion, From: hex.EncodeToString(from[:]), Trust: base64.StdEncoding.EncodeToString(newFile), Signatures: []signatureJSON{}}
	for _, s := range signatures {
		f.Signatures = append(f.Signatures, signatureJSON{base64.StdEncoding.EncodeToString(s.PubKey), base64.StdEncoding.EncodeToString(s.Signature)})
	}
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("attest: encode rotation: %v", err)) // strings only: a bug
	}
	return append(out, '\n')
}

// DecodeRotation reads a rotation file, whose form alone it judges: the digest of the old trust file, the new trust file and the signatures, UNVERIFIED.
func DecodeRotation(raw []byte) (from Hash, newFile []byte, signatures []RotationSignature, err error) {
	fail := func(err error) (Hash, []byte, []RotationSignature, error) {
		return Hash{}, nil, nil, invalid(1, CodeRotationForm, "rotation file: %v", firstOf(err))
	}
	if len(raw) > rotationBytesMax {
		return fail(fmt.Errorf("%d bytes, more than %d", len(raw), rotationBytesMax))
	}
	o, version, err := versioned(raw)
	if err != nil {
		return fail(err)
	}
	if version != rotationVersion {
		return Hash{}, nil, nil, refusal(ErrVersion, 1, CodeVersion, "a rotation file of version %d; this program reads version %d", version, rotationVersion)
	}
	if err := known(o, "version", "from", "trust", "signatures"); err != nil {
		return fail(err)
	}
	var f rotationJSON
	var rows []json.RawMessage
	if err := errors.Join(value(o, "from", &f.From, true), value(o, "trust", &f.Trust, true), value(o, "signatures", &rows, true)); err != nil {
		return fail(err)
	}
	digest, err := hex.DecodeString(f.From)
	if err != nil || len(digest) != hashBytes {
		return fail(errors.New("from is not 64 hexadecimal digits"))
	}
	if newFile, err = strictBase64("trust", f.Trust); err != nil {
		return fail(err)
	}
	if len(rows) > pb.ValidatorsMax {
		return fail(fmt.Errorf("%d signatures, more than %d", len(rows), pb.ValidatorsMax))
	}
	for i, row := range rows {
		s, err := parseSignature(row)
		if err != nil {
			return fail(fmt.Errorf("signature %d: %w", i, firstOf(err)))
		}
		signatures = append(signatures, s)
	}
	return Hash(digest), newFile, signatures, nil
}

func parseSignature(row []byte) (s RotationSignature, err error) {
	o, err := object(row, "pub_key", "signature")
	if err != nil {
		return s, err
	}
	var f signatureJSON
	if err := errors.Join(value(o, "pub_key", &f.PubKey, true), value(o, "signature", &f.Signature, true)); err != nil {
		return s, err
	}
	if s.PubKey, err = strictBase64("pub_key", f.PubKey); err != nil {
		return s, err
	}
	if s.Signature, err = strictBase64("signature", f.Signature); err != nil {
		return s, err
	}
	if len(s.PubKey) != keyBytes || len(s.Signature) != sigBytes {
		return s, errors.New("a key has 32 bytes, a signature 64")
	}
	return s, nil
}

// Rotate (信任文件轮换) gives the trust file that follows the one in force: *Rotation* of PROOF.md. Both are bytes of files, now is the clock. An error is of
// one of the classes of errors.go, ErrTrust where too few have signed or the old file is not in force any more.
func Rotate(oldFile, rotation []byte, now time.Time) (newFile []byte, err error) {
	if now.IsZero() {
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: no time to judge by")
	}
	old, err := ParseTrust(oldFile)
	if err != nil {
		return nil, err
	}
	from, newFile, signatures, err := DecodeRotation(rotation)
	if err != nil {
		return nil, err
	}
	if from != sha256.Sum256(oldFile) {
		return nil, invalid(2, CodeRotationFrom, "the rotation does not begin at this trust file")
	}
	next, err := ParseTrust(newFile)
	switch {
	case errors.Is(err, ErrVersion):
		return nil, err
	case err != nil:
		return nil, invalid(3, CodeRotationTrust, "the new trust file cannot be used: %v", err)
	}
	if err := old.checkNext(next); err != nil {
		return nil, err
	}

	set, height := old.inForce()
	message, signed := RotationMessage(oldFile, newFile), int64(0)
	for i, s := range signatures {
		at := slices.IndexFunc(old.Validators, func(v TrustedValidator) bool { return v.covers(height) && bytes.Equal(v.PubKey, s.PubKey) })
		switch {
		case at < 0:
			return nil, invalid(4, CodeRotationSig, "signature %d is of a key that the old trust file does not have in force", i)
		case slices.ContainsFunc(signatures[:i], func(o RotationSignature) bool { return bytes.Equal(o.PubKey, s.PubKey) }):
			return nil, invalid(4, CodeRotationSig, "signature %d is of a key that has signed already", i)
		case !ed25519.Verify(s.PubKey, message, s.Signature):
			return nil, invalid(4, CodeRotationSig, "signature %d does not verify", i)
		}
		signed += old.Validators[at].Power
	}
	if now.After(old.NotAfter) {
		return nil, refusal(ErrTrust, 5, CodeTrustExpired, "the trust file ended at %s; get the current one", formatTime(old.NotAfter))
	}
	if total := sum(set.Powers); !moreThanTwoThirds(signed, total) {
		return nil, refusal(ErrTrust, 5, CodeRotationQuorum, "the new trust file is signed by %d of %d, not more than two thirds", signed, total)
	}
	for i := range old.Validators {
		if v := &old.Validators[i]; v.covers(height) && !v.inWindow(now) {
			return nil, refusal(ErrTrust, 5, CodeTrustWindow, "a validator of the set in force is outside its window of time in the old trust file")
		}
	}
	return newFile, nil
}

// CheckNext is the part of step 3 of a rotation that compares: a trust file that does not come after t cannot follow it. Both have passed Check.
func (t *Trust) CheckNext(next *Trust) error {
	if err := t.checkNext(next); err != nil {
		return err
	}
	return nil
}

// checkNext holds rotations to one direction: end, anchor and newest set of a file go forward, so that no way of rotations leads back to a file that was
// left, and a set that has an end keeps it.
func (t *Trust) checkNext(next *Trust) *Error {
	bad := func(format string, args ...any) *Error { return invalid(3, CodeRotationTrust, format, args...) }
	olds, news := t.ranges(), next.ranges()
	was, is := newestOf(olds), newestOf(news)
	switch {
	case next.ChainID != t.ChainID:
		return bad("the new trust file is of chain %q, the old of %q", next.ChainID, t.ChainID)
	case next.Anchor.Height < t.Anchor.Height:
		return bad("the anchor of the new trust file (height %d) is older than that of the old (%d)", next.Anchor.Height, t.Anchor.Height)
	case next.Anchor.Height == t.Anchor.Height && next.Anchor.HeaderHash != t.Anchor.HeaderHash:
		return bad("the new trust file has another anchor at height %d", next.Anchor.Height)
	case next.NotAfter.Before(t.NotAfter):
		return bad("the new trust file ends at %s, before the old one (%s); make one that does not", formatTime(next.NotAfter), formatTime(t.NotAfter))
	case is.from < was.from:
		return bad("the newest set of the new trust file begins at height %d, that of the old at %d: it goes back to a set that was replaced", is.from, was.from)
	case next.Anchor.Height == t.Anchor.Height && next.NotAfter.Equal(t.NotAfter) && is.from == was.from:
		return bad("neither end nor anchor nor newest set of the new trust file is later than in the old; give it a later not_after")
	}
	// The old file's replaced sets, wherever either file has another from there on.
	for _, h := range slices.Concat(heightsOf(olds), heightsOf(news)) {
		i, k := epochAt(olds, h), epochAt(news, h)
		if h >= was.from || i < 0 || k < 0 || olds[i].end.IsZero() || news[k].size == 0 {
			continue
		}
		if end := news[k].end; end.IsZero() || end.After(olds[i].end) {
			return bad("the set at height %d ends at %s in the old trust file and later or never in the new: whoever has its old keys by now could sign", h, formatTime(olds[i].end))
		}
	}
	return nil
}

func heightsOf(all []epoch) []int64 {
	out := make([]int64, len(all))
	for i, e := range all {
		out[i] = e.from
	}
	return out
}

// inForce is the set of the file's last heights, and one of these heights.
func (t *Trust) inForce() (*pb.ValidatorSet, int64) {
	h := newestOf(t.ranges()).from
	return t.SetAt(h), h
}
