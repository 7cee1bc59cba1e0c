package app

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// GenesisState makes the state of a genesis and the root over it.
func GenesisState(chainID string, genesisTime int64, g *pb.Genesis) (x.Reader, tree.Hash, error) {
	gb, err := newGenesis(chainID, genesisTime, g)
	if err != nil {
		return nil, tree.Hash{}, err
	}
	return gb.rows, gb.root(), nil
}

// Before is the time of the newest block that this process has committed; 0: none.
func (a *App) Before() int64 { return a.before }

// Seen looks up the newest height. What it gives opens that height later, as whoever was held up in between does.
func (a *App) Seen() (open func() (height int64, err error)) {
	c := a.committed.Load()
	return func() (int64, error) {
		c, s, err := a.atOrAfter(c)
		if err == nil {
			s.Close()
		}
		return c.height, err
	}
}

// CheckDerived compares the derived rows of a state, but the packs', with what its other rows make.
func CheckDerived(r x.Reader, height int64) error {
	d := newDerived(height)
	for _, job := range d.jobs() {
		if err := job(r); err != nil {
			return err
		}
	}
	return d.compare(r)
}

// Until is how far a check came that was to stop, and what it ended with.
type Until struct {
	Read int
	Err  error
}

// ReadUntil reads a thousand rows in each of the ways in which a check does, each told to stop with an error.
func (a *App) ReadUntil(stop error) map[string]Until {
	out := map[string]Until{}
	for how, read := range map[string]func(r *asked, row func()){
		"get":     func(r *asked, row func()) { r.Get(chainInfo.Key()); row() },
		"peek":    func(r *asked, row func()) { r.Peek(chainInfo.Key()); row() },
		"iterate": func(r *asked, row func()) { r.Iterate([]byte{}, nil, func(_, _ []byte) bool { row(); return true }) },
	} {
		var u Until
		func() {
			defer caught(&u.Err)
			s, err := a.At(0)
			if err != nil {
				u.Err = err
				return
			}
			defer s.Close()
			r := &asked{Snapshot: s, stop: func() error { return stop }}
			for u.Read < 1000 {
				read(r, func() { u.Read++ })
			}
		}()
		out[how] = u
	}
	return out
}

// CheckLog holds the global event log of a state to its head.
func CheckLog(r x.Reader) error { return checkLog(r) }

// OnRecovery has fn told of each signature that any application recovers; nil: nobody.
func OnRecovery(fn func(digest [32]byte)) {
	if fn == nil {
		testingOnlyRecovers.Store(nil)
		return
	}
	testingOnlyRecovers.Store(&fn)
}
