package pb

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// message is what the generated code gives each message.
type message interface {
	Marshal() ([]byte, error)
	MarshalToSizedBuffer([]byte) (int, error)
	Size() int
	Unmarshal([]byte) error
	Reset()
}

// ErrNotCanonical says that bytes decode, but are not the one encoding of what they decode to: a field unknown to this version,
// a second encoding of a number, a field out of order, a default written out, a list entry left packed or unpacked.
var ErrNotCanonical = errors.New("the encoding is not canonical: unknown, repeated or misordered fields, or a number not in its shortest form")

// Decode reads the one encoding of m. It resets m first: generated code merges into what it is given.
//
// The generated decoder keeps no unknown field, so encoding again and comparing catches all of them together with every
// second encoding of a known one.
func Decode(raw []byte, m message) error {
	m.Reset()
	if err := m.Unmarshal(raw); err != nil {
		return fmt.Errorf("not a message of this form: %w", err)
	}
	if m.Size() != len(raw) {
		return ErrNotCanonical
	}
	again, _ := encodings.Get().(*[]byte)
	if again == nil {
		again = new([]byte)
	}
	defer encodings.Put(again)
	*again = slices.Grow((*again)[:0], len(raw))[:len(raw)]
	switch n, err := m.MarshalToSizedBuffer(*again); {
	case err != nil:
		return fmt.Errorf("not a message of this form: %w", err)
	case n != len(raw) || !bytes.Equal(raw, *again):
		return ErrNotCanonical
	}
	return nil
}

// encodings are buffers for what Decode encodes and throws away: every transaction is encoded twice on its way in, and a block's worth of them was one
// byte in thirty that a replay allocated. DETERMINISM: which of them serves a call changes nothing, each is written whole before it is read.
var encodings sync.Pool

// Encode gives the one encoding of m. The messages of this package cannot fail to encode; a failure is a bug.
func Encode(m message) []byte {
	raw, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("pb: encode %T: %v", m, err))
	}
	if raw == nil {
		raw = []byte{}
	}
	return raw
}

// DecodeTx reads a transaction and its body, both strictly and within their bounds.
func DecodeTx(raw []byte) (*Tx, *Body, error) {
	if len(raw) > TxBytesMax {
		return nil, nil, fmt.Errorf("the transaction has %d bytes, more than %d", len(raw), TxBytesMax)
	}
	tx := new(Tx)
	if err := Decode(raw, tx); err != nil {
		return nil, nil, err
	}
	if len(tx.Signature) != SignatureBytes {
		return nil, nil, fmt.Errorf("the signature has %d bytes instead of %d", len(tx.Signature), SignatureBytes)
	}
	body := new(Body)
	if err := Decode(tx.Body, body); err != nil {
		return nil, nil, fmt.Errorf("body: %w", err)
	}
	switch {
	case body.ChainId == "" || len(body.ChainId) > ChainIDMax:
		return nil, nil, fmt.Errorf("the chain id has %d bytes; 1 to %d are allowed", len(body.ChainId), ChainIDMax)
	case len(body.Signer) != AddressBytes:
		return nil, nil, fmt.Errorf("the signer has %d bytes instead of %d", len(body.Signer), AddressBytes)
	case len(body.Messages) == 0:
		return nil, nil, errors.New("the transaction holds no message")
	case len(body.Messages) > MessagesMax:
		return nil, nil, fmt.Errorf("the transaction holds %d messages, more than %d", len(body.Messages), MessagesMax)
	}
	for i := range body.Messages {
		if body.Messages[i].Sum == nil {
			return nil, nil, fmt.Errorf("message %d is empty or of a kind that this version does not know", i)
		}
	}
	return tx, body, nil
}
