package status

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
)

// What is remembered is what somebody should look at, with all that the line says.
func TestRecent(t *testing.T) {
	r := NewRecent(slog.NewTextHandler(io.Discard, nil))
	log := slog.New(r)
	log.Info("all is well")
	log.With("store", "s").WithGroup("g").Error("it burns", "err", io.ErrUnexpectedEOF)
	rows := r.Table().Rows
	if len(rows) != 1 || rows[0][1] != "ERROR" || rows[0][2] != "it burns; store: s; err: unexpected EOF" {
		t.Errorf("rows %q", rows)
	}
	for i := range 2 * recentKept {
		log.Warn(fmt.Sprint("warning ", i))
	}
	if rows = r.Table().Rows; len(rows) != recentKept || rows[0][2] != fmt.Sprint("warning ", 2*recentKept-1) {
		t.Errorf("%d rows, the first %q", len(rows), rows[0])
	}
}
