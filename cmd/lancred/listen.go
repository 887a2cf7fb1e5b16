package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// open opens the public listeners and the admin one, which is nil if there shall
// be none. Who connects waits in the kernel until they are served.
func (o *options) open() (public []net.Listener, admin net.Listener, err error) {
	if public, err = o.openPublic(); err != nil {
		return nil, nil, err
	}
	admin, err = listenAdmin(o.admin)
	return public, admin, err
}

// listenAdmin opens the admin address, nil if it is empty.
func listenAdmin(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	return ln, nil
}

// logAddresses says where requests are answered from now on.
func logAddresses(log *slog.Logger, public []net.Listener, admin net.Listener) {
	for _, ln := range public {
		log.Info("listening", "addr", ln.Addr().String())
	}
	if admin != nil {
		log.Info("admin listening", "addr", admin.Addr().String())
	}
}

// openPublic returns the stream sockets that systemd passed or, if it passed
// none, opens those of --listen.
func (o *options) openPublic() (public []net.Listener, err error) {
	passed, err := activation.Listeners()
	for _, ln := range passed {
		if ln != nil { // which stands for a socket that does not stream
			public = append(public, ln)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on the sockets that systemd passed: %w", err)
	}
	if len(public) > 0 {
		return public, nil
	}
	config := net.ListenConfig{
		// No keep-alive probes, which would cost four system calls a connection:
		// connections on which nothing comes end sooner than probes tell.
		KeepAlive: -1,
		Control:   deferAccept,
	}
	for _, addr := range o.listen {
		ln, err := config.Listen(context.Background(), "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
		public = append(public, ln)
	}
	return public, nil
}

// acceptWithin is after how many seconds a connection is accepted on which nothing
// was asked, the least that tcp(7) has: from then on the server's own limit counts.
const acceptWithin = 1

// deferAccept has the kernel hand a connection over with its first octets. Handed over
// when it opens, it is looked at twice: a goroutine reads, finds nothing, sleeps and is
// woken, which is a third of what a connection with one request costs.
func deferAccept(_, _ string, socket syscall.RawConn) error {
	var failed error
	if err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, acceptWithin)
	}); err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt TCP_DEFER_ACCEPT", failed)
}
