package main

import (
	"strings"
	"testing"
)

// TestWhileRoom: a disk that has less left than is asked for ends the verb, at once or while it works, and once.
func TestWhileRoom(t *testing.T) {
	dir := t.TempDir()
	var said []error
	whileRoom(dir, 1<<62, func(err error) { said = append(said, err) })()
	if len(said) != 1 || !strings.Contains(said[0].Error(), "make room") {
		t.Errorf("it says %v", said)
	}
	whileRoom(dir, 1, func(err error) { t.Errorf("there is room: %v", err) })()
}
