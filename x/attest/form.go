package attest

import (
	"bytes"
	"encoding/base64"
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Form (形式) of a bundle: what it carries of the block. It follows from the fields that are there.
type Form string

const (
	// SelfContained (自足): header, commit and the set that signed. Any trust file judges it.
	SelfContained Form = "self-contained"
	// PinnedSet (依固定集合): the first set is left out; the trust file has it.
	PinnedSet Form = "pinned-set"
	// HeaderKnown (依已知区块头): the header is named only; the verifier has verified it from another bundle.
	HeaderKnown Form = "header-known"
)

// FormOf tells the form of a bundle that DecodeBundle has returned.
func FormOf(b *pb.Bundle) Form {
	switch {
	case b.Known != nil:
		return HeaderKnown
	case b.Validators == nil:
		return PinnedSet
	}
	return SelfContained
}

// Convert leaves out of a bundle what another form does not carry. It cannot put anything back: the forms go from self-contained over pinned-set to
// header-known. What it gives is UNVERIFIED, as what it was given.
func Convert(bundle []byte, to Form) ([]byte, error) {
	b, err := DecodeBundle(bundle)
	if err != nil {
		return nil, err
	}
	from := FormOf(b)
	switch {
	case from == to:
	case to == PinnedSet && from == SelfContained:
		b.Validators = nil
	case to == HeaderKnown && from != HeaderKnown:
		hash := HeaderHash(b.Header)
		b.Known = &pb.HeaderRef{Height: b.Header.Height, Hash: hash[:]}
		b.Header, b.Commit, b.Validators, b.Steps = nil, nil, nil, nil
	case to == SelfContained || to == PinnedSet:
		return nil, fmt.Errorf("a bundle of the form %s does not carry what the form %s needs; fetch it again", from, to)
	default:
		return nil, fmt.Errorf("there is no form %.40q; the forms are %s, %s and %s", to, SelfContained, PinnedSet, HeaderKnown)
	}
	return EncodeBundle(b), nil
}

// FileBytesMax is what the largest bundle takes as text.
const (
	FileBytesMax = len(armorBegin) + armorChars + (armorChars+armorWidth-1)/armorWidth + len(armorEnd)
	armorChars   = (pb.BundleManyBytesMax + 2) / 3 * 4
)

const (
	armorMark  = "-----"
	armorBegin = "-----BEGIN XINLIAN ATTESTATION-----\n"
	armorEnd   = "-----END XINLIAN ATTESTATION-----\n"
	armorWidth = 64
)

// Armor writes a bundle as text (文本封装): base64 of RFC 4648 with padding, 64 characters a line, between two marker lines. Everything that reads a
// bundle reads it, in this one form.
func Armor(bundle []byte) []byte {
	body := base64.StdEncoding.EncodeToString(bundle)
	out := make([]byte, 0, armorSize(len(bundle)))
	out = append(out, armorBegin...)
	for len(body) > 0 {
		n := min(armorWidth, len(body))
		out = append(append(out, body[:n]...), '\n')
		body = body[n:]
	}
	return append(out, armorEnd...)
}

func armorSize(n int) int {
	chars := base64.StdEncoding.EncodedLen(n)
	return len(armorBegin) + chars + (chars+armorWidth-1)/armorWidth + len(armorEnd)
}

// unarmor is the first part of step 2: it takes the text away where there is some. The one form is held by writing it again.
func unarmor(raw []byte) ([]byte, *Error) {
	if !bytes.HasPrefix(raw, []byte(armorMark)) {
		return raw, nil
	}
	if len(raw) > FileBytesMax {
		return nil, invalid(2, CodeSize, "%d bytes of text, more than %d", len(raw), FileBytesMax)
	}
	body, begins := bytes.CutPrefix(raw, []byte(armorBegin))
	body, ends := bytes.CutSuffix(body, []byte(armorEnd))
	if !begins || !ends {
		return nil, invalid(2, CodeArmor, "armor begins with the line %q and ends with the line %q", armorBegin, armorEnd)
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(out, body) // skips line breaks, wherever they stand
	if err != nil || !bytes.Equal(Armor(out[:n]), raw) {
		return nil, invalid(2, CodeArmor, "armor is base64 in lines of %d characters, each ended by a line feed, and nothing else", armorWidth)
	}
	return out[:n], nil
}
