package intake

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// BenchmarkPenalties reads and maps penalties from CSV, 10,000 rows a round.
func BenchmarkPenalties(b *testing.B) {
	raw := tableOf(Penalties).csvBytes()
	head := bytes.IndexByte(raw, '\n') + 1
	all := append(bytes.Clone(raw[:head]), bytes.Repeat(raw[head:], 10_000)...)
	path := write(b, all)
	b.SetBytes(int64(len(all)))
	for b.Loop() {
		r, err := Open(path, Penalties, options())
		if err != nil {
			b.Fatal(err)
		}
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || row.Refusal != nil {
				b.Fatal(err, row.Refusal)
			}
		}
		r.Close()
	}
}
