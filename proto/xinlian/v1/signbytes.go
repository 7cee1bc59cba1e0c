package pb

import "golang.org/x/crypto/sha3"

// SuiteSecp256k1 is the only suite in force: secp256k1 with Keccak-256. 2 is kept for SM2 with SM3.
const SuiteSecp256k1 = 1

// txDomain separates transaction signatures from everything else that a member key signs.
const txDomain = "xinlian/tx/v1"

// SignBytes is the digest that a member signs: Keccak256(domain ‖ 0x00 ‖ chain id ‖ 0x00 ‖ body). It is the transaction's id as
// well: signatures are not part of it, so a second signature over the same body is the same transaction.
func SignBytes(chainID string, body []byte) [32]byte {
	return keccak([]byte(txDomain), []byte{0}, []byte(chainID), []byte{0}, body)
}

// keyDomain separates the proof that a key is held from everything else that it signs.
const keyDomain = "xinlian/key/v1"

// KeyProof is what a firm's key signs before it is registered: Keccak256(domain ‖ 0x00 ‖ chain id ‖ 0x00 ‖ subject). It says that whoever holds the
// key means it to be this firm's, on this chain.
func KeyProof(chainID, subject string) [32]byte {
	return keccak([]byte(keyDomain), []byte{0}, []byte(chainID), []byte{0}, []byte(subject))
}

// Domains of a firm's own acts.
const (
	grantDomain    = "xinlian/grant/v1"
	withdrawDomain = "xinlian/withdraw/v1"
)

// GrantDigest is what a firm signs to authorise: Keccak256(domain ‖ 0x00 ‖ chain id ‖ 0x00 ‖ encoding of the content).
func GrantDigest(chainID string, c *AuthorisationContent) [32]byte {
	return keccak([]byte(grantDomain), []byte{0}, []byte(chainID), []byte{0}, Encode(c))
}

// WithdrawDigest is what a firm signs to take an authorisation back: Keccak256(domain ‖ 0x00 ‖ chain id ‖ 0x00 ‖ id).
func WithdrawDigest(chainID string, authorisation []byte) [32]byte {
	return keccak([]byte(withdrawDomain), []byte{0}, []byte(chainID), []byte{0}, authorisation)
}

// HTTPDigest is what a member signs to be heard as a member by a gateway:
// Keccak256(method ‖ path ‖ SHA-256(body) ‖ unix time in decimal, or that with ":" and a nonce behind it ‖ chain id). The path is the request target with its query.
func HTTPDigest(method, path string, bodySHA256 [32]byte, when, chainID string) [32]byte {
	return keccak([]byte(method), []byte(path), bodySHA256[:], []byte(when), []byte(chainID))
}

func keccak(parts ...[]byte) (out [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}
