package receipt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/consent"
)

// Anchorer sends the anchors of a gateway to the ledger, each hour of legal time that has ended, one after the other.
type Anchorer struct {
	Journal *Journal
	App     *app.App
	Key     *keys.Key // of role GATEWAY
	Member  string    // whose gateway it is
	Submit  func(ctx context.Context, tx []byte) (code uint32, log string, err error)
	Current func() bool // whether the node's state is the newest that there is; nil: always
	Log     *slog.Logger

	sent   int64 // hour that was sent last
	resend int64 // block time after which it is sent once more
}

const (
	anchorEvery  = 10 * time.Second // how often the clock is looked at
	anchorExpiry = 60               // seconds of block time that a transaction lives
)

// Run sends until the context ends.
func (a *Anchorer) Run(ctx context.Context) {
	tick := time.NewTicker(anchorEvery)
	defer tick.Stop()
	for {
		if err := a.Step(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("the receipts of the last hour are not anchored yet; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Step looks at the ledger and sends what is missing: first the anchor that was sealed and is not there, then that of the newest hour that has ended.
// Hours in which the gateway did not run are covered by the next anchor.
func (a *Anchorer) Step(ctx context.Context) error {
	chain, s := a.App.Chain(), a.App.Status()
	if chain == nil || s.Height == 0 {
		return nil
	}
	if a.Current != nil && !a.Current() {
		return nil // the ledger may hold anchors that this node does not know yet
	}
	sealed, err := a.Journal.LastHour()
	if err != nil {
		return err
	}
	var onChain *pb.ReceiptAnchor
	if err := a.App.Read(func(r x.Reader) error { onChain, _ = consent.LastAnchor(r, a.Member); return nil }); err != nil {
		return err
	}
	ended := s.LegalTime.Unix()/3600 - 1
	switch {
	case onChain != nil && onChain.Hour > sealed:
		return fmt.Errorf("the ledger holds the anchor of hour %d, this journal ends with hour %d: it is not the whole journal of %s", onChain.Hour, sealed, a.Member)
	case onChain != nil && onChain.Hour <= sealed:
		same, err := a.Journal.Agrees(ctx, onChain.Hour, onChain.Root)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("the ledger holds another anchor of hour %d than this journal: it is not the whole journal of %s", onChain.Hour, a.Member)
		}
	}
	switch {
	case sealed >= 0 && (onChain == nil || onChain.Hour < sealed):
	case ended > sealed:
		sealed = ended
	default:
		return nil
	}
	if sealed == a.sent && s.BlockTime.Unix() <= a.resend {
		return nil // it is on its way
	}
	anchor, err := a.Journal.Seal(sealed)
	if err != nil {
		return err
	}
	msg := pb.Msg{Sum: &pb.Msg_AnchorReceipts{AnchorReceipts: &pb.AnchorReceipts{
		Issuer: a.Member, Hour: anchor.Hour, Root: anchor.Root[:], UsedUp: anchor.UsedUp,
	}}}
	expires := s.BlockTime.Unix() + anchorExpiry
	raw, _, err := a.Key.SignTx(chain.ID, []pb.Msg{msg}, expires, uint64(anchor.Hour))
	if err != nil {
		return err
	}
	code, text, err := a.Submit(ctx, raw)
	switch {
	case err != nil:
		return err
	case code != 0:
		return errors.New(text)
	}
	a.sent, a.resend = sealed, expires
	return nil
}
