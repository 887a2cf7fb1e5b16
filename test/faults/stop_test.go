package faults

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRestartUnderLoad stops lancred by SIGTERM and starts it again on the same
// socket, as systemd does it on a restart.
func TestRestartUnderLoad(t *testing.T) {
	o := newOrigin(t, 50)
	o.served.Store(o.publish(t))
	d := serve(t, o.store, unhurried()...)
	l := newLoad(o, d.addr).start()
	times := size(3, 20)
	for range times {
		l.awaitRequests(t, 100)
		d.stop()
		d.start()
	}
	l.awaitRequests(t, 100)
	r := l.finish(t, "SIGTERM under load, started again on the same socket", times)
	r.note = "keep-alive and short connections"
	record(t, r)
	d.stop()
}

// unhurried are the flags of a lancred that stops under load. On a busy machine a
// client may not run for the 300 ms that draining takes, and then asks on a connection
// that is closed. Whether they are enough is tried with -full.
func unhurried() (flags []string) {
	if !*full {
		flags = []string{"--drain", "2s"}
	}
	return flags
}

// TestStopDuringSwap sends SIGTERM while a new generation is being loaded.
func TestStopDuringSwap(t *testing.T) {
	o := newOrigin(t, 200)
	o.served.Store(o.publish(t))
	d := serve(t, o.store, unhurried()...)
	l := newLoad(o, d.addr).start()
	times := size(3, 20)
	for range times {
		l.awaitRequests(t, 100)
		o.publish(t)
		d.stop()
		d.start()
		d.awaitGeneration(t, published(t, o.store))
		o.served.Store(o.published.Load())
	}
	r := l.finish(t, "SIGTERM while a generation is loaded, started again", times)
	r.lost = lostGenerations(t, o.store, published(t, o.store), published(t, o.store))
	record(t, r)
	d.stop()
}

// TestHangup sends SIGHUP again and again, with new generations and without.
func TestHangup(t *testing.T) {
	o := newOrigin(t, 50)
	o.served.Store(o.publish(t))
	d := serve(t, o.store)
	l := newLoad(o, d.addr).start()
	times := size(10, 100)
	for i := range times {
		d.signal(syscall.SIGHUP)
		if i%5 == 0 {
			o.publishTo(t, d)
		}
		l.awaitRequests(t, 10)
	}
	record(t, l.finish(t, "SIGHUP under load", times))
	d.stop()
}

// TestTwoTerms stops at once on a second SIGTERM. What is cut off then is what the
// operator asked for, so nobody asks meanwhile.
func TestTwoTerms(t *testing.T) {
	o := newOrigin(t, 2)
	o.publish(t)
	d := serve(t, o.store, "--drain-wait", "1h")
	d.signal(syscall.SIGTERM)
	d.await("stopping")
	d.signal(syscall.SIGTERM)
	if err := d.wait(); err != nil {
		t.Errorf("after two SIGTERMs: %v\n%s", err, d.dump())
	}
}

// TestServiceManagerIsTold plays the service manager's side of sd_notify(3).
func TestServiceManagerIsTold(t *testing.T) {
	o := newOrigin(t, 2)
	o.publish(t)
	d, socket := managed(t, o.store)
	d.env = append(d.env, "WATCHDOG_USEC=20000")
	d.start()
	wantNotification(t, socket, "READY=1")
	wantNotification(t, socket, "WATCHDOG=1")
	d.signal(syscall.SIGHUP)
	wantNotification(t, socket, "RELOADING=1\nMONOTONIC_USEC=")
	wantNotification(t, socket, "READY=1")
	d.signal(syscall.SIGTERM)
	wantNotification(t, socket, "STOPPING=1")
	if err := d.wait(); err != nil {
		t.Error(err)
	}
}

// wantNotification waits for a message that begins with want. Keeping the
// watchdog may come at any time.
func wantNotification(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	check(t, socket.SetReadDeadline(time.Now().Add(patience)))
	for b := make([]byte, 4096); ; {
		n, err := socket.Read(b)
		if err != nil {
			t.Fatalf("waiting for %q: %v", want, err)
		}
		switch got := string(b[:n]); {
		case strings.HasPrefix(got, want):
			return
		case got != "WATCHDOG=1":
			t.Fatalf("the service manager is told %q, want %q", got, want)
		}
	}
}
