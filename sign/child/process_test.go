package child

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// actsAs is the variable that has the test binary be a program.
const actsAs = "LANCRE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(actsAs) {
	case "":
		os.Exit(m.Run())
	case "hopeless":
		os.Exit(ExitHopeless)
	}
	if err := Serve(os.Stdin, os.Stdout, seeded, 8); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A real program that is killed again and again does not keep its parent from signing.
func TestKilledProcess(t *testing.T) {
	t.Setenv(actsAs, "key")
	k, err := Start(Options{Command: []string{os.Args[0]}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for range 3 {
		k.mu.Lock()
		p := k.session.program.(*process)
		k.mu.Unlock()
		var callers sync.WaitGroup
		callers.Go(func() { signMany(t, k, 50) })
		p.cmd.Process.Kill()
		callers.Wait()
		if k.mu.Lock(); k.session.program == p {
			t.Error("the killed program signed on")
		}
		k.mu.Unlock()
	}
}

func TestHopelessProcess(t *testing.T) {
	t.Setenv(actsAs, "key")
	k, err := Start(Options{Command: []string{os.Args[0]}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	t.Setenv(actsAs, "hopeless")
	k.session.program.kill()
	if err := sign(k, "x"); err == nil || !strings.Contains(err.Error(), "exit status 78 (given up after 2 starts") {
		t.Errorf("error %v", err)
	}
}

func TestNoSuchProgram(t *testing.T) {
	_, err := Start(Options{Command: []string{"lancre-no-such-program"}})
	if err == nil || !strings.Contains(err.Error(), "key exec:lancre-no-such-program") {
		t.Errorf("error %v", err)
	}
}
