//go:build !linux

package state

func largePages([]byte) {}
