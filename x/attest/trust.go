package attest

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const (
	trustVersion  = 1
	trustBytesMax = 1 << 20
	// trustValidatorsMax leaves room for the sets of several epochs.
	trustValidatorsMax = 4 * pb.ValidatorsMax
	// withinMax, in seconds, is a hundred years.
	withinMax = 100 * 366 * 86400
)

// Trust (信任文件) is all that a verifier believes without proof. It comes from outside the bundle, compared out of band.
type Trust struct {
	ChainID string
	// Anchor is a block that the lender knows by its hash. Nothing older is believed, and a block at its height must be it.
	Anchor Anchor
	// Validators with the heights and times for which they are believed.
	Validators []TrustedValidator
	// Witnesses that the lender asks for beside the validators.
	Witnesses Witnesses
	// Stamps that the lender asks for.
	Stamps Stamps
	// NotAfter is the last moment at which the file is used at all.
	NotAfter time.Time
}

// Anchor names one block.
type Anchor struct {
	Height     int64
	HeaderHash Hash
}

// TrustedValidator is a key with its power, in force at the heights FromHeight to UntilHeight, both included; 0 = open. A
// ValidFrom or ValidUntil that is not zero bounds, both ends included, both the clock and the time of the header that is
// believed on its word: the key of a member that has left proves nothing afterwards. A set that was replaced wants a ValidUntil on one of its validators at
// least; without it, its old heights can be signed at any time (Examine says so).
type TrustedValidator struct {
	Validator
	FromHeight, UntilHeight int64
	ValidFrom, ValidUntil   time.Time
}

func (v *TrustedValidator) covers(height int64) bool {
	return height >= v.FromHeight && (v.UntilHeight == 0 || height <= v.UntilHeight)
}

func (v *TrustedValidator) inWindow(t time.Time) bool {
	return (v.ValidFrom.IsZero() || !t.Before(v.ValidFrom)) && (v.ValidUntil.IsZero() || !t.After(v.ValidUntil))
}

// CheckAnchor is what step 5 asks of a block: at the height of the anchor it is the anchor, and right above it follows it. last is the hash of the block that it follows.
func (t *Trust) CheckAnchor(height int64, hash Hash, last []byte) error {
	if err := t.checkAnchor(height, hash, last); err != nil {
		return err
	}
	return nil
}

func (t *Trust) checkAnchor(height int64, hash Hash, last []byte) *Error {
	switch a := &t.Anchor; {
	case height == a.Height && hash != a.HeaderHash:
		return invalid(5, CodeAnchor, "the block at height %d is not the anchor of the trust file", height)
	case a.Height < math.MaxInt64 && height == a.Height+1 && !bytes.Equal(last, a.HeaderHash[:]):
		return invalid(5, CodeAnchor, "the block at height %d does not follow the anchor of the trust file", height)
	}
	return nil
}

// InWindow is what step 12 asks of the windows of the set at a height: that each of the times, now and that of a header which the set signed, lies in those of all its
// validators.
func (t *Trust) InWindow(height int64, times ...time.Time) bool {
	for i := range t.Validators {
		if v := &t.Validators[i]; v.covers(height) && slices.ContainsFunc(times, func(at time.Time) bool { return !v.inWindow(at) }) {
			return false
		}
	}
	return true
}

// SetAt is the validator set at a height as the file has it; nil where it has none.
func (t *Trust) SetAt(height int64) *pb.ValidatorSet {
	var vals []Validator
	for i := range t.Validators {
		if v := &t.Validators[i]; v.covers(height) {
			vals = append(vals, v.Validator)
		}
	}
	set, err := NewValidatorSet(vals)
	if err != nil {
		return nil
	}
	return set
}

