package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// restartReport is what a state folder takes to open after its process was killed, in each of several starts that were killed as well.
type restartReport struct {
	Keys       int          `json:"keys"`
	ImageBytes int64        `json:"image_bytes"` // of the tree
	LogBytes   int64        `json:"log_bytes"`   // of the tree, which a start reads beside the image
	Starts     []openReport `json:"starts"`
}

// runRestart kills a process when the logs of the tree are about as long as they become, and those that open the folder after it.
func runRestart(ctx context.Context, args []string) (any, error) {
	f := flags("restart")
	keys := f.Int("keys", 1_000_000, "keys in the state")
	starts := f.Int("starts", 2, "how often the folder is opened; each of these processes is killed")
	keep := f.String("dir", "", "folder that is left behind; empty: a temporary one")
	_ = f.Parse(args) // ExitOnError
	dir, done, err := temp(*keep)
	if err != nil {
		return nil, err
	}
	defer done()
	r := &restartReport{Keys: *keys}
	if err := untilKilled(ctx, new(struct{}), "logs", "--keys", strconv.Itoa(*keys), "--dir", dir); err != nil {
		return nil, err
	}
	for range *starts {
		if r.ImageBytes, r.LogBytes, err = treeFiles(dir); err != nil {
			return nil, err
		}
		var o openReport
		if err := untilKilled(ctx, &o, "open", "--hold", "--dir", dir); err != nil {
			return nil, err
		}
		r.Starts = append(r.Starts, o)
	}
	return r, nil
}

// untilKilled runs a verb in a process of its own, takes the line that it prints when it has come so far, and kills it.
func untilKilled(ctx context.Context, into any, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, self, args...)
	child.Stderr = os.Stderr
	held, err := child.StdinPipe() // it ends with this process in any case
	if err != nil {
		return err
	}
	defer held.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = child.Process.Kill()
	}
	if e := child.Wait(); err != nil {
		return fmt.Errorf("bench %s: %w", args[0], e)
	}
	return json.Unmarshal(line, into)
}

// hold prints what a process has come to and waits to be killed.
func hold(report any) error {
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// runLogs is the process of restart: it puts the keys in, and changes them until the logs of the tree are nearly so long that a new
// image is made. The one before has all keys.
func runLogs(ctx context.Context, args []string) (any, error) {
	f := flags("logs")
	keys := f.Int("keys", 1_000_000, "keys in the state")
	dir := f.String("dir", "", "state folder")
	_ = f.Parse(args)
	s, err := state.Open(state.Options{Dir: *dir, Retain: 1, Bind: bind})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	height := s.Latest().Height
	set := func(from, to, round int) error {
		w := state.NewWriteSet()
		for i := from; i < to; i++ {
			w.Set(keyOf(i%*keys), row(i%*keys, round))
		}
		height++
		if _, err := s.Stage(height, w); err != nil {
			return err
		}
		return s.Commit(height, tree.Hash{}, nil)
	}
	if height == 0 {
		for from := 0; from < *keys; from += loadBlock {
			if err := set(from, min(from+loadBlock, *keys), 0); err != nil {
				return nil, err
			}
		}
	} else if err := hasKeys(s, *keys); err != nil {
		return nil, fmt.Errorf("--dir %s: %w", *dir, err)
	}
	step := min(loadBlock, *keys/20+1)
	for round, from := int(height), 0; ; round, from = round+1, from+step {
		rest(ctx) // an image may be in the making
		image, logs, err := treeFiles(*dir)
		if err != nil {
			return nil, err
		}
		most := image / 2
		if image >= int64(*keys)*imageLeaf && logs < most && logs+int64(step)*logRecord >= most {
			return nil, hold(struct{}{})
		}
		if err := set(from, from+step, round); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// What a leaf takes in an image of the tree, and what a change of one takes in a log, with a bit more.
const (
	imageLeaf = 64
	logRecord = 66
)

// treeFiles gives the bytes of the tree's image and of its logs.
func treeFiles(dir string) (image, logs int64, err error) {
	for pattern, sum := range map[string]*int64{"tree-*.image": &image, "tree-*.log": &logs} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return 0, 0, err
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				return 0, 0, err
			}
			*sum += info.Size()
		}
	}
	return image, logs, nil
}
