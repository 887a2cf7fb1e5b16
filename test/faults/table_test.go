package faults

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A row is what came of a fault.
type row struct {
	fault  string
	times  int           // tried
	asked  uint64        // requests of honest clients meanwhile
	failed uint64        // of them, those without an answer, or with one that the contract has not for them
	wrong  uint64        // of them, those whose answer was of another question or generation, or of none
	lost   int           // generations that were published, and then were not whole or not served
	p99    time.Duration // of them; it depends on the machine and decides nothing
	note   string
}

var (
	rowsMu sync.Mutex
	rows   []row
)

// record enters a row into the table and fails the test unless its last three
// numbers are 0.
func record(t *testing.T, r row) {
	t.Helper()
	rowsMu.Lock()
	defer rowsMu.Unlock()
	rows = append(rows, r)
	if r.failed > 0 || r.wrong > 0 || r.lost > 0 {
		t.Errorf("%s, %d times: of %d requests %d failed and %d were answered wrongly, %d generations were lost (%s)",
			r.fault, r.times, r.asked, r.failed, r.wrong, r.lost, r.note)
	}
	t.Logf("%s, %d times: %d requests, p99 %v (%s)", r.fault, r.times, r.asked, r.p99, r.note)
}

// writeTable writes the rows as a Markdown table; nothing if there is no file to
// write to.
func writeTable(file string) error {
	if file == "" {
		return nil
	}
	var b strings.Builder
	b.WriteString("| fault | times | requests | p99 | failed requests | wrong answers | lost generations | |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %d | %d | %d | %s |\n",
			r.fault, r.times, unless(r.asked == 0, fmt.Sprint(r.asked)), unless(r.p99 == 0, fmt.Sprint(r.p99)), r.failed, r.wrong, r.lost, r.note)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

func unless(absent bool, s string) string {
	if absent {
		return "–"
	}
	return s
}
