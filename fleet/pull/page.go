package pull

import (
	"fmt"
	"os"
	"strings"

	"lancre/internal/status"
	"lancre/internal/version"
)

// page is what there is to see, for operators. It may be called at any time.
func (p *Puller) page() *status.Page {
	host, _ := os.Hostname() // "" is as good as any
	now := p.cfg.Now().UTC()
	page := &status.Page{
		Program: "lancred pull", Version: version.String(), Host: host, At: now, Problems: p.problems(),
		Facts:  []status.Fact{{Name: "store", Value: p.cfg.Store}, {Name: "from", Value: strings.Join(p.cfg.From, ", ")}},
		Tables: []status.Table{p.recent.Table()},
	}
	o := p.metrics.installed.Load()
	if o == nil {
		return page
	}
	m := o.manifest
	add := func(name, format string, args ...any) {
		page.Facts = append(page.Facts, status.Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	add("installed", "generation %d of %s, published %s", o.generation(), m.Origin, m.Created.UTC().Format(timeLayout))
	if !m.Expires.IsZero() {
		add("stale from", "%s", m.Expires.UTC().Format(timeLayout))
	}
	if n := p.metrics.onTrial.Load(); n > 0 {
		add("on trial", "%d generations that lancred was not seen to serve yet", n)
	}
	page.Stack = status.Stack(m, now)
	return page
}

const timeLayout = "2006-01-02T15:04:05Z07:00"

// problems are what somebody has to do something about, the gravest first.
func (p *Puller) problems() []status.Problem {
	list := []status.Problem{}
	o := p.metrics.installed.Load()
	if o == nil {
		list = append(list, status.Problem{What: "Nothing is installed", Remedy: "Look at the sources, and at the keys that are trusted: the log says more.", Grave: true})
	}
	if p.metrics.pinned.Load() {
		list = append(list, status.Problem{
			What:   "A generation was put back, for lancred did not serve what followed",
			Remedy: "Look at the log of lancred, and publish a good one: it is taken by itself.", Grave: true,
		})
	}
	if o != nil && !o.manifest.Expires.IsZero() && !p.cfg.Now().Before(o.manifest.Expires) {
		list = append(list, status.Problem{
			What:   "The generation is stale: another one should have been published by " + o.manifest.Expires.UTC().Format(timeLayout),
			Remedy: "Look at the origin, then at the way from there. Do not withdraw the edge: all are stale at once.",
		})
	}
	if why := p.metrics.failure.Load(); why != nil {
		list = append(list, status.Problem{What: "The last poll failed: " + *why, Remedy: "Look at these sources, and at the way there. What is served stays, and each poll tries again."})
	}
	return list
}
