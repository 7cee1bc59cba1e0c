//go:build !linux

package node

import "errors"

// poll is Linux's alone. On other systems, on which auditors run programs that this package is a part of, a node has no lane: all connections are net/http's.
type poll struct{}

func newPoll() (*poll, error) { return nil, errors.ErrUnsupported }

func (*poll) add(int, uint64) error   { panic("node: a poll that is not there") } // bug: newPoll gives none
func (*poll) again(int, uint64) error { panic("node: a poll that is not there") }
func (*poll) drop(int) error          { panic("node: a poll that is not there") }
func (*poll) next() uint64            { panic("node: a poll that is not there") }
func (*poll) end()                    {}
func (*poll) close()                  {}
