package gateway

import (
	"bytes"
	"compress/gzip"
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// compressLeast is the smallest answer that is compressed. A bundle of one subject stays as it is: most of it is hashes and signatures, and it is
// asked for by those who want it in a millisecond.
const compressLeast = 8 << 10

// compressor lets large answers travel compressed to whoever says that it takes gzip: pages of lists, blocks for auditors, bundles of many subjects,
// whose standings are alike. Packs are hashes and would stay as large. No answer holds a secret beside what its asker chose, so its size tells
// nothing more.
//
// It is for the memory and not for a connection: a compressor that waits for a slow reader is larger than most answers, and what it holds back nobody would count as being on its way.
func compressor() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressLeast), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false),
		gzhttp.ContentTypes([]string{jsonType, attest.MediaType, "text/html", "text/plain"}))
	if err != nil {
		panic("gateway: " + err.Error()) // bug: the settings above
	}
	return wrap
}

// compress compresses an answer where that is worth it and the asker takes it.
func (c *call) compress(a *answer) {
	if len(a.body) < compressLeast {
		return
	}
	out := &packed{header: http.Header{}}
	c.g.gzip(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeBytes(w, a.status, a.mediaType, a.body) })).ServeHTTP(out, c.r)
	if coding := out.header.Get("Content-Encoding"); coding != "" {
		c.w.Header().Set("Content-Encoding", coding)
		a.body = out.body.Bytes()
	}
}

// packed is a compressed answer in memory; of one that is not compressed it keeps nothing.
type packed struct {
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (p *packed) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *packed) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (p *packed) Write(b []byte) (int, error) {
	if p.header.Get("Content-Encoding") == "" { // it is said before the first byte
		return len(b), nil
	}
	return p.body.Write(b)
}
