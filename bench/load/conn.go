package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
)

// readSize is the room for an answer: a response with its certificates and head
// is 1 to 2 KB.
const readSize = 16 << 10

// A conn is one socket with at most one request under way.
type conn struct {
	fd    int
	in    []byte            // received of the answer so far
	asked *traffic.Exchange // nil: idle
	begin time.Time         // when the request was sent or, in an open loop, due
}

// open connects c and has poll watch it. Source addresses take turns, for the
// ports of one would all be in TIME_WAIT after 28,000 connections.
func (c *conn) open(poll int, to *unix.SockaddrInet4, turn uint64) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	c.fd, c.in, c.asked = fd, c.in[:0], nil
	from := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + turn%32)}}
	return errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_NODELAY, 1),
		unix.Bind(fd, from),
		unix.Connect(fd, to), // on loopback it returns at once
		unix.SetNonblock(fd, true),
		unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}),
	)
}

// ask sends e's request, which is small enough for the socket to take it whole.
func (c *conn) ask(e *traffic.Exchange, begin time.Time) error {
	c.asked, c.begin = e, begin
	n, err := unix.Write(c.fd, e.Request)
	if err == nil && n < len(e.Request) {
		err = fmt.Errorf("the socket took %d of %d octets", n, len(e.Request))
	}
	return err
}

// receive reads what there is. The error is errShort while the answer goes on.
func (c *conn) receive() (answer, error) {
	c.in = slices.Grow(c.in, readSize)
	n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return answer{}, errShort
	case err != nil:
		return answer{}, err
	case n == 0:
		return answer{}, errors.New("the server closed the connection")
	}
	c.in = c.in[:len(c.in)+n]
	return parseAnswer(c.in)
}

// right reports whether body answers what c asked.
func (c *conn) right(body []byte) bool {
	return slices.ContainsFunc(c.asked.Bodies, func(b []byte) bool { return bytes.Equal(b, body) })
}
