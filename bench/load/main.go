// Load sends HTTP requests that were made ready before to a server on loopback,
// compares the answers and prints, as JSON, how many there were and how long they
// took.
//
//	load --port 8080 --exchanges get.gob --duration 3s --connections 32
//	load --port 8080 --exchanges get.gob --rate 50000
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
)

func main() {
	port := flag.Int("port", 8080, "`PORT` of 127.0.0.1 to send to")
	exchanges := flag.String("exchanges", "", "`FILE` of requests and right answers")
	duration := flag.Duration("duration", 3*time.Second, "how long to send")
	connections := flag.Int("connections", 32, "`NUMBER` of connections")
	rate := flag.Float64("rate", 0, "send at this `RATE` a second, whatever the answers; 0: when the answer before is there")
	reconnect := flag.Bool("reconnect", false, "open a connection for each request")
	anyBody := flag.Bool("any", false, "take any body for right")
	shares := flag.Bool("shares", false, "wait for answers in place of asking for them again and again: another load has the same core")
	flag.Parse()

	g := &generator{to: &unix.SockaddrInet4{Port: *port, Addr: [4]byte{127, 0, 0, 1}}, rate: *rate, reconnect: *reconnect, any: *anyBody, shares: *shares, now: time.Now}
	if err := g.print(*exchanges, *connections, *duration); err != nil {
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(1)
	}
}

// print runs g and writes its result to standard output.
func (g *generator) print(exchanges string, connections int, d time.Duration) (err error) {
	if g.exchanges, err = traffic.Read(exchanges); err != nil {
		return err
	}
	runtime.LockOSThread()
	result, err := g.run(connections, d)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
