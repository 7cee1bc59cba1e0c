package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// NewLogger makes the process's logger by its settings.
func NewLogger(w io.Writer, s LogSettings) *slog.Logger {
	level, err := parseLevel(s.Level)
	if err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if s.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

func parseLevel(s string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(s)); err != nil {
		return l, fmt.Errorf("%q is not a level: debug, info, warn or error", s)
	}
	return l, nil
}

// consensusFailure is what CometBFT logs when its consensus routine has recovered from a panic and is about to end. The routine's
// end is seen through its done channel; the line is read only for the reason to print.
const consensusFailure = "CONSENSUS FAILURE!!!"

// engineLog shows a slog.Logger to CometBFT. What With adds is put into words when a line is written: the engine makes loggers for every vote that it
// passes on, and nearly none of their lines is written.
type engineLog struct {
	to      *slog.Logger
	with    []any
	least   slog.Level
	quiet   func() bool // while stopping: the engine calls every connection that it closes itself an error
	failure func(reason string)
}

func newEngineLog(to *slog.Logger, level string, quiet func() bool, failure func(string)) cmtlog.Logger {
	least, err := parseLevel(level)
	if err != nil {
		least = slog.LevelError
	}
	return &engineLog{to: to, least: least, quiet: quiet, failure: failure}
}

func (l *engineLog) log(level slog.Level, msg string, keyvals []any) {
	if level < l.least {
		return
	}
	if l.quiet() {
		level = slog.LevelDebug
	}
	l.to.Log(context.Background(), level, msg, slices.Concat(l.with, keyvals)...)
}

func (l *engineLog) Debug(msg string, keyvals ...any) { l.log(slog.LevelDebug, msg, keyvals) }
func (l *engineLog) Info(msg string, keyvals ...any)  { l.log(slog.LevelInfo, msg, keyvals) }
func (l *engineLog) Warn(msg string, keyvals ...any)  { l.log(slog.LevelWarn, msg, keyvals) }

func (l *engineLog) Error(msg string, keyvals ...any) {
	if msg == consensusFailure && l.failure != nil {
		l.failure(valueOf("err", keyvals))
		keyvals = without("stack", keyvals) // the reason is one line; the stack is of CometBFT's routine, not of the fault
	}
	l.log(slog.LevelError, msg, keyvals)
}

func (l *engineLog) With(keyvals ...any) cmtlog.Logger {
	return &engineLog{to: l.to, with: slices.Concat(l.with, keyvals), least: l.least, quiet: l.quiet, failure: l.failure}
}

func valueOf(key string, keyvals []any) string {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == key {
			return strings.Join(strings.Fields(fmt.Sprint(keyvals[i+1])), " ")
		}
	}
	return "no reason given"
}

func without(key string, keyvals []any) []any {
	out := make([]any, 0, len(keyvals))
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] != key {
			out = append(out, keyvals[i], keyvals[i+1])
		}
	}
	return out
}
