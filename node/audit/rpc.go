package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

const (
	rpcTimeout      = 30 * time.Second
	rpcAnswerMax    = 64 << 20 // bytes of one answer: a block of 4 MiB in JSON with room
	rpcGenesisParts = 64       // of 16 MiB each
)

// ErrAddress says that what should name an RPC is no URL.
var ErrAddress = errors.New("the RPC of a node is a URL such as http://127.0.0.1:26657")

// rpc reads a running node over the engine's own RPC, which only its operator reaches: no key is asked for.
type rpc struct {
	client *rpchttp.HTTP
	url    string
	last   int64
}

// OpenRPC reads a chain from the RPC of a node's engine. The blocks stand until the height that it names now: a replay has an end.
func OpenRPC(ctx context.Context, address string) (Source, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, ErrAddress
	}
	web := &http.Client{Timeout: rpcTimeout, Transport: bounded{http.DefaultTransport}}
	c, err := rpchttp.NewWithClient(address, "/websocket", web)
	if err != nil {
		return nil, err
	}
	r := &rpc{client: c, url: u.Host}
	s, err := c.Status(ctx)
	if err != nil {
		return nil, r.failed(err)
	}
	r.last = s.SyncInfo.LatestBlockHeight
	return r, nil
}

// bounded cuts answers that are longer than any true one; what is cut does not decode.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.next.RoundTrip(r)
	if err == nil {
		a.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(a.Body, rpcAnswerMax), a.Body}
	}
	return a, err
}

func (r *rpc) failed(err error) error {
	var (
		sent    *url.Error
		refused *rpctypes.RPCError
		other   *json.SyntaxError
	)
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("the RPC at %s refuses: %s", r.url, cmp.Or(refused.Data, refused.Message))
	case errors.As(err, &other):
		return fmt.Errorf("what answers at %s is not the RPC of a node's engine", r.url)
	case errors.As(err, &sent):
		err = sent.Err
	}
	return fmt.Errorf("the RPC at %s does not answer: %w", r.url, err) // nor where the answer breaks off, or is given up
}

// Genesis in parts, as the engine hands out one of any size.
func (r *rpc) Genesis(ctx context.Context) (*cmttypes.GenesisDoc, error) {
	var raw bytes.Buffer
	for part, parts := 0, 1; part < parts; part++ {
		a, err := r.client.GenesisChunked(ctx, uint(part))
		if err != nil {
			return nil, r.failed(err)
		}
		if a.TotalChunks < 1 || a.TotalChunks > rpcGenesisParts {
			return nil, fmt.Errorf("the RPC at %s has a genesis of %d parts; at most %d are read", r.url, a.TotalChunks, rpcGenesisParts)
		}
		parts = a.TotalChunks
		data, err := base64.StdEncoding.DecodeString(a.Data)
		if err != nil {
			return nil, errors.New("a part of the genesis is not base64")
		}
		raw.Write(data)
	}
	return cmttypes.GenesisDocFromJSON(raw.Bytes())
}

func (r *rpc) Range(context.Context) (int64, int64, error) { return 1, r.last, nil }

func (r *rpc) Block(ctx context.Context, height int64) (*cmttypes.Block, []byte, error) {
	a, err := r.client.Block(ctx, &height)
	switch {
	case err != nil:
		return nil, nil, r.failed(err)
	case a.Block == nil || a.Block.Height != height:
		return nil, nil, fmt.Errorf("the RPC at %s has no block %d", r.url, height)
	}
	return a.Block, nil, nil
}

func (r *rpc) Commit(ctx context.Context, height int64) (*cmttypes.Commit, error) {
	a, err := r.client.Commit(ctx, &height)
	switch {
	case err != nil:
		return nil, r.failed(err)
	case a.Commit == nil:
		return nil, fmt.Errorf("the RPC at %s has no commit %d", r.url, height)
	}
	return a.Commit, nil
}

// Results: not asked for; the next header's hash decides.
func (r *rpc) Results(context.Context, int64) ([]*abci.ExecTxResult, error) { return nil, nil }

// State: the RPC shows none; the app hash decides.
func (r *rpc) State(context.Context) (*State, error) { return nil, nil }

func (r *rpc) Close() error { return nil }
