package faults

import (
	"net/http"
	"testing"
	"time"
)

// TestExpireWhileServed lets responses expire while they are served.
func TestExpireWhileServed(t *testing.T) {
	t.Parallel() // it waits most of the time
	o := newOrigin(t, 20)
	end := time.Now().Truncate(time.Second).Add(5 * time.Second)
	o.ca.NextUpdate = end
	o.served.Store(o.publish(t))
	d := serve(t, o.store)
	l := newLoad(o, d.addr)
	l.mayBe = func(status int, body []byte) bool { return isTryLater(status, body) && !time.Now().Before(end) }
	l.start()
	await(t, "tryLater", func() bool {
		asked := time.Now()
		status, body := askOnce(t, d.addr, o.questions[0])
		if status == http.StatusOK && asked.After(end.Add(time.Second)) {
			t.Fatalf("a response that expired at %v is served at %v", end, asked)
		}
		return isTryLater(status, body)
	})
	await(t, "/readyz to say 503", func() bool { return !d.ready() })
	o.ca.NextUpdate = end.Add(time.Hour)
	o.publishTo(t, d)
	await(t, "readiness after a good generation", d.ready)
	r := l.finish(t, "responses expire while they are served", 1)
	r.note = "503 *tryLater* from nextUpdate on, `/readyz` 503"
	record(t, r)
	d.stop()
}
