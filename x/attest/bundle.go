package attest

import (
	"bytes"
	"encoding/binary"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Magic is what every bundle of this version begins with.
const Magic = "XLA1"

// MediaType of a bundle over HTTP.
const MediaType = "application/vnd.xinlian.attestation.v1"

// EncodeBundle gives the file of a bundle. It does not judge the bundle: a prover runs Verify on what it made.
func EncodeBundle(b *pb.Bundle) []byte {
	return append([]byte(Magic), pb.Encode(b)...)
}

// DecodeBundle reads a bundle file, armored or not: steps 2 to 4 of PROOF.md. What it returns is well formed and UNVERIFIED.
func DecodeBundle(raw []byte) (*pb.Bundle, error) {
	raw, e := unarmor(raw)
	if e != nil {
		return nil, e
	}
	if _, err := open(raw); err != nil {
		return nil, err
	}
	b := new(pb.Bundle)
	if err := decode(raw, b); err != nil {
		return nil, err
	}
	return b, nil
}

// open is step 2 and the bounds of step 3. It gives the length of the part of raw that speaks of the block alone: magic and fields
// 1 to 4. The magic alone is what it gives for a header-known bundle.
func open(raw []byte) (cut int, err *Error) {
	if err := checkMagic(raw); err != nil {
		return 0, err
	}
	return scan(raw)
}

// decode is the rest of step 3, and step 4, for a whole bundle.
func decode(raw []byte, b *pb.Bundle) *Error {
	if err := blockLists.bound(raw[len(Magic):]); err != nil {
		return err
	}
	if err := pb.Decode(raw[len(Magic):], b); err != nil {
		return invalid(3, CodeEncoding, "bundle: %v", err)
	}
	if err := checkBlockForm(b); err != nil {
		return err
	}
	return checkStateForm(b)
}

// decodeState is decode for a bundle whose block part, byte for byte, has passed before or is not there: it reads fields 5 and up
// without copying them. scan has seen to it that every field of the block part comes before. That both ways accept the same bytes is tested; reading
// the whole bundle once more would cost more than all the hashing that is left to do.
func decodeState(raw []byte, cut int, b *pb.Bundle) *Error {
	last := uint64(4)
	for rest := raw[cut:]; len(rest) > 0; {
		field, v, n := nextField(rest)
		if n == 0 || field < last || field == last && field != 8 || field > 11 {
			return errState
		}
		rest, last = rest[n:], field
		switch field {
		case 5:
			b.Catalog = v
		case 6:
			b.Log = v
		case 7:
			b.Pack = v
		case 8:
			e, ok := decodeEntry(v)
			if !ok {
				return errState
			}
			b.Entries = append(b.Entries, e)
		case 9:
			b.Shape = v
		case 10:
			b.Hashes = v
		case 11:
			b.Known = new(pb.HeaderRef)
			if pb.Decode(v, b.Known) != nil {
				return errState
			}
		}
		if field != 8 && field != 11 && len(v) == 0 {
			return errState
		}
	}
	if cut > len(Magic) && b.Known != nil {
		return errTwoBlocks
	}
	if cut == len(Magic) {
		if err := checkBlockForm(b); err != nil {
			return err
		}
	}
	return checkStateForm(b)
}

var (
	errState     = invalid(3, CodeEncoding, "bundle: %v", pb.ErrNotCanonical)
	errTwoBlocks = invalid(4, CodeForm, "the bundle names a known header beside one of its own")
)

func decodeEntry(raw []byte) (e pb.Entry, ok bool) {
	last := uint64(0)
	for len(raw) > 0 {
		field, v, n := nextField(raw)
		if n == 0 || field <= last || len(v) == 0 {
			return e, false
		}
		raw, last = raw[n:], field
		switch field {
		case 1:
			e.Subject = string(v)
		case 2:
			e.Standing = v
		case 3:
			e.Salt = v
		default:
			return e, false
		}
	}
	return e, true
}

// nextField reads one field of bytes in its shortest form; n is its length, 0 where there is none.
func nextField(raw []byte) (field uint64, v []byte, n int) {
	if len(raw) < 2 || raw[0]&7 != 2 || raw[0] >= 0x80 {
		return 0, nil, 0
	}
	size, m := binary.Uvarint(raw[1:])
	if m <= 0 || m > 1 && raw[m] == 0 || size > uint64(len(raw)-1-m) {
		return 0, nil, 0
	}
	n = 1 + m + int(size)
	return uint64(raw[0] >> 3), raw[1+m : n : n], n
}

// checkMagic is step 2.
func checkMagic(raw []byte) *Error {
	switch {
	case bytes.HasPrefix(raw, []byte(Magic)):
		return nil
	case len(raw) >= 4 && string(raw[:3]) == Magic[:3] && raw[3] >= '0' && raw[3] <= '9':
		return refusal(ErrVersion, 2, CodeVersion, "a bundle of version %c; this program reads version %c", raw[3], Magic[3])
	case len(bytes.TrimLeft(raw, " \t\r\n")) > 0 && bytes.TrimLeft(raw, " \t\r\n")[0] == '{':
		return invalid(2, CodeMagic, "this is JSON; a JSON view proves nothing, get the bundle itself (%s)", MediaType)
	}
	if what := kindFault(raw); what != "" {
		return invalid(2, CodeMagic, "not a bundle but %s", what)
	}
	return invalid(2, CodeMagic, "not a bundle: it does not begin with %s", Magic)
}

// kindFault says what a file of another kind is; empty: nothing that is known.
func kindFault(raw []byte) string {
	is := func(magic string) bool { return bytes.HasPrefix(raw, []byte(magic[:3])) }
	switch {
	case len(raw) == 0:
		return "an empty file"
	case is(Magic):
		return "a bundle"
	case is(PackMagic):
		return "an offline pack"
	case is(DeltaMagic):
		return "the delta of an offline pack"
	case is(AnchorProofMagic):
		return "the proof of an anchor"
	case is(RestrictedMagic):
		return "an opening of the restricted section"
	}
	return ""
}

// scan is the first half of step 3: it bounds size and counts before anything is allocated for them, because an entry of two
// bytes costs fifty times as much once decoded. It does not judge the encoding.
func scan(raw []byte) (cut int, err *Error) {
	if len(raw) > pb.BundleManyBytesMax {
		return 0, invalid(3, CodeSize, "%d bytes, more than %d", len(raw), pb.BundleManyBytesMax)
	}
	entries, steps := 0, 0
	cut = -1
	for at := len(Magic); at < len(raw); {
		tag, n := binary.Uvarint(raw[at:])
		if n <= 0 || tag&7 != 2 {
			return 0, invalid(3, CodeEncoding, "byte %d begins no field of a bundle", at)
		}
		switch state := tag>>3 > 4; {
		case state && cut < 0:
			cut = at
		case !state && cut >= 0: // what stands before cut is then all that there is of the block
			return 0, invalid(3, CodeEncoding, "field %d of the block stands behind the state", tag>>3)
		}
		switch tag >> 3 {
		case 4:
			steps++
		case 8:
			entries++
		}
		size, m := binary.Uvarint(raw[at+n:])
		if m <= 0 || size > uint64(len(raw)-at-n-m) {
			return 0, invalid(3, CodeEncoding, "the field at byte %d reaches beyond the end", at)
		}
		at += n + m + int(size)
	}
	switch {
	case entries > pb.BundleEntriesMax:
		return 0, invalid(3, CodeSize, "%d entries, more than %d", entries, pb.BundleEntriesMax)
	case steps > pb.BundleStepsMax:
		return 0, invalid(3, CodeSize, "%d steps, more than %d", steps, pb.BundleStepsMax)
	case entries <= 1 && len(raw) > pb.BundleBytesMax:
		return 0, invalid(3, CodeSize, "%d bytes for one subject, more than %d", len(raw), pb.BundleBytesMax)
	case cut < 0:
		return 0, invalid(3, CodeEncoding, "the bundle says nothing of the state")
	}
	return cut, nil
}

// checkBlockForm is the part of step 4 that concerns fields 1 to 4 and 11: which form it is, and each of its fields.
func checkBlockForm(b *pb.Bundle) *Error {
	switch k := b.Known; {
	case k != nil && (b.Header != nil || b.Commit != nil || b.Validators != nil || len(b.Steps) > 0):
		return errTwoBlocks
	case k != nil && (k.Height < 1 || len(k.Hash) != hashBytes):
		return invalid(4, CodeForm, "a known header has a positive height and a hash of 32 bytes")
	case k != nil:
		return nil
	case b.Header == nil || b.Commit == nil:
		return invalid(4, CodeForm, "neither a header with its commit nor a known header")
	}
	for i := range b.Steps {
		s := &b.Steps[i]
		if err := checkHeaderForm(&s.Header); err != nil {
			return err
		}
		if err := checkCommitForm(&s.Commit); err != nil {
			return err
		}
		if err := checkSetForm(&s.Next); err != nil {
			return err
		}
	}
	if err := checkHeaderForm(b.Header); err != nil {
		return err
	}
	if err := checkCommitForm(b.Commit); err != nil {
		return err
	}
	if b.Validators == nil {
		return nil
	}
	return checkSetForm(b.Validators)
}

func checkHeaderForm(h *pb.Header) *Error {
	bad := func(what string) *Error { return invalid(4, CodeForm, "header: %s", what) }
	switch {
	case h.ChainId == "" || len(h.ChainId) > pb.ChainIDMax:
		return bad("the chain id is empty or too long")
	case h.Height < 1:
		return bad("the height is not positive")
	case h.TimeSeconds < 0 || h.TimeSeconds > maxSeconds || h.TimeNanos < 0 || h.TimeNanos >= second:
		return bad("the time is out of range")
	case len(h.ValidatorsHash) != hashBytes || len(h.NextValidatorsHash) != hashBytes || len(h.AppHash) != hashBytes:
		return bad("validators, next validators and app hash have 32 bytes each")
	case len(h.Proposer) != addressBytes:
		return bad("the proposer has 20 bytes")
	case (len(h.LastBlockHash) == 0) != (len(h.LastPartsHash) == 0), (len(h.LastBlockHash) == 0) != (h.LastPartsTotal == 0):
		return bad("half of a last block id")
	}
	// The first block of a chain has no last block; the engine leaves other hashes empty in old versions.
	for _, f := range [...][]byte{
		h.LastBlockHash, h.LastPartsHash, h.LastCommitHash, h.DataHash, h.ConsensusHash, h.LastResultsHash, h.EvidenceHash,
	} {
		if len(f) != 0 && len(f) != hashBytes {
			return bad("a hash has neither 0 nor 32 bytes")
		}
	}
	return nil
}

func checkCommitForm(c *pb.Commit) *Error {
	bad := func(what string) *Error { return invalid(4, CodeCommitForm, "commit: %s", what) }
	switch {
	case c.Round < 0:
		return bad("the round is negative")
	case c.PartsTotal == 0 || len(c.PartsHash) != hashBytes:
		return bad("no part set header")
	case len(c.Signatures)%sigBytes != 0 || len(c.Signatures)/sigBytes != len(c.Times):
		return bad("as many times as signatures of 64 bytes are needed")
	}
	return nil
}

// checkSetForm holds a set to what the engine itself keeps: distinct keys, positive powers whose sum leaves room for arithmetic,
// ordered by power and then by address.
func checkSetForm(s *pb.ValidatorSet) *Error {
	bad := func(what string) *Error { return invalid(4, CodeSetForm, "validator set: %s", what) }
	n := len(s.Powers)
	switch {
	case n == 0:
		return bad("it is empty")
	case n > pb.ValidatorsMax:
		return bad("too many validators")
	case len(s.PubKeys) != n*keyBytes:
		return bad("as many keys of 32 bytes as powers are needed")
	}
	total, seen := int64(0), make(map[address]struct{}, n)
	var last address
	for i, p := range s.Powers {
		if p <= 0 || p > maxPower-total {
			return bad("a power is not positive, or their sum is too large")
		}
		total += p
		at := addressOf(keyAt(s, i))
		if i > 0 && (s.Powers[i-1] < p || s.Powers[i-1] == p && bytes.Compare(last[:], at[:]) >= 0) {
			return bad("it is not in order of power and address")
		}
		seen[at], last = struct{}{}, at
	}
	if len(seen) != n {
		return bad("a key occurs twice")
	}
	return nil
}

// checkStateForm is the part of step 4 that concerns fields 5 and up.
func checkStateForm(b *pb.Bundle) *Error {
	switch {
	case len(b.Catalog) != 8+hashBytes:
		return invalid(4, CodeForm, "the catalog value has %d bytes instead of 40", len(b.Catalog))
	case len(b.Log) != hashBytes || len(b.Pack) != hashBytes:
		return invalid(4, CodeForm, "log and pack have 32 bytes each")
	case len(b.Entries) == 0:
		return invalid(4, CodeForm, "no entries")
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		switch {
		case !isUSCC(e.Subject):
			return invalid(4, CodeForm, "entry %d: the subject is not a 统一社会信用代码", i)
		case len(e.Standing) == 0 && len(e.Salt) != 0, len(e.Standing) != 0 && len(e.Salt) != saltBytes:
			return invalid(4, CodeForm, "entry %d: a standing comes with a salt of 32 bytes, none with none", i)
		case len(e.Standing) > pb.BundleBytesMax:
			return invalid(4, CodeSize, "entry %d: a standing of %d bytes", i, len(e.Standing))
		}
	}
	return nil
}
