package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/gateway"
)

// wire is one sender's connection to a node: to its gateway, or to the engine's JSON-RPC where there is no gateway. A client of a library takes as much
// processor time for a call as the node does, from the very processors that are measured: this one writes the call and reads the answer in the
// sender's goroutine.
type wire struct {
	host    string
	gateway bool
	conn    net.Conn
	in      *bufio.Reader
	out     []byte
	used    time.Time
}

// answerWithin bounds how long a node may take for the answer to one transaction.
const answerWithin = time.Minute

// idleMost is below the ten seconds after which the engine closes a connection that nobody uses: a call on its way then would be lost.
const idleMost = 5 * time.Second

func (w *wire) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// checked is what the engine answers to broadcast_tx_sync.
type checked struct {
	Result *struct {
		Code uint32 `json:"code"`
		Log  string `json:"log"`
	} `json:"result"`
	Error *struct {
		Message string `json:"message"`
		Data    string `json:"data"`
	} `json:"error"`
}

// refusal is what the gateway answers to what it does not take.
type refusal struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// broadcast sends a transaction and waits until the node has checked it. An error that is ErrBusy says that the mempool is full.
func (w *wire) broadcast(ctx context.Context, tx []byte) (code uint32, log string, err error) {
	if err := ctx.Err(); err != nil {
		return 0, "", err
	}
	defer func() {
		if err != nil && !errors.Is(err, ErrBusy) {
			w.close()
		}
	}()
	if w.gateway {
		return 0, "", w.submit(tx)
	}
	const head, tail = `{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{"tx":"`, `"}}`
	w.request("/", "application/json", len(head)+base64.StdEncoding.EncodedLen(len(tx))+len(tail))
	w.out = append(base64.StdEncoding.AppendEncode(append(w.out, head...), tx), tail...)
	status, body, err := w.exchange()
	if err != nil {
		return 0, "", err
	}
	if bytes.Contains(body, []byte(`"code":0,`)) && !bytes.Contains(body, []byte(`"error"`)) {
		return 0, "", nil // nearly all: not worth decoding
	}
	var a checked
	switch err := json.Unmarshal(body, &a); {
	case err != nil:
		return 0, "", fmt.Errorf("HTTP %d: %w", status, err)
	case a.Error != nil && strings.Contains(a.Error.Data, "mempool is full"):
		return 0, "", ErrBusy
	case a.Error != nil:
		return 0, "", fmt.Errorf("%s: %s", a.Error.Message, a.Error.Data)
	case a.Result == nil:
		return 0, "", fmt.Errorf("HTTP %d without a result", status)
	}
	return a.Result.Code, a.Result.Log, nil
}

// submit sends a transaction to the gateway.
func (w *wire) submit(tx []byte) error {
	w.request("/v1/txs?wait=check", "application/octet-stream", len(tx))
	w.out = append(w.out, tx...)
	status, body, err := w.exchange()
	if err != nil || status == http.StatusAccepted {
		return err
	}
	var r refusal
	if err := json.Unmarshal(body, &r); err != nil {
		return fmt.Errorf("HTTP %d: %w", status, err)
	}
	switch r.Code {
	case gateway.ErrPool.Code, gateway.ErrBusy.Code, app.ErrShare.Code:
		return ErrBusy
	}
	return fmt.Errorf("HTTP %d, %s: %s", status, r.Code, r.Detail)
}

// request begins a call.
func (w *wire) request(path, content string, length int) {
	w.out = fmt.Appendf(w.out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, w.host, content, length)
}

// exchange sends the call and reads the answer.
func (w *wire) exchange() (status int, body []byte, err error) {
	now := time.Now()
	if w.conn != nil && now.Sub(w.used) > idleMost {
		w.close()
	}
	if w.conn == nil {
		if w.conn, err = net.DialTimeout("tcp", w.host, 5*time.Second); err != nil {
			return 0, nil, err
		}
		w.in = bufio.NewReader(w.conn)
	}
	w.used = now
	if err := w.conn.SetDeadline(now.Add(answerWithin)); err != nil {
		return 0, nil, err
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return 0, nil, err
	}
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return 0, nil, err
	}
	if resp.Close {
		w.close()
	}
	return resp.StatusCode, body, nil
}
