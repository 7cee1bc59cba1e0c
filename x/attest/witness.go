package attest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Witnesses (见证方) are third parties that see the headers of the chain and cosign one a height. They bound when a header existed: whoever comes
// into the keys of validators of long ago cannot have an old date witnessed. The zero value asks for none.
type Witnesses struct {
	// Required is how many of Keys must have cosigned the header; 0 = none need have, but a cosignature that is wrong is refused.
	Required int
	// Within bounds how long after the time of the header a cosignature may have been made to count, in whole seconds; 0 = any time after.
	Within time.Duration
	Keys   []Witness
}

// Witness is a key that cosigns, under the name by which its signature lines are found.
type Witness struct {
	Name   string
	PubKey []byte // ed25519, by RFC 8032
}

const (
	witnessesMax  = 64
	witnessName   = 128
	noteBytesMax  = 64 << 10
	noteLinesMax  = 64
	noteMark      = "— "
	noteKeyID     = 4
	cosignature   = "cosignature/v1\n"
	cosignBytes   = noteKeyID + 8 + sigBytes
	checkpointOf  = "xinlian.header/v1/"
	secondsBefore = int64(HeaderAheadMax / time.Second)
)

// Checkpoint (检查点) is the text that a witness cosigns for a header: the form of a C2SP tlog-checkpoint, with the height as its size and the header
// hash as its root hash. No chain of hashes leads from one to the next, so a witness that cosigns it must itself be one that verifies headers.
func Checkpoint(chainID string, height int64, headerHash Hash) ([]byte, error) {
	if !printable(chainID) {
		return nil, errors.New("a chain id with blanks, a plus or characters that are not ASCII cannot stand in a checkpoint")
	}
	return fmt.Appendf(nil, "%s%s\n%d\n%s\n", checkpointOf, chainID, height, base64.StdEncoding.EncodeToString(headerHash[:])), nil
}

// printable holds for what may stand in a name of a signed note.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '+' {
			return false
		}
	}
	return s != ""
}

