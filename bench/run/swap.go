package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A swapped is one change of generation under load.
type swapped struct {
	Seconds  float64 `json:"seconds"`   // from the new manifest to answers of the new generation
	Quiet    float64 `json:"quiet_us"`  // p99.9 of a second before, the median of them
	During   float64 `json:"during_us"` // p99.9 of the worst second in which the swap went on
	Answered uint64  `json:"answered"`
	Wrong    uint64  `json:"wrong"` // neither generation's response
	Failed   uint64  `json:"failed"`
}

func (r *runner) measureSwap(ctx context.Context) error {
	if err := r.makeLarge(ctx); err != nil {
		return err
	}
	r.results.Swap = nil
	t := newTable("swap s", "p99.9 µs quiet", "during", "ratio", "answered", "wrong", "failed")
	for range min(r.rounds, 3) {
		s, err := r.swap(ctx, r.large)
		if err != nil {
			return err
		}
		r.results.Swap = append(r.results.Swap, s)
		t.row(s.Seconds, s.Quiet, s.During, s.During/s.Quiet, s.Answered, s.Wrong, s.Failed)
	}
	return t.Flush()
}

// swap starts lancred with generation 1 of c's store and puts generation 2 in its place
// half way through a load run.
func (r *runner) swap(ctx context.Context, c *corpus) (s swapped, err error) {
	if err := c.install(1); err != nil {
		return s, err
	}
	p, err := r.startLancred(ctx, c.store())
	if err != nil {
		return s, err
	}
	defer p.stop()
	published := make(chan time.Time, 1)
	time.AfterFunc(r.watched/2, func() {
		published <- time.Now()
		if err := c.install(2); err != nil {
			fmt.Fprintf(os.Stderr, "run: generation 2: %v\n", err)
		}
	})
	run, err := r.load(ctx, p, filepath.Join(c.Dir, "get.gob"),
		"--duration", r.watched.String(), "--rate", fmt.Sprint(r.swapRate), "--connections", openConnections)
	if err != nil {
		return s, err
	}
	served, err := p.servedAt()
	if err != nil {
		return s, err
	}
	begun := <-published
	s = swapped{Seconds: served.Sub(begun).Seconds(), Answered: run.Answered, Wrong: run.Wrong, Failed: run.Failed}
	s.split(&run, begun, served)
	return s, nil
}

// split tells the seconds of the swap from those before. The last second is cut
// short and does not count.
func (s *swapped) split(run *sample, published, served time.Time) {
	var quiet []float64
	for i, w := range run.Windows[:int(run.Seconds)] {
		begin := run.Begin.Add(time.Duration(i) * time.Second)
		end := begin.Add(time.Second)
		switch {
		case i > 0 && end.Before(published): // the first second opens connections
			quiet = append(quiet, w.P999)
		case begin.Before(served) && end.After(published):
			s.During = max(s.During, w.P999)
		}
	}
	s.Quiet = spreadOf(quiet).Median
}

// servedAt is when lancred's log says that a second generation is served.
func (p *process) servedAt() (at time.Time, err error) {
	f, err := os.Open(p.log)
	if err != nil {
		return at, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Time time.Time
			Msg  string
			Was  uint64
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "generation served" && line.Was > 0 {
			return line.Time, nil
		}
	}
	return at, errors.New("lancred did not serve a second generation before the load run ended")
}
