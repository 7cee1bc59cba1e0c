package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Output is a standard output that remembers what it did not take. Most verbs write line by line and look at no error; who lost a line of an answer has not got it.
type Output struct {
	w io.Writer

	mu  sync.Mutex
	err error // guarded by mu: the first
}

// NewOutput watches over a standard output.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

func (o *Output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

// After is the error that a verb ends with, if it ended with err: where nothing else went wrong, that the answer was not written whole. own says that it is this.
func (o *Output) After(err error) (_ error, own bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || err != nil && err.Error() != "" && !errors.Is(err, o.err) {
		return err, false
	}
	return fmt.Errorf("the answer was not written whole: %w", o.err), true
}

// ExitInterrupted is the exit code of a verb that a signal ended before it had a verdict, as shells have it.
const ExitInterrupted = 130

// Interrupted tells whether a verb ended because a signal asked for it, and what to say then.
func Interrupted(ctx context.Context, err error) (error, bool) {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err, false
	}
	return errors.New("interrupted before the end, without a verdict: run it again"), true
}