// Cosign gives the signature line of a witness under a checkpoint: cosignature/v1 of C2SP tlog-cosignature. It is for witnesses and tests.
func Cosign(checkpoint []byte, name string, key ed25519.PrivateKey, at time.Time) []byte {
	w := Witness{name, key.Public().(ed25519.PublicKey)}
	sig := binary.BigEndian.AppendUint64(w.keyID(), uint64(at.Unix()))
	sig = append(sig, ed25519.Sign(key, cosigned(checkpoint, uint64(at.Unix())))...)
	return []byte(noteMark + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n")
}

func cosigned(checkpoint []byte, at uint64) []byte {
	return append(fmt.Appendf(nil, "%stime %d\n", cosignature, at), checkpoint...)
}

func (w *Witness) keyID() []byte {
	h := sha256.Sum256(append([]byte(w.Name+"\n\x04"), w.PubKey...))
	return h[:noteKeyID:noteKeyID]
}

func (w *Witnesses) check(chainID string) error {
	switch {
	case len(w.Keys) == 0 && w.Required == 0 && w.Within == 0:
		return nil
	case len(w.Keys) == 0 || len(w.Keys) > witnessesMax:
		return fmt.Errorf("witnesses: 1 to %d keys are needed", witnessesMax)
	case w.Required < 0 || w.Required > len(w.Keys):
		return fmt.Errorf("witnesses: %d are required, %d have keys", w.Required, len(w.Keys))
	case w.Within < 0 || w.Within%time.Second != 0:
		return errors.New("witnesses: within_seconds is negative")
	case !printable(chainID):
		return errors.New("witnesses: the chain id cannot stand in a checkpoint")
	}
	for i := range w.Keys {
		k := &w.Keys[i]
		if !printable(k.Name) || len(k.Name) > witnessName {
			return fmt.Errorf("witness %d: name has 1 to %d characters of ASCII without blanks and plus", i, witnessName)
		}
		if len(k.PubKey) != keyBytes {
			return fmt.Errorf("witness %d: pub_key is not an ed25519 key of 32 bytes", i)
		}
		for j := range i {
			if w.Keys[j].Name == k.Name || bytes.Equal(w.Keys[j].PubKey, k.PubKey) {
				return fmt.Errorf("witness %d: its name or its key is listed twice", i)
			}
		}
	}
	return nil
}

// checkNote is the part of step 11 that concerns the witness file. It gives the names of the witnesses that count. A line that is not of a key of the
// trust file says nothing, as in every signed note; one that is must be right.
func (v *Verifier) checkNote(note []byte, blk *block, now time.Time) ([]string, *Error) {
	bad := func(format string, args ...any) *Error {
		return invalid(11, CodeWitnessForm, "witness file: "+format, args...)
	}
	if len(note) > noteBytesMax {
		return nil, bad("%d bytes, more than %d", len(note), noteBytesMax)
	}
	body, lines, ok := strings.Cut(string(note), "\n\n")
	body += "\n"
	rows := strings.Split(lines, "\n")
	if !ok || strings.Count(body, "\n") != 3 || rows[len(rows)-1] != "" || len(rows) < 2 || len(rows)-1 > noteLinesMax {
		return nil, bad("it is three lines, an empty line and 1 to %d signature lines, each ended by a line feed", noteLinesMax)
	}
	lineOf := make([]noteLine, len(rows)-1)
	for i, row := range rows[:len(rows)-1] {
		if lineOf[i], ok = parseNoteLine(row); !ok {
			return nil, bad("a signature line is not \"— NAME BASE64\"")
		}
	}
	want, err := Checkpoint(blk.chainID, blk.height, blk.hash)
	if err != nil {
		return nil, bad("%v", err)
	}
	if body != string(want) {
		return nil, invalid(11, CodeWitnessOther, "the witness file is not of the header of height %d", blk.height)
	}
	w := &v.trust.Witnesses
	signed := make([]bool, len(w.Keys))
	var names []string
	for _, l := range lineOf {
		for i := range w.Keys {
			k := &w.Keys[i]
			if k.Name != l.name || !bytes.Equal(k.keyID(), l.sig[:noteKeyID]) {
				continue
			}
			if signed[i] {
				return nil, bad("the witness %s signs twice", l.name)
			}
			signed[i] = true
			counts, err := w.cosigns(k, want, l.sig, blk.time, now)
			if err != nil {
				return nil, err
			}
			if counts {
				names = append(names, l.name)
			}
		}
	}
	return names, nil
}

// noteLine is a signature line: a name, and the key id with what it has signed.
type noteLine struct {
	name string
	sig  []byte
}

func parseNoteLine(row string) (noteLine, bool) {
	rest, marked := strings.CutPrefix(row, noteMark)
	name, text, two := strings.Cut(rest, " ")
	sig, err := base64.StdEncoding.Strict().DecodeString(text)
	return noteLine{name, sig}, marked && two && printable(name) && err == nil && len(sig) > noteKeyID && !strings.ContainsAny(text, "\r")
}

// cosigns judges one cosignature of a witness that the trust file knows.
func (w *Witnesses) cosigns(k *Witness, checkpoint, sig []byte, header, now time.Time) (counts bool, err *Error) {
	if len(sig) != cosignBytes {
		return false, invalid(11, CodeWitnessForm, "witness file: the cosignature of %s has %d bytes instead of %d", k.Name, len(sig), cosignBytes)
	}
	at := binary.BigEndian.Uint64(sig[noteKeyID:])
	switch {
	case at == 0 || at > math.MaxInt64:
		return false, invalid(11, CodeWitnessTime, "the cosignature of %s has no time", k.Name)
	case !ed25519.Verify(k.PubKey, cosigned(checkpoint, at), sig[noteKeyID+8:]):
		return false, invalid(11, CodeWitnessSig, "the cosignature of %s does not verify", k.Name)
	}
	return evidenceTime(int64(at), w.Within, header, now, func(why string) *Error {
		return invalid(11, CodeWitnessTime, "the cosignature of %s %s", k.Name, why)
	})
}

// evidenceTime judges, in whole seconds, the time of a cosignature or time stamp: none is from the future, none was made before its header, and one
// that was made too long afterwards does not count.
func evidenceTime(at int64, within time.Duration, header, now time.Time, bad func(why string) *Error) (counts bool, err *Error) {
	switch h := header.Unix(); {
	case at > now.Unix()+secondsBefore:
		return false, bad("is ahead of the clock")
	case at < h-secondsBefore:
		return false, bad("is older than the header")
	default:
		return within == 0 || at-h <= int64(within/time.Second), nil
	}
}
