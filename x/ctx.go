package x

import (
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// Reader reads state. A key that is not there gives found = false; anything that keeps it from knowing panics with a Fault.
type Reader interface {
	// Get returns the value of a key. The caller owns the slice.
	Get(key []byte) (value []byte, found bool)
	// Iterate visits the keys that begin with prefix, ascending, from start on (nil: from the first), until fn returns false.
	// The slices are the callee's: fn copies what it keeps, and must not write to the state that it iterates over.
	Iterate(prefix, start []byte, fn func(key, value []byte) (more bool))
}

// State is what a transition writes to.
type State interface {
	Reader
	// Set writes a row. The slices stay the caller's.
	Set(key, value []byte)
	Delete(key []byte)
}

// Fault is the panic of a machine that cannot go on: it must never become a result of a block.
type Fault struct{ Err error }

func (f Fault) Error() string { return "this node cannot go on: " + f.Err.Error() }
func (f Fault) Unwrap() error { return f.Err }

// Faultf panics with a Fault.
func Faultf(format string, args ...any) { panic(Fault{fmt.Errorf(format, args...)}) }

// Chain is what of genesis the rules need.
type Chain struct {
	ID          string
	GenesisTime int64 // unix seconds
	LegalOrigin int64 // unix seconds of legal time at genesis
	ClockRate   int64 // legal seconds a second of block time
	Secret      []byte
}

// legalMax is the end of legal time: 2100-12-31T23:59:59+08:00. A clock beyond it stands still.
var legalMax = calendar.EndUnix(calendar.Max) - 1

// LegalTime maps block time to legal time (法定时间): origin + (block time − genesis time) × rate, whole seconds, never beyond 2100.
func (c *Chain) LegalTime(blockTime int64) int64 {
	passed := blockTime - c.GenesisTime
	if passed < 0 {
		passed = 0
	}
	if c.ClockRate > 0 && passed > (legalMax-c.LegalOrigin)/c.ClockRate {
		return legalMax
	}
	return c.LegalOrigin + passed*c.ClockRate
}

// Ctx is everything that a transition may depend on.
type Ctx struct {
	State
	Chain     *Chain
	Height    int64
	BlockHash []byte        // of the block that is executed, 32 bytes; nil in genesis. Draws take their seed from it
	BlockTime int64         // unix seconds; rules expiry
	LegalTime int64         // unix seconds; rules dates of the domain
	Today     calendar.Date // the legal day, UTC+08:00

	Signer  []byte // address that signed; nil in timers and genesis
	Member  string // its agency
	Sound   any    // the message, where what is wrong whatever the state was looked for ahead, and not found
	Touched map[string]struct{}
	Logged  [][32]byte          // leaves for the global log, in order of execution
	Eased   map[string]Duty     // clocks of duties, by key, that a duty runs by no more; SettleDuties looks at them
	Passed  map[string]struct{} // moments, by key, whose first timer was deleted; SettleTimers looks at them
	Looked  int64               // rows of subjects that rules looked through: nothing undoes that work
	Moved   []Moved             // dishonesty records that left publicity, or came back, in order of execution

	room []byte // of the key that KeyFor gave last: a Ctx is for one goroutine
}

// Moved is a dishonesty record that left publicity or came back to it: what hangs on it is looked at again at the end of the block.
type Moved struct {
	Subject string
	Record  []byte
}

// Touch marks a subject whose standing may have changed in this block.
func (c *Ctx) Touch(subject string) { c.Touched[subject] = struct{}{} }

// Looked counts rows of a subject that a rule looks through, one by one: what a message costs beyond itself. It counts within a block alone.
func Looked(r Reader, rows int) {
	if c, ok := r.(*Ctx); ok {
		c.Looked += int64(rows)
	}
}

// Log adds a leaf hash to the global event log.
func (c *Ctx) Log(leaf [32]byte) { c.Logged = append(c.Logged, leaf) }

// Done is what a transition that was not refused says of itself.
type Done struct {
	Record []byte // id of the record it speaks of, where there is one
	Note   string // AlreadyRecorded, a warning (W_…), or empty
}

// AlreadyRecorded: the same content stands already; nothing was changed.
const AlreadyRecorded = "ALREADY_RECORDED"
