package status

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// recentKept is how many lines a Recent has: a screenful beside all else.
const recentKept = 15

// Recent passes on what is logged, and remembers the last warnings and errors. It is a
// slog.Handler, and safe for concurrent use.
type Recent struct {
	slog.Handler
	said []slog.Attr // of With
	kept *recentLines
}

type recentLines struct {
	mu   sync.Mutex
	rows [][]string // newest first
}

// NewRecent passes on to next.
func NewRecent(next slog.Handler) *Recent { return &Recent{Handler: next, kept: new(recentLines)} }

// Handle implements slog.Handler.
func (r *Recent) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelWarn {
		text := record.Message
		add := func(a slog.Attr) bool {
			text += fmt.Sprintf("; %s: %s", a.Key, a.Value)
			return true
		}
		for _, a := range r.said {
			add(a)
		}
		record.Attrs(add)
		r.kept.add([]string{record.Time.UTC().Format(time.RFC3339), record.Level.String(), text})
	}
	return r.Handler.Handle(ctx, record)
}

func (l *recentLines) add(row []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append([][]string{row}, l.rows[:min(len(l.rows), recentKept-1)]...)
}

// WithAttrs implements slog.Handler.
func (r *Recent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Recent{r.Handler.WithAttrs(attrs), append(r.said[:len(r.said):len(r.said)], attrs...), r.kept}
}

// WithGroup implements slog.Handler.
func (r *Recent) WithGroup(name string) slog.Handler {
	return &Recent{r.Handler.WithGroup(name), r.said, r.kept}
}

// Table is what is remembered, newest first.
func (r *Recent) Table() Table {
	r.kept.mu.Lock()
	defer r.kept.mu.Unlock()
	return Table{Title: "Last warnings and errors", Head: []string{"time", "level", "what"}, Rows: append([][]string{}, r.kept.rows...)}
}
