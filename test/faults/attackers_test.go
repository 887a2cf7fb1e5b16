package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A job is what attackers are told. They are a process of their own, for in one with
// the honest clients these wait in Go's scheduler until all attackers had their turn,
// and what is to be measured is how long they wait for lancred.
type job struct {
	Attack      string
	Addr        string
	Attackers   int
	Gets, Posts [][]byte // requests as the honest make them
}

// attackFlag makes the test binary attack in place of testing. Standard input is a
// job and ends when the attack shall end; standard output is how many connections
// were opened.
const attackFlag = "attack-as-told"

// assault lets attackers attack until the honest clients have made some requests and
// some time has passed, and returns how many connections they opened.
func assault(t *testing.T, attack string, o *origin, d *daemon, l *load) (opened int) {
	t.Helper()
	j := job{Attack: attack, Addr: d.addr, Attackers: size(20, 200)}
	for _, q := range o.questions {
		j.Gets = append(j.Gets, slices.Concat(q.get, []byte("\r\n")))
		j.Posts = append(j.Posts, slices.Concat(q.post, []byte("\r\n"), q.body))
	}
	told, err := json.Marshal(j)
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-"+attackFlag)
	cmd.Stderr = os.Stderr
	tell, err := cmd.StdinPipe()
	check(t, err)
	hear, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = tell.Write(told)
	check(t, err)
	l.awaitRequests(t, 300)
	time.Sleep(time.Duration(size(300, 3000)) * time.Millisecond) // how long an attack lasts is its size
	tell.Close()
	_, err = fmt.Fscan(hear, &opened)
	check(t, err)
	check(t, cmd.Wait())
	return opened
}

// attackAsTold is the process of the attackers.
func attackAsTold() error {
	var j job
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&j); err != nil {
		return err
	}
	i := slices.IndexFunc(attacks, func(k attack) bool { return k.name == j.Attack })
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // to its end
		close(stop)
	}()
	_, err := fmt.Println(attacks[i].launch(j, stop))
	return err
}

// launch attacks until stop is closed and returns how many connections were opened.
func (k attack) launch(j job, stop chan struct{}) int64 {
	var opened atomic.Int64
	var attackers sync.WaitGroup
	for i := range j.Attackers {
		a := &attacker{j, stop, rand.New(rand.NewPCG(uint64(i), 3))}
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 3, byte(i+1))}, Timeout: patience}
		attackers.Go(func() {
			for !a.stopped() {
				if c, err := dialer.Dial("tcp4", j.Addr); err == nil {
					opened.Add(1)
					go closeWhen(stop, c)
					k.do(a, c)
					c.Close()
				}
				a.pause()
			}
		})
	}
	attackers.Wait()
	return opened.Load()
}

// closeWhen ends what waits for c when the attack is over.
func closeWhen(stop <-chan struct{}, c net.Conn) {
	<-stop
	c.Close()
}
