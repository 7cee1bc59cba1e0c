package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/consent"
)

// anchor is the root that the ledger holds of a gateway's receipts of an hour: the row as JSON, or the proof that it stands. A row tells nobody but who holds a
// receipt anything, not even whether there are receipts, so everybody may have both, from any node: a firm need not ask the gateway that it holds the
// receipt against. The path to it shows hashes alone, as that of every bundle does.
func (c *call) anchor() error {
	gateway := c.r.PathValue("gateway")
	if err := x.CheckUSCC(gateway, "the code in the path"); err != nil {
		return badInput(err)
	}
	hour, err := strconv.ParseInt(c.r.PathValue("hour"), 10, 64)
	if err != nil || hour < 0 || strconv.FormatInt(hour, 10) != c.r.PathValue("hour") {
		return refuse(http.StatusBadRequest, ErrQuery.With("an hour is a number from 0 on, in decimal"))
	}
	kind, err := c.accepts(jsonType, attest.AnchorProofMediaType)
	if err != nil {
		return err
	}
	c.w.Header().Add("Vary", "Accept")
	if kind == attest.AnchorProofMediaType {
		raw, err := c.g.anchorProof(gateway, hour)
		if err != nil {
			return err
		}
		c.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%d.xln"`, gateway, hour))
		return c.answer(http.StatusOK, attest.AnchorProofMediaType, raw)
	}
	var v struct {
		Gateway string `json:"gateway"`
		Hour    int64  `json:"hour"`
		Root    string `json:"root"`
		Height  int64  `json:"height"`
		AsOf    asOf   `json:"as_of"`
	}
	err = c.proven(func(r x.Reader, as asOf) error {
		a, ok := consent.AnchorOf(r, gateway, hour)
		if !ok {
			return refuse(http.StatusNotFound, ErrNoAnchor).at(as)
		}
		v.Gateway, v.Hour, v.Root, v.Height, v.AsOf = a.Gateway, a.Hour, hexOf(a.Root), a.Height, as
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// anchorProof makes the proof of an anchor at the newest proven height, and verifies it before anybody sees it.
func (g *Gateway) anchorProof(gateway string, hour int64) ([]byte, error) {
	var p *pb.AnchorProof
	h, err := g.prove(func(height int64) (err error) {
		p, err = g.b.App.ProveAnchor(height, gateway, hour)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, refuse(http.StatusNotFound, ErrNoAnchor).at(h.asOf)
	}
	b := &h.bundle
	p.Header, p.Commit, p.Validators, p.Steps = *b.Header, *b.Commit, *b.Validators, b.Steps
	raw := attest.EncodeAnchorProof(p)
	if len(raw) > pb.BundleBytesMax {
		return nil, refuse(http.StatusUnprocessableEntity, ErrBundleSize.With("the proof would have %d bytes, at most %d are allowed", len(raw), pb.BundleBytesMax))
	}
	if g.checkDue() {
		a, err := h.verifier.OpenAnchorProof(raw, attest.Policy{Now: time.Unix(p.Header.TimeSeconds, int64(p.Header.TimeNanos))})
		if err == nil && a.Height != h.height {
			err = fmt.Errorf("it speaks of height %d, not %d", a.Height, h.height)
		}
		if err != nil {
			g.met.bundlesRefused.Inc()
			g.log.Error("a proof of an anchor made here does not verify and was not handed out", "height", h.height, "err", err)
			return nil, internal(err)
		}
	}
	return raw, nil
}
