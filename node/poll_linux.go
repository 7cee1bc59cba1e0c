package node

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// poll tells which of many sockets have something to read (就绪通知). Its sockets are not the runtime's: that wakes a thread for each of them that is ready, to give it to the goroutine which
// waits, and at some ten thousand requests a second those threads take a good part of a node's time. Here a goroutine waits for all of them, and answers the one that it is given.
// A socket is told of once, and again after it was armed: two goroutines are never given the same.
type poll struct {
	fd, wake int
}

func newPoll() (*poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	p := &poll{fd, wake}
	if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil { // every time, and to all who wait
		p.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return p, nil
}

// add takes a socket, to be told of as id, which is not 0.
func (p *poll) add(socket int, id uint64) error { return p.arm(unix.EPOLL_CTL_ADD, socket, id) }

// again arms a socket anew.
func (p *poll) again(socket int, id uint64) error { return p.arm(unix.EPOLL_CTL_MOD, socket, id) }

// drop forgets a socket that goes on without the poll: closing one of its descriptors would not do that.
func (p *poll) drop(socket int) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, socket, nil)
}

func (p *poll) arm(op, socket int, id uint64) error {
	return unix.EpollCtl(p.fd, op, socket, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))})
}

// next waits for a socket that has something to read, or has ended. 0: the poll has.
func (p *poll) next() (id uint64) {
	var one [1]unix.EpollEvent
	for {
		switch n, err := unix.EpollWait(p.fd, one[:], -1); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			panic(fmt.Sprintf("node: epoll_wait: %v", err)) // bug: a descriptor that is none
		case n == 1:
			return uint64(uint32(one[0].Fd)) | uint64(uint32(one[0].Pad))<<32
		}
	}
}

// end lets next give 0 to all who wait, from now on.
func (p *poll) end() { _, _ = unix.Write(p.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) } // errs: that it was written before

// close gives back what the poll has; nobody waits any more.
func (p *poll) close() {
	unix.Close(p.wake)
	unix.Close(p.fd)
}
