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
)

// wire is one sender's connection to a node's JSON-RPC. The engine's own client takes as much processor time for a call as the node does, from the
// very processors that are measured: this one writes the call and reads the answer in the sender's goroutine.
type wire struct {
	host string
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	used time.Time
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
	now := time.Now()
	if w.conn != nil && now.Sub(w.used) > idleMost {
		w.close()
	}
	if w.conn == nil {
		if w.conn, err = net.DialTimeout("tcp", w.host, 5*time.Second); err != nil {
			return 0, "", err
		}
		w.in = bufio.NewReader(w.conn)
	}
	w.used = now
	if err := w.conn.SetDeadline(now.Add(answerWithin)); err != nil {
		return 0, "", err
	}
	const head, tail = `{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{"tx":"`, `"}}`
	w.out = fmt.Appendf(w.out[:0], "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		w.host, len(head)+base64.StdEncoding.EncodedLen(len(tx))+len(tail), head)
	w.out = append(base64.StdEncoding.AppendEncode(w.out, tx), tail...)
	if _, err := w.conn.Write(w.out); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return 0, "", err
	}
	if resp.Close {
		w.close()
	}
	if bytes.Contains(body, []byte(`"code":0,`)) && !bytes.Contains(body, []byte(`"error"`)) {
		return 0, "", nil // nearly all: not worth decoding
	}
	var a checked
	switch err := json.Unmarshal(body, &a); {
	case err != nil:
		return 0, "", fmt.Errorf("HTTP %d: %w", resp.StatusCode, err)
	case a.Error != nil && strings.Contains(a.Error.Data, "mempool is full"):
		return 0, "", ErrBusy
	case a.Error != nil:
		return 0, "", fmt.Errorf("%s: %s", a.Error.Message, a.Error.Data)
	case a.Result == nil:
		return 0, "", fmt.Errorf("HTTP %d without a result", resp.StatusCode)
	}
	return a.Result.Code, a.Result.Log, nil
}
