package shell

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWriteFile: a file is whole or as it was, has the mode that was asked for, and nothing stays beside it; errors name the file that was asked for.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "answer")
	only := func(names ...string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		var have []string
		for _, e := range entries {
			have = append(have, e.Name())
		}
		require.Equal(t, names, have)
	}
	require.NoError(t, WriteFile(name, []byte("old"), 0o644))
	f, err := Begin(name)
	require.NoError(t, err)
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "old", string(raw), "until it is whole, the file is as it was")
	require.NoError(t, f.Finish([]byte("new"), 0o600))
	f.Drop() // as a deferred one would
	raw, err = os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "new", string(raw))
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	only("answer")

	f, err = Begin(name)
	require.NoError(t, err)
	f.Drop()
	only("answer")

	var at *fs.PathError
	_, err = Begin(filepath.Join(dir, "no", "folder"))
	require.ErrorAs(t, err, &at)
	require.Equal(t, filepath.Join(dir, "no", "folder"), at.Path)
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "taken"), 0o700))
	err = WriteFile(filepath.Join(dir, "taken"), []byte("x"), 0o644)
	require.ErrorAs(t, err, &at)
	require.Equal(t, filepath.Join(dir, "taken"), at.Path)
	require.ErrorIs(t, err, syscall.EISDIR)

	require.NoError(t, os.Symlink("answer", filepath.Join(dir, "link")))
	require.NoError(t, WriteFile(filepath.Join(dir, "link"), []byte("through"), 0o644))
	raw, err = os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "through", string(raw), "a link stays one")
	require.NoError(t, WriteFile(os.DevNull, []byte("x"), 0o644), "a device is written, not replaced")
	only("answer", "link", "taken")
}
