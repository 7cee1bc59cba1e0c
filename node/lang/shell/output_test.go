package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// full is a disk that takes the first line and no other.
type full struct{ lines int }

func (f *full) Write(p []byte) (int, error) {
	if f.lines++; f.lines > 1 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// TestOutput: a verb that ended well, with a verdict of its own, or with the fault itself.
func TestOutput(t *testing.T) {
	whole := NewOutput(new(bytes.Buffer))
	fmt.Fprintln(whole, "all of it")
	_, own := whole.After(nil)
	require.False(t, own)

	o := NewOutput(new(full))
	fmt.Fprintln(o, "one")
	_, own = o.After(nil)
	require.False(t, own)
	fmt.Fprintln(o, "two")
	_, err := fmt.Fprintln(o, "three")
	for _, ended := range []error{nil, err, fmt.Errorf("show: %w", err), errors.New("")} {
		err, own := o.After(ended)
		require.True(t, own)
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
	verdict := errors.New("the claim does not hold")
	err, own = o.After(verdict)
	require.False(t, own)
	require.Equal(t, verdict, err)
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, is := Interrupted(ctx, context.Canceled)
	require.False(t, is, "nobody asked for it")
	cancel()
	_, is = Interrupted(ctx, errors.New("row 7 is damaged"))
	require.False(t, is, "a verdict that came first stands")
	err, is := Interrupted(ctx, fmt.Errorf("read: %w", ctx.Err()))
	require.True(t, is)
	require.NotContains(t, err.Error(), "context")
}
