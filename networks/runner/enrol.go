package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// enrolBatch is the number of firms a transaction.
const enrolBatch = 250

// Enrol enters the firms of the sample through a gateway, signed by the registry. It may be repeated: a firm that is enrolled
// stays as it is.
func (n *Network) Enrol(ctx context.Context) (int, error) {
	k, registry, err := n.Key("registry")
	if err != nil {
		return 0, err
	}
	firms := sample.Subjects()
	for i := 0; i < len(firms); i += enrolBatch {
		var msgs []pb.Msg
		for _, s := range firms[i:min(i+enrolBatch, len(firms))] {
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{Issuer: registry.USCC, Subject: s.Row}}})
		}
		if err := n.Submit(ctx, k, msgs); err != nil {
			return i, fmt.Errorf("enrol firms: %w", err)
		}
	}
	return len(firms), nil
}

// Key opens a member's key.
func (n *Network) Key(name string) (*keys.Key, Member, error) {
	for _, m := range n.Members {
		if m.Key != name {
			continue
		}
		word, err := keys.ReadPassphrase(n.PassphrasePath())
		if err != nil {
			return nil, m, err
		}
		k, err := keys.Open(n.KeysPath()).Load(name, word)
		return k, m, err
	}
	return nil, Member{}, fmt.Errorf("no member has a key %q", name)
}

// Submit signs messages, hands them to the first node that runs and waits for their block, for as long as a block may take them in.
func (n *Network) Submit(ctx context.Context, k *keys.Key, msgs []pb.Msg) error {
	nonce, err := keys.Nonce()
	if err != nil {
		return err
	}
	expires := time.Now().Add(5 * time.Minute)
	tx, _, err := k.SignTx(n.ChainID, msgs, expires.Unix(), nonce)
	if err != nil {
		return err
	}
	for i := range n.Nodes {
		d := &n.Nodes[i]
		if d.state() != running {
			continue
		}
		for {
			pending, err := d.send(ctx, k, tx, n.ChainID)
			if !pending || time.Now().After(expires) {
				return err
			}
		}
	}
	return fmt.Errorf("no node of the network runs")
}

// send hands a transaction to a node and waits for its block; pending: the node has waited as long as it does for one request, and no block has come.
func (d *Node) send(ctx context.Context, k *keys.Key, tx []byte, chainID string) (pending bool, err error) {
	const path = "/v1/txs?wait=commit"
	auth, err := k.AuthHeader(http.MethodPost, path, tx, time.Now(), chainID)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.API+path, bytes.NewReader(tx))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", auth)
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := (&http.Client{Timeout: 2 * time.Minute}).Do(req)
	if err != nil {
		return false, err
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	resp.Body.Close()
	if err != nil {
		return false, err
	}
	var out struct {
		Code   string `json:"code"`
		Reason string `json:"reason"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return false, fmt.Errorf("%s answers %d and no JSON", d.API, resp.StatusCode)
	}
	if resp.StatusCode != http.StatusOK || out.Code != "OK" {
		return out.Code == "E_TX_PENDING", fmt.Errorf("%s answers %d %s: %s", d.API, resp.StatusCode, out.Code, orElse(out.Reason, out.Detail))
	}
	return false, nil
}
