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
}

// DETERMINISM: which of them serves a call changes nothing in what it computes.
var keyedMACs sync.Pool

// MAC appends to b the HMAC-SHA-256 of parts, one after the other, under the chain's secret. Nearly all calls are under one secret.
func MAC(b, secret []byte, parts ...[]byte) []byte {
	k, _ := keyedMACs.Get().(*keyed)
	if k == nil || !bytes.Equal(k.secret, secret) {
		k = &keyed{bytes.Clone(secret), hmac.New(sha256.New, secret)}
	}
	defer keyedMACs.Put(k)
	k.mac.Reset()
	for _, p := range parts {
		k.mac.Write(p)
	}
	return k.mac.Sum(b)
}
