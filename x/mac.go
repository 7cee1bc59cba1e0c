package x

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// keyed is an HMAC that has taken in its key: to begin again costs less than to begin.
type keyed struct {
	secret []byte
	mac    hash.Hash
	in     []byte // the parts, joined: what is handed to an interface goes to the heap, and callers have theirs on the stack
}

// DETERMINISM: which of them serves a call changes nothing in what it computes.
var keyedMACs sync.Pool

// MAC appends to b the HMAC-SHA-256 of parts, one after the other, under the chain's secret. Nearly all calls are under one secret.
func MAC(b, secret []byte, parts ...[]byte) []byte {
	k, _ := keyedMACs.Get().(*keyed)
	if k == nil || !bytes.Equal(k.secret, secret) {
		k = &keyed{secret: bytes.Clone(secret), mac: hmac.New(sha256.New, secret)}
	}
	defer keyedMACs.Put(k)
	k.in = k.in[:0]
	for _, p := range parts {
		k.in = append(k.in, p...)
	}
	k.mac.Reset()
	k.mac.Write(k.in)
	return k.mac.Sum(b)
}
