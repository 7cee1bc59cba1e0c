package pb_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// seeds gives the byte strings of the vectors.
func seeds(f *testing.F) (out [][]byte) {
	for _, name := range []string{"transactions.json", "refused.json", "results.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
		if err != nil {
			f.Fatal(err)
		}
		var file struct{ Vectors []map[string]any }
		if err := json.Unmarshal(raw, &file); err != nil {
			f.Fatal(err)
		}
		for _, v := range file.Vectors {
			for _, key := range []string{"tx", "body", "bytes", "good", "data"} {
				if s, ok := v[key].(string); ok {
					b, err := hex.DecodeString(s)
					if err != nil {
						f.Fatal(err)
					}
					out = append(out, b)
				}
			}
		}
	}
	return out
}

// FuzzDecodeTx: what is accepted is within its limits and has one encoding; nothing panics.
func FuzzDecodeTx(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, body, err := pb.DecodeTx(raw)
		if err != nil {
			return
		}
		if len(raw) > pb.TxBytesMax || len(tx.Signature) != pb.SignatureBytes || len(body.Signer) != pb.AddressBytes ||
			len(body.ChainId) == 0 || len(body.ChainId) > pb.ChainIDMax || len(body.Messages) == 0 || len(body.Messages) > pb.MessagesMax {
			t.Fatalf("outside its limits: %v", body)
		}
		if !bytes.Equal(pb.Encode(tx), raw) || !bytes.Equal(pb.Encode(body), tx.Body) {
			t.Fatal("accepted, and encodes to other bytes")
		}
		for i := range body.Messages {
			if body.Messages[i].Sum == nil {
				t.Fatal("an empty message was accepted")
			}
		}
	})
}

type stored interface {
	Marshal() ([]byte, error)
	MarshalToSizedBuffer([]byte) (int, error)
	Unmarshal([]byte) error
	Reset()
	Size() int
}

// kinds are the messages that are stored, proven or exchanged.
var kinds = []func() stored{
	func() stored { return new(pb.Subject) },
	func() stored { return new(pb.FileHead) },
	func() stored { return new(pb.FileEntry) },
	func() stored { return new(pb.LogHead) },
	func() stored { return new(pb.SeenBucket) },
	func() stored { return new(pb.Alarm) },
	func() stored { return new(pb.Commitment) },
	func() stored { return new(pb.PromiseBar) },
	func() stored { return new(pb.Dishonesty) },
	func() stored { return new(pb.Repair) },
	func() stored { return new(pb.RepairBar) },
	func() stored { return new(pb.Member) },
	func() stored { return new(pb.Mandate) },
	func() stored { return new(pb.Proposal) },
	func() stored { return new(pb.GovernanceState) },
	func() stored { return new(pb.Param) },
	func() stored { return new(pb.SeverityRule) },
	func() stored { return new(pb.CommitmentTemplate) },
	func() stored { return new(pb.CalendarYear) },
	func() stored { return new(pb.Region) },
	func() stored { return new(pb.CatalogVersion) },
	func() stored { return new(pb.ChainInfo) },
	func() stored { return new(pb.BlockInfo) },
	func() stored { return new(pb.TxOutcome) },
	func() stored { return new(pb.TxResult) },
	func() stored { return new(pb.Standing) },
	func() stored { return new(pb.RestrictedSection) },
	func() stored { return new(pb.Bundle) },
	func() stored { return new(pb.Body) },
}

// FuzzStored: bytes that decode strictly encode to themselves; bytes that decode at all have one encoding, which decodes strictly.
func FuzzStored(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(byte(i), s)
		f.Add(byte(len(kinds)-1), s)
	}
	for i := range kinds {
		f.Add(byte(i), []byte{0x0a, 0x00})
		f.Add(byte(i), []byte{0x12, 0x02, 0x0a, 0x00, 0x18, 0x01})
	}
	f.Fuzz(func(t *testing.T, kind byte, raw []byte) {
		m := kinds[int(kind)%len(kinds)]()
		if pb.Decode(raw, m) == nil {
			if !bytes.Equal(pb.Encode(m), raw) || m.Size() != len(raw) {
				t.Fatalf("%T: accepted, and encodes to other bytes", m)
			}
			return
		}
		m.Reset()
		if m.Unmarshal(raw) != nil {
			return
		}
		one := pb.Encode(m)
		if err := pb.Decode(one, m); err != nil {
			t.Fatalf("%T: the encoding of what decodes is refused: %v", m, err)
		}
		if !bytes.Equal(pb.Encode(m), one) {
			t.Fatalf("%T has two encodings", m)
		}
	})
}
