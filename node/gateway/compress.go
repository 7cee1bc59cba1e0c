package gateway

import (
	"compress/gzip"
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// compressLeast is the smallest answer that is compressed. A bundle of one subject stays as it is: most of it is hashes and signatures, and it is
// asked for by those who want it in a millisecond.
const compressLeast = 8 << 10

// compressed lets large answers travel compressed to whoever says that it takes gzip: pages of lists, blocks for auditors, bundles of many subjects,
// whose standings are alike. Packs are hashes and would stay as large. No answer holds a secret beside what its asker chose, so its size tells
// nothing more.
func compressed(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressLeast), gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.ContentTypes([]string{jsonType, attest.MediaType, "text/html", "text/plain"}))
	if err != nil {
		panic("gateway: " + err.Error()) // bug: the settings above
	}
	return wrap(h)
}