// Check holds for every Trust that ParseTrust returns. Verify refuses others.
func (t *Trust) Check() error {
	switch {
	case t == nil:
		return errors.New("no trust file")
	case t.ChainID == "" || len(t.ChainID) > pb.ChainIDMax:
		return fmt.Errorf("chain_id has 1 to %d bytes", pb.ChainIDMax)
	case t.Anchor.Height < 1:
		return errors.New("anchor.height is not positive")
	case t.Anchor.HeaderHash == Hash{}:
		return errors.New("anchor.header_hash is not set")
	case t.NotAfter.IsZero():
		return errors.New("not_after is not set")
	case len(t.Validators) == 0 || len(t.Validators) > trustValidatorsMax:
		return fmt.Errorf("1 to %d validators are needed", trustValidatorsMax)
	}
	if err := t.Witnesses.check(t.ChainID); err != nil {
		return err
	}
	if err := t.Stamps.check(); err != nil {
		return err
	}
	for i := range t.Validators {
		v := &t.Validators[i]
		switch {
		case len(v.PubKey) != keyBytes:
			return fmt.Errorf("validator %d: pub_key is not an ed25519 key of 32 bytes", i)
		case v.Power <= 0 || v.Power > maxPower:
			return fmt.Errorf("validator %d: power is not positive, or too large", i)
		case v.FromHeight < 1 || v.UntilHeight != 0 && v.UntilHeight < v.FromHeight:
			return fmt.Errorf("validator %d: from_height and until_height are no range", i)
		case !v.ValidFrom.IsZero() && !v.ValidUntil.IsZero() && v.ValidUntil.Before(v.ValidFrom):
			return fmt.Errorf("validator %d: valid_from and valid_until are no range", i)
		}
	}
	if err := t.checkOnce(); err != nil {
		return err
	}
	_, err := t.epochs()
	return err
}

// checkOnce: one key has at most one entry for any height. Of ranges in their order, two that meet stand side by side.
func (t *Trust) checkOnce() error {
	order := make([]int, len(t.Validators))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &t.Validators[a], &t.Validators[b]
		return cmp.Or(bytes.Compare(x.PubKey, y.PubKey), cmp.Compare(x.FromHeight, y.FromHeight), cmp.Compare(a, b))
	})
	for i := 1; i < len(order); i++ {
		before, v := &t.Validators[order[i-1]], &t.Validators[order[i]]
		if bytes.Equal(before.PubKey, v.PubKey) && before.covers(v.FromHeight) {
			return fmt.Errorf("validator %d: its key is listed twice for the same height", max(order[i-1], order[i]))
		}
	}
	return nil
}

// epoch is a range of heights, up to the next epoch, in which the set of the trust file does not change: it begins where a validator's range begins, or
// right after one has ended.
type epoch struct {
	from int64
	size int       // of the set; 0: the file has none here
	end  time.Time // the first ValidUntil of the set, with which all of it ends; zero: none
}

