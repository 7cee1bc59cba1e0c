package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

const jsonType = "application/json"

func (c *call) json(status int, view any) error { return c.answer(status, jsonType, encodeJSON(view)) }

// proven reads the state of the newest proven height: what every public answer is made of.
func (c *call) proven(fn func(r x.Reader, as asOf) error) error {
	h, err := c.g.head()
	if err != nil {
		return err
	}
	return c.g.b.App.ReadAt(h.height, func(r x.Reader) error { return fn(r, h.asOf) })
}

func (c *call) uscc() (string, error) {
	uscc := c.r.PathValue("uscc")
	if err := x.CheckUSCC(uscc, "the code in the path"); err != nil {
		return "", badInput(err)
	}
	return uscc, nil
}

func (c *call) height() (int64, error) {
	s := c.r.PathValue("height")
	h, err := strconv.ParseInt(s, 10, 64)
	if err != nil || h < 1 || strconv.FormatInt(h, 10) != s {
		return 0, refuse(http.StatusBadRequest, ErrHeight.With("a height is a number from 1 on, in decimal"))
	}
	return h, nil
}

// status speaks of the newest committed height, which may be one above the proven one. It holds no records.
func (c *call) status() error {
	s := c.g.b.App.Status()
	v := statusJSON{
		ChainID: s.ChainID, Height: s.Height, AppHash: hexOf(s.AppHash),
		Versions: versionsJSON{Rules: s.AppVersion, Catalog: s.CatalogVersion, Binary: c.g.o.Version},
	}
	if s.Height > 0 {
		at, law := utc(s.BlockTime), legal(s.LegalTime.Unix())
		v.BlockTime, v.LegalTime = &at, &law
		v.ProvenHeight = s.Height - 1
		err := c.g.b.App.Read(func(r x.Reader) error {
			v.CalendarUntil = day(int32(catalog.CalendarUntil(r, calendar.Of(s.LegalTime.Unix()))))
			return nil
		})
		if err != nil {
			return internal(err)
		}
	}
	if c.g.b.CatchingUp != nil {
		v.CatchingUp = c.g.b.CatchingUp()
	}
	return c.json(http.StatusOK, v)
}

func (c *call) header() error {
	height, err := c.height()
	if err != nil {
		return err
	}
	s := c.g.b.App.Status()
	if height > s.Height {
		return refuse(http.StatusNotFound, ErrHeight)
	}
	h := c.g.b.Blocks.Header(height)
	if h == nil {
		return refuse(http.StatusNotFound, ErrNotHeld)
	}
	after := s.AppHash // the header that would say so does not exist yet
	if height < s.Height {
		next, err := c.g.header(height + 1)
		if err != nil {
			return err
		}
		after = next.AppHash
	}
	return c.json(http.StatusOK, headerJSON{
		Height: height, Hash: hexOf(h.Hash()), AppHashAfter: hexOf(after),
		Time: utc(h.Time), LegalTime: legal(c.g.b.App.Chain().LegalTime(h.Time.Unix())),
	})
}

