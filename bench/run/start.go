package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"lancre/bench/proc"
	"lancre/bench/traffic"
)

// A start is what a large store costs before and while it is served.
type start struct {
	Seconds spread `json:"seconds"` // from exec to the first answer, the file being in the page cache
	Anon    int64  `json:"anon"`    // the most anonymous memory, octets, with manyConnections
	File    int64  `json:"file"`    // mapped from files then
}

const manyConnections = "1000"

func (r *runner) measureStart(ctx context.Context) error {
	if err := r.makeLarge(ctx); err != nil {
		return err
	}
	exchanges := filepath.Join(r.large.Dir, "get.gob")
	list, err := traffic.Read(exchanges)
	if err != nil {
		return err
	}
	r.results.Start, err = r.startRounds(ctx, r.large, list, exchanges)
	if err != nil {
		return err
	}
	return r.results.Start.print()
}

// startRounds starts lancred with the store of c, and asks it for the first of list, which
// is what the file exchanges has. In the last round it looks at its memory.
func (r *runner) startRounds(ctx context.Context, c *corpus, list []traffic.Exchange, exchanges string) (s start, err error) {
	var seconds []float64
	for round := range 1 + r.rounds {
		began := time.Now()
		p, err := r.startLancred(ctx, c.store())
		if err != nil {
			return s, err
		}
		err = p.ask(&list[0])
		took := time.Since(began)
		if err == nil && round == r.rounds {
			s.Anon, s.File, err = r.measureMemory(ctx, p, exchanges)
		}
		p.stop()
		if err != nil {
			return s, err
		}
		if round > 0 { // the first one may have had to read the file
			seconds = append(seconds, took.Seconds())
		}
	}
	s.Seconds = spreadOf(seconds)
	return s, nil
}

func (s *start) print() error {
	t := newTable("seconds to the first answer", "anonymous MB", "file MB")
	t.row(s.Seconds, float64(s.Anon)/1e6, float64(s.File)/1e6)
	return t.Flush()
}

// ask sends e and compares the answer.
func (p *process) ask(e *traffic.Exchange) error {
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(e.Request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(e.Bodies, func(b []byte) bool { return bytes.Equal(b, body) }) {
		return fmt.Errorf("%s with %d octets that are not the response", answer.Status, len(body))
	}
	return nil
}

// measureMemory looks at p's memory while manyConnections keep it busy: the most that is
// anonymous, and what is mapped from files then, in octets.
func (r *runner) measureMemory(ctx context.Context, p *process, exchanges string) (anon, file int64, err error) {
	stop := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- proc.PeakAnon(p.pid(), 20*time.Millisecond, stop) }()
	_, err = r.load(ctx, p, exchanges, "--duration", r.duration.String(), "--connections", manyConnections)
	close(stop)
	anon = <-peak
	if err != nil {
		return anon, 0, err
	}
	memory, err := proc.Memory(p.pid())
	return anon, memory.File, err
}
