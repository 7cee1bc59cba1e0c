package gateway

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// TestRejectionOfItsLine: a refusal that comes back as its one line has the text, the rule and the remedy of the case, also where these are not the declared ones.
func TestRejectionOfItsLine(t *testing.T) {
	t.Parallel()
	other := x.ErrTooMany.With("members have added as many rows (行) as they may, 7")
	other.Rule, other.Remedy = "G1(8), file_rows_max", "look at what was recorded; if it is right, raise it"
	bare := x.ErrTooMany.With("text")
	bare.Remedy = ""
	for _, want := range []*x.Rejection{x.ErrTooMany, x.ErrUSCC.With("uscc: text (as sent)"), other, other.On(calendar.Date(20_000))} {
		got := rejectionOf(want.Number, want.Error())
		if got.Code != want.Code || got.Text != want.Text || got.Rule != want.Rule || got.Remedy != want.Remedy {
			t.Errorf("%s:\n%+v, want\n%+v", want.Error(), got, want)
		}
	}
	if got := rejectionOf(bare.Number, bare.Error()); got.Text != "text" || got.Remedy != x.ErrTooMany.Remedy {
		t.Errorf("a line without a remedy: %+v", got)
	}
}
