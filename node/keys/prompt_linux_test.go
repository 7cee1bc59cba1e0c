package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long what must come is waited for.
const patience = 4 * time.Minute

// TestPromptEnds: whoever is asked for a passphrase and gives up gets the terminal back as it was. While it asks, it does not show what is typed.
func TestPromptEnds(t *testing.T) {
	t.Setenv(PassphraseFileEnv, "")
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal can be made: %v", err)
	}
	defer ours.Close()
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("the terminal cannot be opened: %v", err)
	}
	defer theirs.Close()
	stdin := os.Stdin
	os.Stdin = theirs
	defer func() { os.Stdin = stdin }()
	shows := func() bool {
		s, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return s.Lflag&unix.ECHO != 0
	}
	hidden := func() {
		t.Helper()
		deadline, tick := time.After(patience), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for shows() {
			select {
			case <-deadline:
				t.Fatal("what is typed is shown")
			case <-tick.C:
			}
		}
	}
	ask := func(ctx context.Context) <-chan error {
		ended := make(chan error, 1)
		go func() {
			word, err := Passphrase(ctx, "passphrase")
			if err == nil && word != "secret" {
				err = fmt.Errorf("it read %q", word)
			}
			ended <- err
		}()
		hidden()
		return ended
	}
	ended := ask(t.Context())
	if _, err := ours.WriteString("secret\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || !shows() {
		t.Errorf("%v; it shows what is typed: %v", err, shows())
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended = ask(ctx)
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on asking")
	}
	if !shows() {
		t.Error("the terminal shows nothing any more")
	}
	_, _ = ours.WriteString("\n") // lets the read go that is left behind
}
