package keys

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Address is the 20 bytes by which the chain knows a key: the last bytes of the Keccak-256 of the public key.
type Address [pb.AddressBytes]byte

// String gives the address as people and headers write it: 0x and lower-case hexadecimal digits.
func (a Address) String() string { return "0x" + hex.EncodeToString(a[:]) }

// ParseAddress reads an address with or without 0x, in any case of letters.
func ParseAddress(s string) (Address, error) {
	var a Address
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X"))
	if err != nil || len(raw) != len(a) {
		return a, fmt.Errorf("%q is not an address: 0x and 40 hexadecimal digits are expected", s)
	}
	copy(a[:], raw)
	return a, nil
}

// Key is an opened key. It is safe for concurrent use: nothing in it changes.
type Key struct {
	name    string
	secret  *ecdsa.PrivateKey
	address Address
}

// Generate makes a new key from the system's random source.
func Generate(name string) (*Key, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	secret, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return newKey(name, secret), nil
}

// FromSecret takes a 32-byte secret that was made elsewhere.
func FromSecret(name string, secret []byte) (*Key, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	k, err := crypto.ToECDSA(secret)
	if err != nil {
		// The library's own text may quote the secret's length or value; neither belongs on a terminal.
		return nil, errors.New("not a secp256k1 secret: 32 bytes between 1 and the order of the curve are expected")
	}
	return newKey(name, k), nil
}

func newKey(name string, secret *ecdsa.PrivateKey) *Key {
	return &Key{name: name, secret: secret, address: Address(crypto.PubkeyToAddress(secret.PublicKey))}
}

// Name is the file's name without .json.
func (k *Key) Name() string { return k.name }

// Address is the key's address.
func (k *Key) Address() Address { return k.address }

// Secret gives the 32 bytes of the secret, for an export that the caller was asked for.
func (k *Key) Secret() []byte { return crypto.FromECDSA(k.secret) }

// Sign signs a digest: 65 bytes r‖s‖v with low s and v in {0,1}. The same digest always gives the same signature.
func (k *Key) Sign(digest [32]byte) ([]byte, error) {
	sig, err := crypto.Sign(digest[:], k.secret)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return sig, nil
}

// Nonce draws a random one. Two transactions with equal content need different nonces; nothing asks for an order.
func Nonce() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw a nonce: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

// SignTx builds and signs one transaction; id is what the chain and its gateways call it. expiresAt is block time in unix seconds.
func (k *Key) SignTx(chainID string, msgs []pb.Msg, expiresAt int64, nonce uint64) (raw []byte, id [32]byte, err error) {
	if len(msgs) == 0 || len(msgs) > pb.MessagesMax {
		return nil, id, fmt.Errorf("a transaction holds 1 to %d messages, not %d", pb.MessagesMax, len(msgs))
	}
	body := pb.Encode(&pb.Body{
		ChainId:   chainID,
		Signer:    k.address[:],
		Suite:     pb.SuiteSecp256k1,
		ExpiresAt: expiresAt,
		Nonce:     nonce,
		Messages:  msgs,
	})
	id = pb.SignBytes(chainID, body)
	sig, err := k.Sign(id)
	if err != nil {
		return nil, id, err
	}
	raw = pb.Encode(&pb.Tx{Body: body, Signature: sig})
	if len(raw) > pb.TxBytesMax {
		return nil, id, fmt.Errorf("the transaction has %d bytes, more than %d: put fewer messages into it", len(raw), pb.TxBytesMax)
	}
	return raw, id, nil
}

// AuthHeader is the value of the Authorization header with which a gateway hears a request as a member's. requestURI is path and
// query as sent. A gateway takes each header once, so ask for a new one for each request: it has a nonce of its own.
func (k *Key) AuthHeader(method, requestURI string, body []byte, now time.Time, chainID string) (string, error) {
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return "", fmt.Errorf("draw a nonce: %w", err)
	}
	when := fmt.Sprintf("%d:%x", now.Unix(), nonce)
	sig, err := k.Sign(pb.HTTPDigest(method, requestURI, sha256.Sum256(body), when, chainID))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Xinlian %s:%s:%x", k.address, when, sig), nil
}
