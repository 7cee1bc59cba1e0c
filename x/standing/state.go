package standing

import (
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Standings, by code: uscc → canonical bytes of pb.Standing.
var standings = x.Declare(x.TableInfo{Prefix: 0x80, Layout: "standing uscc[18]", Binding: x.Own, LeafOf: x.LeafOf{Key: leafKey, Value: leafValue}})

// Domains separate these digests from every other.
const (
	leafDomain       = "xinlian/standing/v1"
	restrictedDomain = "xinlian/restricted/v1"
	classDomain      = "xinlian/class/v1"
)

// Get reads the standing of a subject.
func Get(r x.Reader, uscc string) (raw []byte, ok bool) {
	return r.Get(x.Key(standings.Prefix, []byte(uscc)))
}

// RawFrom visits the standings from a subject on, by code, until fn returns false.
func RawFrom(r x.Reader, from string, fn func(uscc string, raw []byte) (more bool)) {
	r.Iterate(x.Key(standings.Prefix), x.Key(standings.Prefix, []byte(from)), func(key, raw []byte) bool { return fn(Subject(key), raw) })
}

// Prefix is the first byte of the keys of standings.
func Prefix() byte { return standings.Prefix }

// Subject is whose standing a row of this key is.
func Subject(key []byte) string { return string(key[1:]) }

// LeafKey is the tree key of a subject's standing.
func LeafKey(uscc string) []byte { return append([]byte{'S'}, uscc...) }

// Salt is HMAC(K, USCC ‖ SHA-256(standing)): the same standing has the same salt whenever it stands, and nobody without K can test a guess.
func Salt(secret []byte, uscc string, standing []byte) []byte {
	sum := sha256.Sum256(standing)
	return x.MAC(nil, secret, []byte(uscc), sum[:])
}

// LeafValue is the value of a standing's leaf: SHA-256(domain ‖ salt ‖ standing).
func LeafValue(salt, standing []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(leafDomain))
	h.Write(salt)
	h.Write(standing)
	return [32]byte(h.Sum(nil))
}

func leafKey(_, key []byte) []byte { return LeafKey(string(key[1:])) }

func leafValue(secret, key, row []byte) [32]byte {
	v := LeafValue(Salt(secret, string(key[1:]), row), row)
	return sha256.Sum256(v[:])
}

// restrictedClasses is how many classes the restricted section has.
const restrictedClasses = int(pb.DATA_COMMITMENTS)

// ClassSalt is derived as Salt is, in a domain of its own, for each class of the restricted section: an opened class helps nobody to guess a closed one.
func ClassSalt(secret []byte, uscc string, class pb.DataClass, content []byte) []byte {
	sum := sha256.Sum256(content)
	return x.MAC(nil, secret, []byte(classDomain), []byte(uscc), []byte{byte(class)}, sum[:])
}

// ClassDigest is what the restricted section carries of a class.
func ClassDigest(class pb.DataClass, salt, content []byte) []byte {
	h := sha256.New()
	h.Write([]byte(classDomain))
	h.Write([]byte{byte(class)})
	h.Write(salt)
	h.Write(content)
	return h.Sum(nil)
}

// RestrictedSalt is derived as Salt is, in a domain of its own.
func RestrictedSalt(secret []byte, uscc string, section []byte) []byte {
	sum := sha256.Sum256(section)
	return x.MAC(nil, secret, []byte(restrictedDomain), []byte(uscc), sum[:])
}

// RestrictedDigest is what the standing carries of the restricted section.
func RestrictedDigest(salt, section []byte) []byte {
	h := sha256.New()
	h.Write([]byte(restrictedDomain))
	h.Write(salt)
	h.Write(section)
	return h.Sum(nil)
}
