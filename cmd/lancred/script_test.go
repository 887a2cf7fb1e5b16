package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"lancre/index/store"
	"lancre/internal/programs"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lancred": main})
}

// TestScript runs testdata/*.txtar. Beside testscript's own, their commands are
//
//	keygen NAME                 make a key of origin.example.org, NAME.key and NAME.pub
//	publish STORE TEXT [KEY]... make TEXT the page /page of STORE's next generation, signed by each KEY.key
//	publishing DIR VAR          serve the files of DIR by HTTP, at the URL that VAR becomes
//	await LOG MSG [VAR KEY]     wait for the next line with that message in a log of lancred,
//	                            and set the variable VAR to its attribute KEY
//	request METHOD URL STATUS   make a request; its body becomes the file "body"
//	signal NAME                 send SIGNAME to the only program in the background
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"keygen":     keygen,
			"publish":    publish,
			"await":      await,
			"publishing": publishing,
			"request":    request,
			"signal":     signalOne,
		},
	})
}

func keygen(ts *testscript.TestScript, _ bool, args []string) {
	pair, err := store.GenerateKey("origin.example.org", ts.MkAbs("."))
	ts.Check(err)
	ts.Check(os.Rename(pair.Private, ts.MkAbs(args[0]+".key")))
	ts.Check(os.Rename(pair.Public, ts.MkAbs(args[0]+".pub")))
}

func publish(ts *testscript.TestScript, _ bool, args []string) {
	p, err := store.Begin(ts.MkAbs(args[0]))
	ts.Check(err)
	defer p.Close()
	if len(args) > 2 {
		var files []string
		for _, key := range args[2:] {
			files = append(files, ts.MkAbs(key+".key"))
		}
		keys, err := store.ReadKeys(files...)
		ts.Check(err)
		ts.Check(p.SignWith(store.Signing{Keys: keys}))
	}
	sum, size, err := p.AddObject(strings.NewReader(args[1]))
	ts.Check(err)
	now := time.Now()
	ts.Check(p.Commit(&store.Manifest{Origin: "test", Created: now, Files: []store.FileLine{{
		Host: "_", Path: "/page", ContentType: "text/plain", Size: size, SHA256: sum, LastModified: now,
	}}}))
}

func publishing(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.URL)
}

// patience bounds the wait for an event, on a machine however busy.
const patience = programs.Patience

func await(ts *testscript.TestScript, _ bool, args []string) {
	path, msg := ts.MkAbs(args[0]), args[1]
	// What was read before is not waited for again.
	skip, _ := strconv.Atoi(ts.Getenv("READ_" + args[0]))
	for deadline := time.Now().Add(patience); ; {
		log, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			ts.Check(err)
		}
		if line, end := findLine(log[min(skip, len(log)):], msg); line != nil {
			ts.Setenv("READ_"+args[0], strconv.Itoa(skip+end))
			if len(args) == 4 {
				ts.Setenv(args[2], fmt.Sprint(line[args[3]]))
			}
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q is not in the log within %v:\n%s", msg, patience, log)
		}
		time.Sleep(5 * time.Millisecond) // until the file grows
	}
}

// findLine returns the first line of a log with that message, and where it ends.
func findLine(log []byte, msg string) (line map[string]any, end int) {
	for lines := bufio.NewScanner(bytes.NewReader(log)); lines.Scan(); {
		end += len(lines.Bytes()) + 1
		var attrs map[string]any
		if json.Unmarshal(lines.Bytes(), &attrs) == nil && attrs["msg"] == msg {
			return attrs, end
		}
	}
	return nil, 0
}

func request(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	if neg {
		if err == nil {
			ts.Fatalf("answered %s, want no connection", resp.Status)
		}
		return
	}
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o644))
	if got := strconv.Itoa(resp.StatusCode); got != args[2] {
		ts.Fatalf("%s %s: status %s, want %s: %s", args[0], args[1], got, args[2], body)
	}
}

func signalOne(ts *testscript.TestScript, _ bool, args []string) {
	cmds := ts.BackgroundCmds()
	if len(cmds) != 1 {
		ts.Fatalf("%d programs in the background, want 1", len(cmds))
	}
	ts.Check(cmds[0].Process.Signal(syscall.Signal(unix.SignalNum("SIG" + args[0]))))
}
