package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// receiptsBytesMax is more than the largest page of receipts has, or the answer to a query with its bundle in it.
const receiptsBytesMax = 8 << 20

// receiptFiles are the names of what receipts are judged by.
type receiptFiles struct {
	receipts, bundle, opening string
	proofs, anchors           []string
}

// take finds out by its first bytes what a file is.
func (f *receiptFiles) take(name string) error {
	head, err := readAtMost(name, 63)
	if err != nil {
		return err
	}
	one := func(into *string) error {
		if *into != "" {
			return usage("%s and %s are of one kind; give one of them", *into, name)
		}
		*into = name
		return nil
	}
	is := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch {
	case is(attest.AnchorProofMagic[:3]):
		f.proofs = append(f.proofs, name)
		return nil
	case is(attest.RestrictedMagic[:3]):
		return one(&f.opening)
	case is(attest.Magic[:3]), is("-----"):
		return one(&f.bundle)
	case len(head) == 0:
		return usage("%s is empty", name)
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")):
		return one(&f.receipts)
	}
	return usage("%s is neither receipts (JSON) nor an anchor proof (*.xln), a bundle (*.xla) or an opening (*.xlr)", name)
}

// answer reads the answer that is here; nil: none is.
func (f *receiptFiles) answer() (*answer, error) {
	if f.bundle == "" {
		return nil, nil
	}
	a, err := new(answer), error(nil)
	if a.bundle, err = readBundle(f.bundle); err != nil {
		return nil, err
	}
	// The digest is of the bundle itself, not of the text that it may be kept as.
	if b, err := attest.DecodeBundle(a.bundle); err == nil {
		a.bundle = attest.EncodeBundle(b)
	}
	if f.opening != "" {
		if a.opening, err = readBundle(f.opening); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// answer is what a receipt may be of; one that opens nothing has an opening of no bytes.
type answer struct{ bundle, opening []byte }

// check is Q3, and notes what comes of it.
func (a *answer) check(v *receiptVerdict) error {
	err := attest.CheckAnswer(v.says, a.bundle, a.opening)
	of := err == nil
	v.OfAnswer = &of
	return err
}

// heldReceipt is of a receipt (查询回执) what is read: what its gateway says in plain words beside the bytes proves nothing.
type heldReceipt struct {
	receipt, salt []byte
	anchor        *heldAnchor // nil: its hour is not anchored yet
	within        *answer     // in which it came; nil: alone
}

type heldAnchor struct {
	hour  int64
	root  attest.Hash
	place uint64
	path  []attest.Hash
}

// readReceipts reads one receipt, the answer to a query with its receipt, or a page of them.
func readReceipts(name string) ([]heldReceipt, error) {
	raw, err := readAtMost(name, receiptsBytesMax)
	if err != nil {
		return nil, err
	}
	if len(raw) > receiptsBytesMax {
		return nil, usage("%s is larger than %d bytes", name, receiptsBytesMax)
	}
	o, err := fields(raw)
	if err != nil {
		return nil, usage("%s is no JSON of receipts: %w", name, err)
	}
	refuse := func(i int, err error) ([]heldReceipt, error) {
		return nil, &exit{code: exitInvalid, err: fmt.Errorf("receipt %d of the file: %w", i+1, fmt.Errorf("%s: %w", attest.CodeReceipt, err))}
	}
	var page []json.RawMessage
	switch {
	case given(o, "receipts"):
		if err := json.Unmarshal(o["receipts"], &page); err != nil {
			return nil, usage("%s is no JSON of receipts: %w", name, err)
		}
		if len(page) == 0 {
			return nil, usage("%s holds no receipts", name)
		}
	case given(o, "receipt"):
		page = []json.RawMessage{o["receipt"]}
	case !given(o, "bytes"):
		return nil, usage("%s holds no receipts", name)
	default:
		page = []json.RawMessage{raw}
	}
	held := make([]heldReceipt, len(page))
	for i, row := range page {
		if held[i], err = readReceipt(row); err != nil {
			return refuse(i, err)
		}
	}
	if _, asked := o["attestation"]; asked && given(o, "receipt") {
		a := new(answer)
		if a.bundle, err = fileIn(o, "attestation"); err != nil {
			return refuse(0, err)
		}
		if given(o, "opening") {
			if a.opening, err = fileIn(o, "opening"); err != nil {
				return refuse(0, err)
			}
		}
		held[0].within = a
	}
	return held, nil
}

func readReceipt(row []byte) (h heldReceipt, err error) {
	o, err := fields(row)
	if err != nil {
		return h, err
	}
	if h.receipt, err = fileIn(o, "bytes"); err != nil {
		return h, err
	}
	salt, err := hashIn(o["salt"])
	if err != nil {
		return h, fmt.Errorf("salt: %w", err)
	}
	h.salt = salt[:]
	if !given(o, "anchor") {
		return h, nil
	}
	if o, err = fields(o["anchor"]); err != nil {
		return h, fmt.Errorf("anchor: %w", err)
	}
	a := new(heldAnchor)
	var path []json.RawMessage
	for key, into := range map[string]any{"hour": &a.hour, "place": &a.place, "path": &path} {
		if !given(o, key) || json.Unmarshal(o[key], into) != nil || a.hour < 0 {
			return h, fmt.Errorf("the anchor has no %s", key)
		}
	}
	if a.root, err = hashIn(o["root"]); err != nil {
		return h, fmt.Errorf("root: %w", err)
	}
	for _, text := range path {
		hash, err := hashIn(text)
		if err != nil {
			return h, fmt.Errorf("path: %w", err)
		}
		a.path = append(a.path, hash)
	}
	h.anchor = a
	return h, nil
}

// fields reads a JSON object, each field as it is written. A field that occurs twice is refused: which of them was meant, readers would see differently.
func fields(raw []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.New("an object is missing")
	}
	o := map[string]json.RawMessage{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		key, _ := tok.(string)
		if _, twice := o[key]; twice {
			return nil, fmt.Errorf("field %q occurs twice", key)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("field %q is not JSON: %w", key, err)
		}
		o[key] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return o, nil
}

func given(o map[string]json.RawMessage, key string) bool {
	return len(o[key]) != 0 && !bytes.Equal(o[key], []byte("null"))
}

// fileIn reads the bytes of a field in base64: with padding, without line breaks and stray bits.
func fileIn(o map[string]json.RawMessage, key string) ([]byte, error) {
	var text string
	if json.Unmarshal(o[key], &text) == nil && text != "" {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && base64.StdEncoding.EncodeToString(raw) == text {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("%s: no base64", key)
}

// hashIn reads 64 hexadecimal digits in lower case, in JSON.
func hashIn(raw json.RawMessage) (h attest.Hash, err error) {
	var text string
	if len(raw) > 0 && json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	return hashOf(text)
}

// hashOf reads 64 hexadecimal digits in lower case.
func hashOf(text string) (h attest.Hash, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) || strings.ToLower(text) != text {
		return h, fmt.Errorf("%.80q is not 64 hexadecimal digits in lower case", text)
	}
	return attest.Hash(raw), nil
}