func (c *call) subjects() error {
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
	v := subjectsJSON{Subjects: []string{}}
	err = c.proven(func(r x.Reader, as asOf) error {
		v.AsOf = as
		subject.List(r, after, func(s *pb.Subject) bool {
			if len(v.Subjects) == limit {
				v.Next = &v.Subjects[limit-1]
				return false
			}
			v.Subjects = append(v.Subjects, s.Uscc)
			return true
		})
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

func (c *call) standing() error {
	uscc, err := c.uscc()
	if err != nil {
		return err
	}
	var v standingJSON
	err = c.proven(func(r x.Reader, as asOf) error {
		raw, ok := standing.Get(r, uscc)
		if !ok {
			return refuse(http.StatusNotFound, subject.ErrUnknown.With("the subject is not enrolled; that says nothing about it")).at(as)
		}
		s := new(pb.Standing)
		if err := pb.Decode(raw, s); err != nil {
			return fmt.Errorf("the standing of a subject does not decode: %w", err)
		}
		v = standingJSON{*attest.StandingView(s), as}
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

func (c *call) attestation() error {
	uscc, err := c.uscc()
	if err != nil {
		return err
	}
	return c.writeBundle([]string{uscc}, uscc)
}

// attestations is one bundle for many subjects.
func (c *call) attestations() error {
	var in struct {
		Subjects []string `json:"subjects"`
	}
	dec := json.NewDecoder(bytes.NewReader(c.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return refuse(http.StatusBadRequest, ErrBody.With(`the body is not {"subjects":["USCC", …]}`))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, ErrBody.With("something follows the JSON object"))
	}
	if n := len(in.Subjects); n == 0 || n > batchMax {
		return refuse(http.StatusUnprocessableEntity, ErrBatch.With("%d subjects; between 1 and %d are taken", n, batchMax))
	}
	for i, uscc := range in.Subjects {
		if err := x.CheckUSCC(uscc, fmt.Sprintf("subject %d of the list", i)); err != nil {
			return badInput(err)
		}
	}
	return c.writeBundle(in.Subjects, "attestations")
}

// has says whether the asker has what a tag stands for: If-None-Match names it, among others or as a weak one, or is *, which stands for all (RFC 9110 §13.1.2).
func (c *call) has(tag string) bool {
	for _, line := range c.r.Header["If-None-Match"] {
		for one := range strings.SplitSeq(line, ",") { // no tag of ours holds a comma
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

func (c *call) writeBundle(subjects []string, name string) error {
	kind, err := c.accepts(attest.MediaType, jsonType)
	if err != nil {
		return err
	}
	form := attest.SelfContained
	switch f := attest.Form(c.form.Get("form")); f {
	case "", attest.SelfContained:
	case attest.PinnedSet, attest.HeaderKnown:
		form = f
	default:
		return refuse(http.StatusBadRequest, ErrQuery.With("form is %s, %s or %s", attest.SelfContained, attest.PinnedSet, attest.HeaderKnown))
	}
	c.w.Header().Add("Vary", "Accept")
	if c.r.Method != http.MethodPost {
		// At one height every subject has one bundle: who has it already is told before anything is proven, and whoever it is about.
		h, err := c.g.head()
		if err != nil {
			return err
		}
		if c.has(h.tagOf(form)) {
			c.w.Header().Set("ETag", h.tagOf(form))
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h, b, raw, err := c.g.bundle(subjects)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", h.tagOf(form))
	if form != attest.SelfContained {
		if raw, err = attest.Convert(raw, form); err == nil {
			b, err = attest.DecodeBundle(raw)
		}
		if err != nil {
			return internal(err)
		}
	}
	if kind == jsonType {
		v, err := attest.BundleView(b)
		if err != nil {
			return internal(err)
		}
		return c.json(http.StatusOK, bundleJSON{*v, h.asOf})
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.xla"`)
	return c.answer(http.StatusOK, attest.MediaType, raw)
}

// accepts chooses among the media types of a route, the first one by default. Qualities count; of equal ones the more specific range,
// then the route's order.
func (c *call) accepts(offers ...string) (string, error) {
	header := strings.Join(c.r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return offers[0], nil
	}
	best, bestQ := "", 0.0
	for _, offer := range offers {
		q, rank := 0.0, -1
		for _, part := range strings.Split(header, ",") {
			pattern, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			r := -1
			switch pattern {
			case offer:
				r = 2
			case offer[:strings.IndexByte(offer, '/')] + "/*":
				r = 1
			case "*/*":
				r = 0
			}
			if r <= rank {
				continue
			}
			rank, q = r, 1
			if s, ok := params["q"]; ok {
				if q, err = strconv.ParseFloat(s, 64); err != nil || q < 0 || q > 1 {
					q = 0
				}
			}
		}
		if q > bestQ {
			best, bestQ = offer, q
		}
	}
	if best == "" {
		return "", refuse(http.StatusNotAcceptable, ErrAccept.With("the route speaks %s", strings.Join(offers, " and ")))
	}
	return best, nil
}

// commitment answers about a public commitment. Whether a code is unknown or not public, the answer has the same bytes: neither the code nor
// anything that depends on it stands in it.
func (c *call) commitment() error {
	no := c.r.PathValue("code")
	if err := code.CheckCommitmentCode(no); err != nil {
		return refuse(http.StatusBadRequest, commitment.ErrCode)
	}
	var v *publicCommitmentJSON
	err := c.proven(func(r x.Reader, as asOf) error {
		e := &evenly{Reader: r}
		if row, ok := commitment.Get(e, no); ok {
			v = showPublicCommitment(row)
		}
		if v == nil {
			e.fill([]byte(no))
			return refuse(http.StatusNotFound, commitment.ErrUnknown.With("no public commitment has this code")).at(as)
		}
		v.AsOf = as
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// TrustEnds is the end of a trust file that is made from the chain at a time: the first day of a month, twelve to thirteen months ahead, so that the files of all nodes are the
// same bytes for a month and can be compared.
func TrustEnds(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month()+13, 1, 0, 0, 0, 0, time.UTC)
}

// trust gives the trust file.
func (c *call) trust() error {
	if c.g.b.Trust != nil {
		t, err := c.g.b.Trust()
		if err != nil {
			return internal(err)
		}
		return c.answer(http.StatusOK, jsonType, t.Encode())
	}
	h, err := c.g.head()
	if err != nil {
		return err
	}
	t := *h.trust
	t.NotAfter = TrustEnds(headTime(h))
	if err := t.Check(); err != nil {
		return internal(fmt.Errorf("the trust file of this node: %w", err))
	}
	return c.answer(http.StatusOK, jsonType, t.Encode())
}

func (c *call) healthz() error {
	if err := c.g.b.App.Fault(); err != nil {
		return internal(err)
	}
	return c.json(http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

func (c *call) readyz() error {
	ok, reason := c.g.b.Ready()
	if !ok {
		return refuse(http.StatusServiceUnavailable, ErrNotReady.With("%s", reason))
	}
	return c.json(http.StatusOK, struct {
		Status string `json:"status"`
		Detail string `json:"detail"`
	}{"ready", reason})
}

func (c *call) metrics() error {
	if c.g.b.Metrics == nil {
		return refuse(http.StatusNotFound, ErrRoute)
	}
	c.g.b.Metrics.ServeHTTP(c.w, c.r)
	return nil
}
