package runner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollEvery is how often a condition that another process brings about is looked at.
const pollEvery = 50 * time.Millisecond

// processState is what the system says of a process.
type processState int

const (
	gone processState = iota
	running
	paused
)

func (s processState) String() string { return [...]string{"stopped", "running", "paused"}[s] }

// inspect gives the state of a process and the moment of its start, in the system's own terms. A process that has ended and whose
// parent has not looked yet is gone.
func inspect(pid int) (state processState, started string) {
	if pid <= 0 {
		return gone, ""
	}
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		return parseStat(raw)
	} else if _, err := os.Stat("/proc/self/stat"); err == nil {
		return gone, ""
	}
	// Systems without /proc.
	out, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return gone, ""
	}
	letter, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if letter == "" {
		return gone, ""
	}
	return stateOf(letter[0]), strings.TrimSpace(started)
}

// parseStat reads /proc/PID/stat. The name of the program stands in brackets and may hold anything, brackets too.
func parseStat(raw []byte) (processState, string) {
	i := bytes.LastIndexByte(raw, ')')
	if i < 0 {
		return gone, ""
	}
	fields := strings.Fields(string(raw[i+1:])) // from field 3 of proc(5)
	if len(fields) < 20 || fields[0] == "" {
		return gone, ""
	}
	state := stateOf(fields[0][0])
	if threads := fields[17]; state == gone && threads != "0" && threads != "1" { // field 20
		// The first thread has ended and others have not: the process still holds its files and their locks.
		state = running
	}
	return state, fields[19] // field 22: start in ticks since boot
}

func stateOf(letter byte) processState {
	switch letter {
	case 'Z', 'X', 'x':
		return gone
	case 'T', 't':
		return paused
	}
	return running
}

// state of a node's own process: another one that has its number by now is not it.
func (n *Node) state() processState {
	s, started := inspect(n.PID)
	if s == gone || n.Started == "" || started != n.Started {
		return gone
	}
	return s
}

// signal reaches the node's own process only. Between the look and the signal the process could end and its number be given away;
// numbers are given in turn, so that takes a whole round of them.
func (n *Node) signal(s syscall.Signal) error {
	if n.state() == gone {
		return fmt.Errorf("%s does not run", n.Name)
	}
	if err := syscall.Kill(n.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s: %w", n.Name, err)
	}
	return nil
}

// start runs the node. Its output goes to node.log in its home; it has a session of its own, so that Ctrl-C reaches the runner
// only and a detached node outlives the terminal. of is how many nodes share this machine.
func (n *Node) start(program string, of int) error {
	if n.state() != gone {
		return fmt.Errorf("%s runs already", n.Name)
	}
	log, err := os.OpenFile(filepath.Join(n.Home, logFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", n.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(program, "start", "--home", n.Home)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = environment(os.Environ(), of, runtime.NumCPU())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", n.Name, err)
	}
	n.PID = cmd.Process.Pid
	_, n.Started = inspect(n.PID)
	go cmd.Wait() // so that it does not stay behind as a zombie of this process
	return nil
}

// environment leaves out settings that are meant for one node: they would be every node's here. Nodes that share a machine share its processors: where
// each ran threads for all of them, the system would spend its time on moving the threads of all nodes about, and blocks would come
// later ('bench load --validators 4' shows it). GOMAXPROCS in the environment wins.
func environment(all []string, nodes, processors int) []string {
	var out []string
	shared := nodes > 1
	for _, v := range all {
		if !strings.HasPrefix(v, "XINLIAN_") {
			out = append(out, v)
		}
		shared = shared && !strings.HasPrefix(v, "GOMAXPROCS=")
	}
	if shared {
		out = append(out, fmt.Sprintf("GOMAXPROCS=%d", max(1, processors/nodes)))
	}
	return out
}

// lastLog is the last line that a node has written.
func (n *Node) lastLog() string {
	f, err := os.Open(filepath.Join(n.Home, logFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	const tail = 8 << 10
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	buf := make([]byte, min(tail, info.Size()))
	if _, err := f.ReadAt(buf, info.Size()-int64(len(buf))); err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(buf)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// lock keeps two commands from changing one network at a time. The system drops it with the process that holds it.
func lock(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another command is changing the network in %s: wait for it", dir)
	}
	return func() { f.Close() }, nil
}
