package faults

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
)

// internalError is the OCSPResponse of that status (RFC 6960 section 4.2.1).
var internalError = []byte{0x30, 0x03, 0x0a, 0x01, 0x02}

// TestRecordsGoBad changes octets of records of the segment that is being served.
// What must not be is a wrong answer; a bad record is answered internalError.
func TestRecordsGoBad(t *testing.T) {
	o := newOrigin(t, 20)
	o.edge = edgeDir(t)
	o.served.Store(o.publish(t))
	d := serve(t, o.edge)
	l := newLoad(o, d.addr)
	l.mayBe = func(status int, body []byte) bool {
		return status == http.StatusInternalServerError && bytes.Equal(body, internalError)
	}
	l.start()
	path := segment(t, o.edge)
	offset, length := section(t, path, 96)
	octets := size(100, 1000)
	pick := rand.New(rand.NewPCG(1, 1))
	for range octets {
		at := offset + pick.Int64N(length)
		flip(t, path, at)
		l.awaitRequests(t, 5)
		flip(t, path, at) // as it was
	}
	flip(t, path, offset)
	await(t, "lancred_corrupt_records_total > 0", func() bool { return d.metric("lancred_corrupt_records_total", "") > 0 })
	await(t, "/readyz to notice the first record of a segment", func() bool { return !d.ready() })
	o.publishTo(t, d)
	await(t, "readiness after a good generation", d.ready)
	r := l.finish(t, "an octet of a record changes on disk", octets)
	r.note = "500 *internalError* for that record"
	record(t, r)
	d.stop()
}

// TestTruncatedInPlace cuts off the mapped file of the generation being served.
func TestTruncatedInPlace(t *testing.T) {
	o := newOrigin(t, 100)
	o.edge = edgeDir(t)
	o.served.Store(o.publish(t))
	d := serve(t, o.edge)
	l := newLoad(o, d.addr)
	l.mayBe = isTryLater
	l.start()
	times := size(3, 10)
	for i := range times {
		faults := d.metric("lancred_faults_total", "")
		path := segment(t, o.edge)
		check(t, os.Chmod(path, 0o644))
		check(t, os.Truncate(path, int64(i%2*os.Getpagesize()))) // all of it, or all but a page
		await(t, "lancred_faults_total to rise", func() bool { return d.metric("lancred_faults_total", "") > faults })
		if i%2 == 0 {
			await(t, "/readyz to say 503", func() bool { return !d.ready() })
		}
		l.awaitRequests(t, 100)
		o.publishTo(t, d)
		await(t, "readiness after a good generation", d.ready)
	}
	if len(d.lines("a mapped page could not be read: was a file of the store changed in place, or does the disk fail?")) == 0 {
		t.Errorf("the log does not say that pages could not be read:\n%s", d.dump())
	}
	r := l.finish(t, "the mapped file is truncated in place, then a good generation comes", times)
	r.note = "503 *tryLater*, `lancred_faults_total`, `/readyz` 503"
	record(t, r)
	d.stop()
}
