package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/xinlian-ledger/xinlian/node/watch"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// Watches (组合监测): a lender names firms, gets the current bundle of those whose standing differs from the one that it last acknowledged, and
// acknowledges it. There is no list of events, no time of a change and no count of them: what came and went in between is not there to be told (INV-03).

// watchView is a watch with how many firms are in it.
type watchView struct {
	ID       string `json:"id"`
	Subjects int    `json:"subjects"`
}

type watchesJSON struct {
	Watches []watchView `json:"watches"`
}

type watchJSON struct {
	ID       string   `json:"id"`
	Subjects []string `json:"subjects"`
	Next     *string  `json:"next"` // to be sent as after; null at the end
}

// decode reads a JSON body. form shows what the route takes.
func (c *call) decode(in any, form string) error {
	dec := json.NewDecoder(bytes.NewReader(c.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		return refuse(http.StatusBadRequest, ErrBody.With("the body is not %s", form))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, ErrBody.With("something follows the JSON object"))
	}
	return nil
}

// checkSubjects bounds a list of codes and holds each to its form.
func checkSubjects(n int, code func(i int) string) error {
	if n == 0 || n > batchMax {
		return refuse(http.StatusUnprocessableEntity, ErrBatch.With("%d subjects; between 1 and %d are taken", n, batchMax))
	}
	for i := range n {
		if err := x.CheckUSCC(code(i), fmt.Sprintf("subject %d of the list", i)); err != nil {
			return badInput(err)
		}
	}
	return nil
}

// watchFault says over HTTP what the store says.
func watchFault(err error) error {
	switch {
	case errors.Is(err, watch.ErrUnknown):
		return refuse(http.StatusNotFound, ErrWatch)
	case errors.Is(err, watch.ErrID):
		return refuse(http.StatusBadRequest, ErrWatchID)
	case errors.Is(err, watch.ErrFull):
		return refuse(http.StatusUnprocessableEntity, ErrWatchFull)
	case errors.Is(err, watch.ErrNotWatched):
		return refuse(http.StatusUnprocessableEntity, ErrNotWatched)
	}
	return internal(err)
}

// watching is for the routes of a gateway that keeps watches.
func watching(handle func(*call) error) func(*call) error {
	return func(c *call) error {
		if c.g.watches == nil {
			return refuse(http.StatusNotFound, ErrRoute)
		}
		if !c.g.owners.enter(c.owner()) {
			c.g.met.busy.Inc()
			return refuse(http.StatusServiceUnavailable, ErrBusy.With("%d requests of this member about its watches are at work already", ownerAtWork))
		}
		defer c.g.owners.leave(c.owner())
		return handle(c)
	}
}

// owners counts the requests about watches, for receipts, or about firms, that are at work for each lender: one must not take the places of all.
type owners struct {
	most   int // of one
	mu     sync.Mutex
	atWork map[string]int // guarded by mu
}

func (o *owners) enter(owner string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.atWork[owner] >= o.most {
		return false
	}
	if o.atWork == nil {
		o.atWork = map[string]int{}
	}
	o.atWork[owner]++
	return true
}

func (o *owners) leave(owner string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.atWork[owner]--; o.atWork[owner] == 0 {
		delete(o.atWork, owner)
	}
}

func (c *call) owner() string { return c.who.member.Uscc }

// watchList lists the watches of the caller.
func (c *call) watchList() error {
	list, err := c.g.watches.List(c.owner())
	if err != nil {
		return watchFault(err)
	}
	v := watchesJSON{Watches: []watchView{}}
	for _, w := range list {
		v.Watches = append(v.Watches, watchView(w))
	}
	return c.json(http.StatusOK, v)
}

// watchAdd puts firms into a watch. Whether they are enrolled makes no difference: that they come to be is a change like another.
func (c *call) watchAdd() error {
	var in struct {
		ID       string   `json:"id"`
		Subjects []string `json:"subjects"`
	}
	if err := c.decode(&in, `{"id":"NAME","subjects":["USCC", …]}`); err != nil {
		return err
	}
	if err := watch.CheckID(in.ID); err != nil {
		return watchFault(err)
	}
	if err := checkSubjects(len(in.Subjects), func(i int) string { return in.Subjects[i] }); err != nil {
		return err
	}
	w, err := c.g.watches.Add(c.owner(), in.ID, in.Subjects)
	if err != nil {
		return watchFault(err)
	}
	return c.json(http.StatusOK, watchView(w))
}

