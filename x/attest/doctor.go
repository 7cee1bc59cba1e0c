package attest

import (
	"bytes"
	"fmt"
	"time"
)

// Finding is one line about a trust file.
type Finding struct {
	Unusable bool // nothing verifies by the file now, or nothing new will
	Text     string
}

// soon is how long before its end something is worth a line.
const soon = 30 * 24 * time.Hour

// Examine says what a lender should know about a trust file before something is refused by it, or believed that should not be. The file has passed Check,
// which refuses what is wrong in itself: an anchor that is not set, one key twice at a height, a witness under two names.
func Examine(t *Trust, now time.Time) []Finding {
	var out []Finding
	finding := func(unusable bool, format string, args ...any) {
		out = append(out, Finding{unusable, fmt.Sprintf(format, args...)})
	}
	switch left := t.NotAfter.Sub(now); {
	case left < 0:
		finding(true, "the trust file ended at %s", formatTime(t.NotAfter))
	case left < soon:
		finding(false, "the trust file ends at %s, in %d days", formatTime(t.NotAfter), int(left/(24*time.Hour)))
	}

	epochs := t.ranges()
	newest := newestOf(epochs).from
	began := false
	for i, e := range epochs {
		switch h := e.from; {
		case e.size > 0:
			began = true
			t.examineSet(h, finding)
			if i < len(epochs)-1 && h < newest && e.end.IsZero() {
				finding(false, "the set of the heights %d to %d has been replaced and has no valid_until: who holds its old keys can sign as of today", h, epochs[i+1].from-1)
			}
		case i == len(epochs)-1:
			finding(true, "there is no validator above height %d: what is newer needs steps, or a newer trust file", h-1)
		case began:
			finding(false, "there is no validator set for the heights %d to %d", h, epochs[i+1].from-1)
		}
	}
	if t.SetAt(t.Anchor.Height) == nil {
		finding(false, "there is no validator set at the height of the anchor (%d)", t.Anchor.Height)
	}
	for i := range t.Validators {
		v := &t.Validators[i]
		if !v.covers(newest) {
			continue
		}
		switch {
		case !v.inWindow(now):
			finding(true, "validator %d is outside its window of time: nothing that its set signed is believed", i)
		case !v.ValidUntil.IsZero() && v.ValidUntil.Sub(now) < soon:
			finding(false, "the window of validator %d ends at %s", i, formatTime(v.ValidUntil))
		}
	}
	t.examineWitnesses(finding)
	if s := &t.Stamps; len(s.Authorities) > 0 && s.Required == 0 {
		finding(false, "authorities of time stamps are named and none is required")
	} else if len(s.Authorities) > 0 && s.Within == 0 {
		finding(false, "time stamps may be made at any time after the header: without within_seconds an old date can still be stamped")
	}
	return out
}

// examineSet says which sets a few can speak for.
func (t *Trust) examineSet(height int64, finding func(unusable bool, format string, args ...any)) {
	n, total, first, second := 0, int64(0), int64(0), int64(0) // the two largest
	for i := range t.Validators {
		if v := &t.Validators[i]; v.covers(height) {
			n, total = n+1, total+v.Power
			first, second = max(first, v.Power), max(second, min(first, v.Power))
		}
	}
	switch {
	case moreThanTwoThirds(first, total):
		finding(false, "one validator alone is more than two thirds of the set from height %d", height)
	case n < 4:
		finding(false, "the set from height %d has %d validators: none of them may fail", height, n)
	case moreThanTwoThirds(first+second, total):
		finding(false, "two validators together are more than two thirds of the set from height %d", height)
	}
}

func (t *Trust) examineWitnesses(finding func(unusable bool, format string, args ...any)) {
	w := &t.Witnesses
	if len(w.Keys) == 0 {
		return
	}
	if w.Required == 0 {
		finding(false, "witnesses are named and none is required")
	} else if 2*w.Required <= len(w.Keys) {
		finding(false, "%d of %d witnesses are required: two halves could witness two histories", w.Required, len(w.Keys))
	}
	if w.Within == 0 {
		finding(false, "witnesses may cosign at any time after the header: without within_seconds an old date can still be witnessed")
	}
	for i := range w.Keys {
		for j := range t.Validators {
			if bytes.Equal(w.Keys[i].PubKey, t.Validators[j].PubKey) {
				finding(false, "the witness %s has the key of a validator", w.Keys[i].Name)
				break
			}
		}
	}
}
