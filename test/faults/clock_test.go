package faults

import (
	"fmt"
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
	o.at = end.Add(-time.Second) // however long the build takes
	o.served.Store(o.publish(t))
	d := serve(t, o.store)
	l := newLoad(o, d.addr)
	l.mayBe = func(status int, body []byte) bool { return isTryLater(status, body) && !time.Now().Before(end) }
	l.also = func(asked time.Time, resp *http.Response) string {
		if resp.StatusCode == http.StatusOK && asked.After(end.Add(time.Second)) && o.published.Load() == 1 {
			return fmt.Sprintf("a response that expired at %v, asked for at %v", end, asked)
		}
		return ""
	}
	l.start()
	await(t, "tryLater", func() bool {
		return isTryLater(askOnce(t, d.addr, o.questions[0]))
	})
	d.await("responses have expired and are not served: sign and publish")
	if n := d.metric("lancred_expired_responses", ""); n != float64(len(o.questions)) {
		t.Errorf("lancred_expired_responses says %v, want %d", n, len(o.questions))
	}
	if !d.ready() {
		t.Error("the edge is not ready for what is so on all edges")
	}
	l.awaitRequests(t, 100)
	o.ca.NextUpdate, o.at = end.Add(time.Hour), time.Time{}
	o.publishTo(t, d)
	await(t, "no response to be expired", func() bool { return d.metric("lancred_expired_responses", "") == 0 })
	r := l.finish(t, "responses expire while they are served", 1)
	r.note = "503 *tryLater* from nextUpdate on; in the log and in `lancred_expired_responses`; `/readyz` stays 200"
	record(t, r)
	d.stop()
}
