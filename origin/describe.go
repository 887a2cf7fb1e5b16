package origin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"lancre/build/ca"
	"lancre/index/store"
)

// Describe writes, for a person, what following c would do.
func (c *Config) Describe(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s\t%s\n", name, fmt.Sprintf(format, args...)) // Flush reports errors
	}
	switch m, err := store.ReadManifest(c.Store); {
	case errors.Is(err, fs.ErrNotExist):
		row("store", "%s, which is begun", c.Store)
	case err != nil:
		return err
	default:
		row("store", "%s, at generation %d", c.Store, m.Generation)
	}
	issuers, err := ca.Load(c.Issuers, c.IssuerNames...)
	if err != nil {
		return err
	}
	for _, is := range issuers.List {
		row("issuer", "%s", is.Cert.Subject)
	}
	var profiles []string
	for _, p := range c.addition.Profiles {
		profiles = append(profiles, p.String())
	}
	row("profiles", "%s", strings.Join(profiles, ", "))
	for _, id := range c.Hold {
		row("hold", "%s", id)
	}
	for _, s := range c.sources {
		set := s.Settings()
		row(set.Name, "%s; every %s, or when something changes; silent for %s at most", s, set.Every, set.Silence)
	}
	for _, t := range c.Publish {
		row(t.Name, "%s", t)
	}
	row("heartbeat", "every %s", c.Heartbeat)
	row("manifests", "%s", c.describeSigning())
	row("merge", "at most %d octets at a time; tombstones go after %s", c.policy.MaxWrite, time.Duration(c.policy.ExpiredAfter)*time.Second)
	row("history", "the last %d generations, and all of %s", c.keep.Generations, c.keep.Since)
	if c.Admin != "" {
		row("admin", "http://%s", c.Admin)
	}
	return tw.Flush()
}

// describeSigning says who signs manifests, and how long they are good.
func (c *Config) describeSigning() string {
	text := "not signed"
	if origin := c.signing.Keys.Origin(); origin != "" {
		text = "signed by " + origin
	}
	if c.trust != nil {
		text += ", and verified"
	}
	if c.Expires > 0 {
		text += fmt.Sprintf("; stale after %s", c.Expires)
	}
	return text
}