// epochs are those of the file, ascending. The error is what Check says of a set that can be none. One pass over the file, which may have thousands of
// ranges: sets are made where one is asked for.
func (t *Trust) epochs() ([]epoch, error) {
	type change struct {
		at    int64
		size  int
		power int64
		end   time.Time
	}
	changes := make([]change, 0, 2*len(t.Validators))
	for i := range t.Validators {
		v := &t.Validators[i]
		changes = append(changes, change{v.FromHeight, 1, v.Power, v.ValidUntil})
		if u := v.UntilHeight; u != 0 && u != math.MaxInt64 {
			changes = append(changes, change{u + 1, -1, -v.Power, v.ValidUntil})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.size, b.size)) }) // who leaves before who comes
	var all []epoch
	size, total, ends := 0, int64(0), []time.Time(nil) // ends ascend
	for i, c := range changes {
		if c.power > maxPower-total {
			return nil, fmt.Errorf("at height %d the power of all validators is too large", c.at)
		}
		size, total = size+c.size, total+c.power
		if size > pb.ValidatorsMax {
			return nil, fmt.Errorf("at height %d there are more than %d validators", c.at, pb.ValidatorsMax)
		}
		if !c.end.IsZero() {
			if at, _ := slices.BinarySearchFunc(ends, c.end, time.Time.Compare); c.size > 0 {
				ends = slices.Insert(ends, at, c.end)
			} else {
				ends = slices.Delete(ends, at, at+1)
			}
		}
		if i == len(changes)-1 || changes[i+1].at != c.at {
			e := epoch{from: c.at, size: size}
			if len(ends) > 0 {
				e.end = ends[0]
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// ranges are the epochs of a file that Check has passed.
func (t *Trust) ranges() []epoch {
	all, _ := t.epochs()
	return all
}

// epochAt is the place of the epoch that a height lies in; -1 below the first.
func epochAt(all []epoch, height int64) int {
	i, is := slices.BinarySearchFunc(all, height, func(e epoch, h int64) int { return cmp.Compare(e.from, h) })
	if is {
		return i
	}
	return i - 1
}

// newestOf is the last epoch that has a set. A file that Check has passed has one.
func newestOf(all []epoch) epoch {
	for _, e := range slices.Backward(all) {
		if e.size > 0 {
			return e
		}
	}
	return epoch{}
}

type trustJSON struct {
	Version    int                  `json:"version"`
	ChainID    string               `json:"chain_id"`
	Anchor     anchorJSON           `json:"anchor"`
	Validators []trustValidatorJSON `json:"validators"`
	Witnesses  *witnessesJSON       `json:"witnesses,omitempty"`
	Stamps     *stampsJSON          `json:"timestamps,omitempty"`
	NotAfter   string               `json:"not_after"`
}

type anchorJSON struct {
	Height     int64  `json:"height"`
	HeaderHash string `json:"header_hash"`
}

type trustValidatorJSON struct {
	PubKey      string `json:"pub_key"`
	Power       int64  `json:"power"`
	FromHeight  int64  `json:"from_height"`
	UntilHeight int64  `json:"until_height"`
	ValidFrom   string `json:"valid_from,omitempty"`
	ValidUntil  string `json:"valid_until,omitempty"`
}

type witnessesJSON struct {
	Required      int           `json:"required"`
	WithinSeconds int64         `json:"within_seconds,omitempty"`
	Keys          []witnessJSON `json:"keys"`
}

type witnessJSON struct {
	Name   string `json:"name"`
	PubKey string `json:"pub_key"`
}

// Encode gives the trust.json of t: what ParseTrust reads back into the same value.
func (t *Trust) Encode() []byte {
	f := trustJSON{
		Version:  trustVersion,
		ChainID:  t.ChainID,
		Anchor:   anchorJSON{Height: t.Anchor.Height, HeaderHash: hex.EncodeToString(t.Anchor.HeaderHash[:])},
		NotAfter: formatTime(t.NotAfter),
	}
	for i := range t.Validators {
		v := &t.Validators[i]
		f.Validators = append(f.Validators, trustValidatorJSON{
			PubKey: base64.StdEncoding.EncodeToString(v.PubKey), Power: v.Power,
			FromHeight: v.FromHeight, UntilHeight: v.UntilHeight,
			ValidFrom: formatTime(v.ValidFrom), ValidUntil: formatTime(v.ValidUntil),
		})
	}
	if w := &t.Witnesses; len(w.Keys) > 0 {
		f.Witnesses = &witnessesJSON{Required: w.Required, WithinSeconds: int64(w.Within / time.Second)}
		for i := range w.Keys {
			f.Witnesses.Keys = append(f.Witnesses.Keys, witnessJSON{w.Keys[i].Name, base64.StdEncoding.EncodeToString(w.Keys[i].PubKey)})
		}
	}
	f.Stamps = t.Stamps.view()
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("attest: encode trust file: %v", err)) // strings and numbers only: a bug
	}
	return append(out, '\n')
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// ParseTrust reads a trust.json. Unknown, misspelt, missing and repeated fields are refused: a bound that a reader overlooks is
// no bound. Errors are of class ErrUsage, or ErrVersion for a file of another version.
func ParseTrust(raw []byte) (*Trust, error) {
	bad := func(err error) error { return refusal(ErrUsage, 1, CodeTrust, "trust file: %v", err) }
	if len(raw) > trustBytesMax {
		return nil, bad(fmt.Errorf("%d bytes, more than %d", len(raw), trustBytesMax))
	}
	switch {
	case bytes.HasPrefix(raw, []byte("\uFEFF")):
		return nil, bad(errors.New("it begins with a byte order mark; save it as UTF-8 without one"))
	case kindFault(raw) != "":
		return nil, bad(fmt.Errorf("this is %s", kindFault(raw)))
	}
	var f trustJSON
	top, version, err := versioned(raw)
	if err != nil {
		return nil, bad(err)
	}
	if version != trustVersion {
		return nil, refusal(ErrVersion, 1, CodeVersion, "a trust file of version %d; this program reads version %d", version, trustVersion)
	}
	if err := known(top, "version", "chain_id", "anchor", "validators", "witnesses", "timestamps", "not_after"); err != nil {
		return nil, bad(err)
	}
	var rows []json.RawMessage
	t := new(Trust)
	err = errors.Join(
		value(top, "chain_id", &t.ChainID, true),
		value(top, "validators", &rows, true),
		moment(top, "not_after", &t.NotAfter, true),
	)
	if err != nil {
		return nil, bad(firstOf(err))
	}
	anchor, err := object(top["anchor"], "height", "header_hash")
	if err != nil {
		return nil, bad(fmt.Errorf("anchor: %w", err))
	}
	err = errors.Join(
		value(anchor, "height", &t.Anchor.Height, true),
		value(anchor, "header_hash", &f.Anchor.HeaderHash, true),
	)
	if err != nil {
		return nil, bad(fmt.Errorf("anchor: %w", firstOf(err)))
	}
	hash, err := hex.DecodeString(f.Anchor.HeaderHash)
	if err != nil || len(hash) != hashBytes {
		return nil, bad(errors.New("anchor: header_hash is not 64 hexadecimal digits"))
	}
	t.Anchor.HeaderHash = Hash(hash)
	if len(rows) > trustValidatorsMax {
		return nil, bad(fmt.Errorf("%d validators, more than %d", len(rows), trustValidatorsMax))
	}
	for i, row := range rows {
		v, err := parseTrustedValidator(row)
		if err != nil {
			return nil, bad(fmt.Errorf("validator %d: %w", i, firstOf(err)))
		}
		t.Validators = append(t.Validators, v)
	}
	if raw, ok := top["witnesses"]; ok {
		if err := t.Witnesses.parse(raw); err != nil {
			return nil, bad(firstOf(err))
		}
	}
	if raw, ok := top["timestamps"]; ok {
		if err := t.Stamps.parse(raw); err != nil {
			return nil, bad(firstOf(err))
		}
	}
	if err := t.Check(); err != nil {
		return nil, bad(err)
	}
	return t, nil
}

func parseTrustedValidator(row []byte) (v TrustedValidator, err error) {
	o, err := object(row, "pub_key", "power", "from_height", "until_height", "valid_from", "valid_until")
	if err != nil {
		return v, err
	}
	var key string
	err = errors.Join(
		value(o, "pub_key", &key, true),
		value(o, "power", &v.Power, true),
		value(o, "from_height", &v.FromHeight, true),
		value(o, "until_height", &v.UntilHeight, false),
		moment(o, "valid_from", &v.ValidFrom, false),
		moment(o, "valid_until", &v.ValidUntil, false),
	)
	if err != nil {
		return v, err
	}
	v.PubKey, err = strictBase64("pub_key", key)
	return v, err
}

// strictBase64 holds base64 to its one form: the decoder skips line breaks and, without more, stray bits.
func strictBase64(field, text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != text {
		return nil, fmt.Errorf("%s is not base64", field)
	}
	return raw, nil
}

func (w *Witnesses) parse(raw []byte) error {
	o, err := object(raw, "required", "within_seconds", "keys")
	if err != nil {
		return fmt.Errorf("witnesses: %w", err)
	}
	var within int64
	var rows []json.RawMessage
	err = errors.Join(
		value(o, "required", &w.Required, true),
		value(o, "within_seconds", &within, false),
		value(o, "keys", &rows, true),
	)
	if err != nil {
		return fmt.Errorf("witnesses: %w", firstOf(err))
	}
	if within < 0 || within > withinMax {
		return fmt.Errorf("witnesses: within_seconds is negative or more than %d", withinMax)
	}
	w.Within = time.Duration(within) * time.Second
	if len(rows) == 0 || len(rows) > witnessesMax {
		return fmt.Errorf("witnesses: 1 to %d keys are needed", witnessesMax)
	}
	for i, row := range rows {
		o, err := object(row, "name", "pub_key")
		if err != nil {
			return fmt.Errorf("witness %d: %w", i, err)
		}
		var k Witness
		var key string
		if err := errors.Join(value(o, "name", &k.Name, true), value(o, "pub_key", &key, true)); err != nil {
			return fmt.Errorf("witness %d: %w", i, firstOf(err))
		}
		if k.PubKey, err = strictBase64("pub_key", key); err != nil {
			return fmt.Errorf("witness %d: %w", i, err)
		}
		w.Keys = append(w.Keys, k)
	}
	return nil
}

// versioned reads a file that is one JSON object, in UTF-8, as far as its version. The version is looked at before what else there is, because a file of another one
// has other fields.
func versioned(raw []byte) (top map[string]json.RawMessage, version int64, err error) {
	switch {
	case !utf8.Valid(raw):
		return nil, 0, errors.New("not UTF-8")
	case nesting(raw) > nestingMax:
		return nil, 0, fmt.Errorf("objects and lists nest more than %d deep", nestingMax)
	}
	if top, err = fields(raw); err == nil {
		err = value(top, "version", &version, true)
	}
	return top, version, err
}

// nestingMax bounds how deep objects and lists stand in one another.
const nestingMax = 64

func nesting(raw []byte) (deepest int) {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// object reads one JSON object whose keys are among those allowed, each at most once, spelt exactly.
func object(raw []byte, allowed ...string) (map[string]json.RawMessage, error) {
	o, err := fields(raw)
	if err == nil {
		err = known(o, allowed...)
	}
	return o, err
}

func known(o map[string]json.RawMessage, allowed ...string) error {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(allowed, key) {
			return fmt.Errorf("unknown field %q", key)
		}
	}
	return nil
}

// fields reads one JSON object, each key at most once. encoding/json alone takes the last of two equal keys and keys in any case.
func fields(raw []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	o := make(map[string]json.RawMessage)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		key, _ := tok.(string) // the decoder gives nothing else as a key
		if _, twice := o[key]; twice {
			return nil, fmt.Errorf("field %q occurs twice", key)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("field %q is not JSON: %w", key, err)
		}
		o[key] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return o, nil
}

func value(o map[string]json.RawMessage, key string, into any, needed bool) error {
	raw, ok := o[key]
	if !ok {
		if needed {
			return fmt.Errorf("field %q is missing", key)
		}
		return nil
	}
	if bytes.Equal(raw, []byte("null")) {
		return fmt.Errorf("field %q is null", key)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("field %q has another type or is out of range", key)
	}
	return nil
}

// momentForm is narrower than time.Parse, which takes commas, hours of one digit and zones of a whole day.
var momentForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func moment(o map[string]json.RawMessage, key string, into *time.Time, needed bool) error {
	var s string
	if _, ok := o[key]; !ok && !needed {
		return nil
	}
	if err := value(o, key, &s, needed); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !momentForm.MatchString(s) || t.Year() < 1970 || t.Year() > 9999 {
		return fmt.Errorf("field %q is not a time of RFC 3339 with zone", key)
	}
	*into = t.UTC()
	return nil
}

// firstOf keeps a refusal to one line where several fields are wrong.
func firstOf(err error) error {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		return many.Unwrap()[0]
	}
	return err
}
