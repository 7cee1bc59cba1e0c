package audit_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"

	"github.com/xinlian-ledger/xinlian/node/audit"
)

// engineRPC answers as the engine's RPC would for a chain, with its genesis in two parts.
func engineRPC(t *testing.T, s *chain) *httptest.Server {
	t.Helper()
	doc, err := cmtjson.Marshal(s.c.GenesisDoc())
	if err != nil {
		t.Fatal(err)
	}
	answer := func(q rpctypes.RPCRequest) any {
		var p struct {
			Height int64 `json:"height,string"`
			Chunk  uint  `json:"chunk,string"`
		}
		_ = json.Unmarshal(q.Params, &p) // a method without parameters
		switch q.Method {
		case "status":
			_, last, _ := s.Range(t.Context())
			return &ctypes.ResultStatus{SyncInfo: ctypes.SyncInfo{LatestBlockHeight: last}}
		case "genesis_chunked":
			part := [][]byte{doc[:len(doc)/2], doc[len(doc)/2:]}[p.Chunk]
			return &ctypes.ResultGenesisChunk{ChunkNumber: int(p.Chunk), TotalChunks: 2, Data: base64.StdEncoding.EncodeToString(part)}
		case "block":
			b, _, err := s.Block(t.Context(), p.Height)
			if err != nil {
				return nil
			}
			return &ctypes.ResultBlock{Block: b}
		case "commit":
			c, _ := s.Commit(t.Context(), p.Height)
			b, _, _ := s.Block(t.Context(), p.Height)
			return ctypes.NewResultCommit(&b.Header, c, true)
		}
		return nil
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q rpctypes.RPCRequest
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a := rpctypes.RPCMethodNotFoundError(q.ID)
		if v := answer(q); v != nil {
			a = rpctypes.NewRPCSuccessResponse(q.ID, v)
		}
		_ = json.NewEncoder(w).Encode(a)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestReplayOverRPC(t *testing.T) {
	c := story(t)
	srv := engineRPC(t, &chain{c: c})
	src, err := audit.OpenRPC(t.Context(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	rep, err := audit.Replay(t.Context(), src, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Agrees || rep.Blocks != int64(len(c.Blocks)) {
		t.Fatalf("the chain agrees over %d blocks; the report says %+v", len(c.Blocks), rep)
	}
	if _, _, err := src.Block(t.Context(), int64(len(c.Blocks))+1); err == nil {
		t.Fatal("a block that is not there was read")
	}
}

func TestRPCAddress(t *testing.T) {
	for _, a := range []string{"", "127.0.0.1:26657", "tcp://127.0.0.1:26657", "http://"} {
		if _, err := audit.OpenRPC(t.Context(), a); !errors.Is(err, audit.ErrAddress) {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func TestReplayAsksForNoMoreThanThereIs(t *testing.T) {
	c := story(t)
	_, err := audit.Replay(t.Context(), &chain{c: c}, audit.Options{To: int64(len(c.Blocks)) + 1})
	if err == nil || !strings.Contains(err.Error(), "ends at height") {
		t.Fatalf("a replay beyond the newest block: %v", err)
	}
}

// TestRPCSaysWhatItIs: an address where nobody listens, one that is no RPC, and an RPC that refuses are told apart, in words of our own.
func TestRPCSaysWhatItIs(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }))
	defer page.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q rpctypes.RPCRequest
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(rpctypes.RPCInternalError(q.ID, errors.New("height 1 is not available")))
	}))
	defer refusing.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "{")
	}))
	defer cut.Close()
	for url, want := range map[string]string{
		cut.URL:      "does not answer: ",
		closed.URL:   "does not answer: dial tcp",
		page.URL:     "is not the RPC of a node's engine",
		refusing.URL: "refuses: height 1 is not available",
	} {
		_, err := audit.OpenRPC(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Post") {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
