package shell

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestModes: a new file has the mode that the umask leaves of the one asked for, one that is there keeps its own, and one that may not be written is not.
func TestModes(t *testing.T) {
	dir := t.TempDir()
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	for i, tt := range []struct{ umask, there, asked, want fs.FileMode }{
		{0o077, 0, 0o644, 0o600},
		{0o022, 0, 0o644, 0o644},
		{0o022, 0, 0o600, 0o600},
		{0o022, 0o600, 0o644, 0o600},
		{0o077, 0o664, 0o644, 0o664},
		{0o022, 0o644, 0o600, 0o600}, // what its owner alone may read
	} {
		syscall.Umask(int(tt.umask))
		name := filepath.Join(dir, strconv.Itoa(i))
		if tt.there != 0 {
			require.NoError(t, os.WriteFile(name, nil, 0o600))
			require.NoError(t, os.Chmod(name, tt.there))
		}
		require.NoError(t, WriteFile(name, []byte("new"), tt.asked))
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, tt.want, info.Mode(), "%o", tt)
	}
	name := filepath.Join(dir, "read-only")
	require.NoError(t, os.WriteFile(name, []byte("old"), 0o400))
	_, err := Begin(name, 0o644)
	require.ErrorIs(t, err, fs.ErrPermission)
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "old", string(raw))
}

// TestLinks: a file is written through links, also where the last of them leads to none yet, and two names of one place are told.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"one": "two", "two": filepath.Join("sub", "three"), "round": "round", "folder": "sub"} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, from)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	require.NoError(t, WriteFile(filepath.Join(dir, "one"), []byte("through"), 0o644))
	for _, link := range []string{"one", "two"} {
		info, err := os.Lstat(filepath.Join(dir, link))
		require.NoError(t, err)
		require.Equal(t, fs.ModeSymlink, info.Mode().Type(), link)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "sub", "three"))
	require.NoError(t, err)
	require.Equal(t, "through", string(raw))
	_, err = Begin(filepath.Join(dir, "round"), 0o644)
	require.ErrorIs(t, err, syscall.ELOOP)

	begin := func(name string) *File {
		f, err := Begin(filepath.Join(dir, name), 0o644)
		require.NoError(t, err)
		t.Cleanup(f.Drop)
		return f
	}
	three := begin(filepath.Join("sub", "three"))
	for _, same := range []string{"one", filepath.Join("folder", "three"), filepath.Join("sub", "..", "sub", "three")} {
		require.True(t, three.Same(begin(same)), same)
	}
	require.False(t, three.Same(begin(filepath.Join("sub", "four"))))
	null, err := Begin(os.DevNull, 0o644)
	require.NoError(t, err)
	require.False(t, null.Same(null), "a device takes both")
}

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
	f, err := Begin(name, 0o600)
	require.NoError(t, err)
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "old", string(raw), "until it is whole, the file is as it was")
	require.NoError(t, f.Finish([]byte("new")))
	f.Drop() // as a deferred one would
	raw, err = os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "new", string(raw))
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	only("answer")

	f, err = Begin(name, 0o600)
	require.NoError(t, err)
	f.Drop()
	only("answer")

	require.NoError(t, os.Chmod(name, 0o640))
	f, err = Begin(name, 0o644)
	require.NoError(t, err)
	require.NoError(t, f.Clear())
	require.NoError(t, f.Clear(), "nothing is there any more")
	require.NoFileExists(t, name)
	require.NoError(t, f.Finish([]byte("newer")))
	info, err = os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode(), "as the one that was taken away")
	f, err = Begin(name, 0o644)
	require.NoError(t, err)
	require.NoError(t, f.Clear())
	f.Drop()
	only()
	require.NoError(t, WriteFile(name, []byte("newest"), 0o600))

	var at *fs.PathError
	_, err = Begin(filepath.Join(dir, "no", "folder"), 0o600)
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

// TestMountedFile: a file that is a mount of its own, as containers have them, cannot be replaced and is written over.
func TestMountedFile(t *testing.T) {
	dir := t.TempDir()
	outside, name := filepath.Join(dir, "outside"), filepath.Join(dir, "in", "answer")
	require.NoError(t, os.Mkdir(filepath.Dir(name), 0o700))
	for _, file := range []string{outside, name} {
		require.NoError(t, os.WriteFile(file, []byte("old, and longer"), 0o640))
		require.NoError(t, os.Chmod(file, 0o640)) // whatever the umask is
	}
	if out, err := exec.Command("mount", "--bind", outside, name).CombinedOutput(); err != nil {
		t.Skipf("mount: %v %s", err, out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", name).Run()) })
	require.NoError(t, WriteFile(name, []byte("new"), 0o644))
	for _, file := range []string{outside, name} {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "new", string(raw), file)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o640), info.Mode(), file)
	}
	beside := func() []string {
		left, err := filepath.Glob(filepath.Join(dir, "in", ".xinlian-*"))
		require.NoError(t, err)
		return left
	}
	require.Empty(t, beside(), "nothing stays beside it")
	cleared, err := Begin(name, 0o644)
	require.NoError(t, err)
	require.NoError(t, cleared.Clear())
	cleared.Drop()
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Empty(t, raw, "a mount cannot be taken away and is emptied")

	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no disk that is full")
	}
	f, err := Begin(name, 0o644)
	require.NoError(t, err)
	f.target = "/dev/full" // as if the mount had no room
	err = f.over([]byte("newer"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, beside()[0], "where it is whole is told")
	f.Drop()
}