// watchRemove takes firms out of a watch.
func (c *call) watchRemove() error {
	var in struct {
		Subjects []string `json:"subjects"`
	}
	if err := c.decode(&in, `{"subjects":["USCC", …]}`); err != nil {
		return err
	}
	if err := checkSubjects(len(in.Subjects), func(i int) string { return in.Subjects[i] }); err != nil {
		return err
	}
	w, err := c.g.watches.Remove(c.owner(), c.r.PathValue("id"), in.Subjects)
	if err != nil {
		return watchFault(err)
	}
	return c.json(http.StatusOK, watchView(w))
}

// watchShow lists the firms of a watch, a page at a time.
func (c *call) watchShow() error {
	after := c.form.Get("after")
	if after != "" {
		if err := x.CheckUSCC(after, "after"); err != nil {
			return badInput(err)
		}
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	v := watchJSON{ID: c.r.PathValue("id"), Subjects: []string{}}
	err = c.g.watches.Subjects(c.owner(), v.ID, after, func(uscc string, _ *watch.Digest) bool {
		if len(v.Subjects) == limit {
			v.Next = &v.Subjects[limit-1]
			return false
		}
		v.Subjects = append(v.Subjects, uscc)
		return true
	})
	if err != nil {
		return watchFault(err)
	}
	return c.json(http.StatusOK, v)
}

// watchDrop deletes a watch.
func (c *call) watchDrop() error {
	if err := c.g.watches.Drop(c.owner(), c.r.PathValue("id")); err != nil {
		return watchFault(err)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

const (
	changedDefault = 1000
	// changedEntry is what an entry of a bundle takes beside the standing: code, salt, and its part of the path.
	changedEntry = 1200
)

// watchChanged gives one bundle of the firms whose standing differs from the one that was last acknowledged, at the newest proven height, as many as were
// asked for and fit into a bundle. No such firm: 204.
func (c *call) watchChanged() error {
	limit := changedDefault
	if s, ok := c.form["limit"]; ok {
		n, err := strconv.Atoi(s[0])
		if err != nil || n < 1 || n > batchMax {
			return refuse(http.StatusBadRequest, ErrQuery.With("limit is a number from 1 to %d", batchMax))
		}
		limit = n
	}
	if _, err := c.accepts(attest.MediaType); err != nil {
		return err
	}
	h, err := c.g.head()
	if err != nil {
		return err
	}
	var changed []string
	var kept error
	room := pb.BundleManyBytesMax - len(h.block) - 1<<20
	err = c.g.b.App.ReadAt(h.height, func(r x.Reader) error {
		kept = c.g.watches.Subjects(c.owner(), c.r.PathValue("id"), "", func(uscc string, seen *watch.Digest) bool {
			raw, _ := standing.Get(r, uscc)
			if seen != nil && *seen == sha256.Sum256(raw) {
				return true
			}
			if room -= len(raw) + changedEntry; room < 0 && len(changed) > 0 {
				return false
			}
			changed = append(changed, uscc)
			return len(changed) < limit
		})
		return nil
	})
	switch {
	case kept != nil:
		return watchFault(kept)
	case err != nil:
		return err
	case len(changed) == 0:
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	_, _, raw, err := c.g.bundle(changed)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="changed.xla"`)
	return c.answer(http.StatusOK, attest.MediaType, raw)
}

// watchAck notes which standings the caller has seen, each by SHA-256 of its bytes; of none where the firm is not enrolled.
func (c *call) watchAck() error {
	var in struct {
		Seen []struct {
			Subject string `json:"subject"`
			Digest  string `json:"digest"`
		} `json:"seen"`
	}
	if err := c.decode(&in, `{"seen":[{"subject":"USCC","digest":"64 hexadecimal digits"}, …]}`); err != nil {
		return err
	}
	if err := checkSubjects(len(in.Seen), func(i int) string { return in.Seen[i].Subject }); err != nil {
		return err
	}
	seen := make([]watch.Seen, len(in.Seen))
	for i, a := range in.Seen {
		d, err := hex.DecodeString(a.Digest)
		if err != nil || len(d) != len(watch.Digest{}) {
			return refuse(http.StatusBadRequest, ErrBody.With("digest %d is not 64 hexadecimal digits: SHA-256 of the standing", i))
		}
		seen[i] = watch.Seen{Subject: a.Subject, Digest: watch.Digest(d)}
	}
	if err := c.g.watches.Ack(c.owner(), c.r.PathValue("id"), seen); err != nil {
		return watchFault(err)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
