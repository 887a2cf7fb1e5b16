package anycast

import (
	"bytes"
	"os"
	"testing"

	"lancre/internal/programs"
)

// ExaBGP can stand in for BIRD and lancred announce: it is told what to announce by a
// script that asks lancred health.
func TestExaBGP(t *testing.T) {
	l := newLab(t)
	programs.Need(t, "exabgp")
	e := l.edges[0]
	e.agent.kill()
	e.bird.kill()
	l.await("edge 2 alone", func() bool { return l.routes() == "2" })
	text, err := os.ReadFile(conf(t, "exabgp.conf"))
	check(t, err)
	file := l.path("exabgp.conf")
	check(t, os.WriteFile(file, bytes.ReplaceAll(text, []byte("/usr/local/lib/lancre/exabgp-lancred"), []byte(conf(t, "exabgp-lancred"))), 0o644))
	exabgp := l.start("edge1", "env", "exabgp.daemon.user=root", "exabgp.api.cli=false", "exabgp.log.destination=stdout", "exabgp", file)
	l.await("both edges", func() bool { return l.routes() == "12" })
	e.stale(true)
	l.await("edge 2 alone, for edge 1 is stale", func() bool { return l.routes() == "2" })
	l.edges[1].stale(true)
	l.await("both edges, for both are stale", func() bool { return l.routes() == "12" })
	l.edges[1].stale(false)
	l.await("edge 2 alone", func() bool { return l.routes() == "2" })
	e.stale(false)
	l.await("both edges", func() bool { return l.routes() == "12" })
	e.lancred.kill()
	l.await("edge 2 alone, for edge 1 is dead", func() bool { return l.routes() == "2" })
	e.startLancred()
	l.await("both edges", func() bool { return l.routes() == "12" })
	exabgp.kill()
	l.await("edge 2 alone, for ExaBGP is gone", func() bool { return l.routes() == "2" })
}
