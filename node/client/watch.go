package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// Watches lists what the member watches (组合监测).
func (c *Client) Watches(ctx context.Context) (json.RawMessage, error) {
	return c.raw(ctx, "/v1/watches", true)
}

// Watch lists the firms of a watch after one, a page at a time.
func (c *Client) Watch(ctx context.Context, id, after string, limit int) (json.RawMessage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		q.Set("after", after)
	}
	return c.raw(ctx, watchPath(id)+"?"+q.Encode(), true)
}

func watchPath(id string) string { return "/v1/watches/" + url.PathEscape(id) }

// WatchAdd puts firms into a watch, and makes it where there is none. Every call may be sent again.
func (c *Client) WatchAdd(ctx context.Context, id string, subjects []string) (out json.RawMessage, err error) {
	for part := range slices.Chunk(subjects, pb.BundleEntriesMax) {
		if out, err = c.post(ctx, "/v1/watches", map[string]any{"id": id, "subjects": part}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// WatchRemove takes firms out of a watch.
func (c *Client) WatchRemove(ctx context.Context, id string, subjects []string) (out json.RawMessage, err error) {
	for part := range slices.Chunk(subjects, pb.BundleEntriesMax) {
		if out, err = c.post(ctx, watchPath(id)+"/remove", map[string]any{"subjects": part}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// WatchDrop deletes a watch.
func (c *Client) WatchDrop(ctx context.Context, id string) error {
	_, err := c.ask(ctx, request{method: http.MethodDelete, path: watchPath(id), auth: true})
	return err
}

// WatchChanged gives one bundle, UNVERIFIED, of the firms whose standing differs from the one that was last acknowledged; nil: there is none.
func (c *Client) WatchChanged(ctx context.Context, id string, limit int) ([]byte, error) {
	a, err := c.ask(ctx, request{
		method: http.MethodGet, path: watchPath(id) + "/changed?limit=" + strconv.Itoa(limit), accept: attest.MediaType, auth: true, long: true,
	})
	if err != nil || a.status == http.StatusNoContent {
		return nil, err
	}
	return a.body, nil
}

// WatchAck acknowledges the standings that a verified bundle shows.
func (c *Client) WatchAck(ctx context.Context, id string, entries []pb.Entry) error {
	type seen struct {
		Subject string `json:"subject"`
		Digest  string `json:"digest"`
	}
	for part := range slices.Chunk(entries, pb.BundleEntriesMax) {
		var list []seen
		for i := range part {
			d := sha256.Sum256(part[i].Standing)
			list = append(list, seen{part[i].Subject, hex.EncodeToString(d[:])})
		}
		if _, err := c.post(ctx, watchPath(id)+"/ack", map[string]any{"seen": list}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) post(ctx context.Context, path string, in any) (json.RawMessage, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	a, err := c.ask(ctx, request{method: http.MethodPost, path: path, body: body, contentType: "application/json", auth: true})
	if err != nil {
		return nil, err
	}
	return a.body, nil
}
