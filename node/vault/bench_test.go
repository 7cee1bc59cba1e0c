package vault

import (
	"encoding/binary"
	"path/filepath"
	"testing"
)

// BenchmarkPutAll stores batches of 200 records, as an import does; it waits for the disk.
func BenchmarkPutAll(b *testing.B) {
	v, err := Create(filepath.Join(b.TempDir(), "vault"), passphrase)
	if err != nil {
		b.Fatal(err)
	}
	var n uint64
	for b.Loop() {
		items := make([]Item, 200)
		for i := range items {
			n++
			binary.BigEndian.PutUint64(items[i].Record[:], n*0x9e3779b97f4a7c15)
			items[i].Texts = map[string]string{"cf_sy": "示例违法事实", "cf_yj": "示例依据", "cf_nr": "示例罚款"}
		}
		for _, err := range v.PutAll(items) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
