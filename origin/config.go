package origin

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/pelletier/go-toml/v2"

	"lancre/build"
	"lancre/build/ca"
	"lancre/build/rule"
	"lancre/index/store"
	"lancre/origin/source"
)

// Config is the file that lancre follow reads, in TOML. Paths in it are relative to its
// directory. Begin with Load.
type Config struct {
	// Store is the store directory, which is begun if absent.
	Store string `toml:"store"`

	// Origin is the publisher's name in the manifest. Default: the one before, or "lancre".
	Origin string `toml:"origin"`

	// Issuers and IssuerNames are files of certificates, as those of build.Config.
	Issuers     []string `toml:"issuers"`
	IssuerNames []string `toml:"issuer_names"`

	// Profiles are the rules to check against. Default: private.
	Profiles []string `toml:"profiles"`

	// Warn, Error and Hold name checks, as those of build.Config.
	Warn  []string `toml:"warn"`
	Error []string `toml:"error"`
	Hold  []string `toml:"hold"`

	// Admin is the address of health and metrics, which must not be public; empty for
	// nowhere.
	Admin string `toml:"admin"`

	// Heartbeat is how long nothing need be published. Default: a minute.
	Heartbeat source.Duration `toml:"heartbeat"`

	// ManifestKey is a file of private keys that sign every generation, one a line: two
	// while one takes the place of the other. Empty for no signature.
	ManifestKey string `toml:"manifest_key"`

	// Expires is how long after it was made edges call a generation stale. Default: never.
	Expires source.Duration `toml:"expires"`

	// Trust is a file of public keys, one a line. One of them must have signed what is in
	// the store at the beginning, and what is published. Empty for any.
	Trust string `toml:"trust"`

	Merge   Merge   `toml:"merge"`
	History History `toml:"history"`

	// The sources, any number of each kind.
	Spool    []*source.Spool    `toml:"spool"`
	Database []*source.Database `toml:"database"`
	Command  []*source.Command  `toml:"command"`
	Static   []*source.Static   `toml:"static"`
	CRLURL   []*source.CRLURL   `toml:"crl_url"`
	Sign     []*source.Sign     `toml:"sign"`
	SignCRL  []*source.SignCRL  `toml:"sign_crl"`

	// Publish is where the store is published to, any number of places.
	Publish []*Target `toml:"publish"`

	signing  store.Signing
	trust    *store.Trust
	sources  []source.Source
	addition build.Addition    // without what is added
	policy   store.MergePolicy // as Merge says
	keep     store.Keep        // as History says
}

// Merge is the policy by which layers become fewer: see store.MergePolicy.
type Merge struct {
	MaxWrite     string          `toml:"max_write"`     // octets that are written at a time, as "512MiB"
	ExpiredAfter source.Duration `toml:"expired_after"` // default: 30 days
}

// History is what stays of earlier generations: see store.Keep.
type History struct {
	Keep    *int             `toml:"keep"`     // default: 3
	KeepFor *source.Duration `toml:"keep_for"` // default: a day
}

// Load reads and checks a configuration.
func Load(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &Config{Heartbeat: source.Duration(time.Minute)}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, placed(file, err)
	}
	if err := c.prepare(filepath.Dir(file)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// placed says where in the file it is wrong.
func placed(file string, err error) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		first := unknown.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("%s:%d: no key is called %q here", file, line, first.Key()[len(first.Key())-1])
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := wrong.Position()
		return fmt.Errorf("%s:%d:%d: %w", file, line, column, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// prepare checks c, whose paths are relative to base, and makes of it what a run needs.
func (c *Config) prepare(base string) error {
	if c.Store == "" {
		return errors.New("no store: want store = \"DIR\"")
	}
	c.Store = within(base, c.Store)
	for _, files := range [][]string{c.Issuers, c.IssuerNames} {
		for i := range files {
			files[i] = within(base, files[i])
		}
	}
	if c.Heartbeat <= 0 {
		return fmt.Errorf("heartbeat = %s: want more than 0", c.Heartbeat)
	}
	if err := c.prepareSigning(base); err != nil {
		return err
	}
	if err := c.prepareTargets(base); err != nil {
		return err
	}
	if err := c.prepareSources(base); err != nil {
		return err
	}
	if err := c.prepareAddition(); err != nil {
		return err
	}
	return c.prepareUpkeep()
}

func within(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// prepareSigning reads the keys.
func (c *Config) prepareSigning(base string) (err error) {
	c.signing.Expires = time.Duration(c.Expires)
	if c.Expires != 0 && c.Expires <= c.Heartbeat {
		return fmt.Errorf("expires = %s: want more than the heartbeat, %s, or edges are stale between two generations", c.Expires, c.Heartbeat)
	}
	if c.ManifestKey != "" {
		if c.signing.Keys, err = store.ReadKeys(within(base, c.ManifestKey)); err != nil {
			return fmt.Errorf("manifest_key: %w", err)
		}
	}
	if c.Trust == "" {
		return nil
	}
	if c.trust, err = store.ReadTrust(within(base, c.Trust)); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	if signs := c.signing.Keys.Origin(); signs != c.trust.Origin() {
		return fmt.Errorf("trust is in the keys of %s, and manifest_key signs for %q: want a key of the same origin", c.trust.Origin(), signs)
	}
	return nil
}

// prepareTargets checks where the store is published to.
func (c *Config) prepareTargets(base string) error {
	taken := names{"heartbeat": true, "merge": true, "gc": true} // the other tasks
	for i, t := range c.Publish {
		where, err := taken.claim("publish", i, &t.Name)
		if err == nil {
			err = t.prepare(base, c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

// names are those that are taken.
type names map[string]bool

// nameForm is what sources and targets can be called: manifests and metrics have the names.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// claim takes the name of table i of a kind, which gets one if it has none. It returns
// what the table is called in errors.
func (n names) claim(kind string, i int, name *string) (where string, err error) {
	if *name == "" {
		*name = strings.ReplaceAll(kind, "_", "-")
		if i > 0 {
			*name += "-" + strconv.Itoa(i+1)
		}
	}
	where = fmt.Sprintf("[[%s]] %q", kind, *name)
	switch {
	case !nameForm.MatchString(*name):
		err = errors.New("want a name of letters, digits and hyphens")
	case n[*name]:
		err = errors.New("this name is taken")
	}
	n[*name] = true
	return where, err
}

// prepareSources makes the list of sources.
func (c *Config) prepareSources(base string) error {
	profiles, err := c.profiles()
	if err != nil {
		return err
	}
	l := sourceList{base: base, taken: make(names)}
	for i, s := range c.Spool {
		l.add("spool", i, &s.Name, s)
		if l.err == nil {
			l.sources = append(l.sources, s.Large())
		}
	}
	for i, s := range c.Database {
		l.add("database", i, &s.Name, s)
		if l.err == nil {
			l.sources = append(l.sources, s.Sweeper())
		}
	}
	for i, s := range c.Command {
		l.add("command", i, &s.Name, s)
	}
	for i, s := range c.Static {
		l.add("static", i, &s.Name, s)
	}
	for i, s := range c.CRLURL {
		l.add("crl_url", i, &s.Name, s)
	}
	for i, s := range c.Sign {
		s.Store, s.Issuers, s.Profiles = c.Store, c.Issuers, profiles
		l.add("sign", i, &s.Name, s)
	}
	for i, s := range c.SignCRL {
		s.Issuers, s.Profiles = c.Issuers, profiles
		l.add("sign_crl", i, &s.Name, s)
	}
	if l.err == nil && len(l.sources) == 0 {
		return errors.New("no source: want [[spool]], [[database]], [[command]], [[static]], [[crl_url]], [[sign]] or [[sign_crl]]")
	}
	c.sources = l.sources
	return l.err
}

// A sourceList is the sources of a configuration as they are found.
type sourceList struct {
	base    string
	taken   names
	sources []source.Source
	err     error // the first
}

// add prepares source i of its kind, and gives it a name if it has none.
func (l *sourceList) add(kind string, i int, name *string, s interface {
	source.Source
	Prepare(base string) error
}) {
	if l.err != nil {
		return
	}
	where, err := l.taken.claim(kind, i, name)
	if err == nil {
		err = s.Prepare(l.base)
	}
	if err != nil {
		l.err = fmt.Errorf("%s: %w", where, err)
	}
	l.sources = append(l.sources, s)
}

// prepareAddition makes what all additions have in common.
func (c *Config) prepareAddition() (err error) {
	a := build.Addition{Config: build.DefaultConfig()}
	a.Out, a.Origin, a.Issuers, a.IssuerNames = c.Store, c.Origin, c.Issuers, c.IssuerNames
	a.Warn, a.Error, a.Hold = c.Warn, c.Error, c.Hold
	a.Signing = c.signing
	a.MaxRejects = maxRejects
	if a.Profiles, err = c.profiles(); err != nil {
		return err
	}
	if len(c.Spool)+len(c.Database)+len(c.Command)+len(c.Sign) > 0 && len(c.Issuers) == 0 {
		return errors.New("no issuers, whose certificates responses are checked by: want issuers = [\"FILE\"]")
	}
	if _, err := ca.Load(c.Issuers, c.IssuerNames...); err != nil {
		return err
	}
	c.addition = a
	a.Static = []string{"."} // for what is checked of it
	return a.Check()
}

// profiles are the rules to check against.
func (c *Config) profiles() (list []rule.Profile, err error) {
	if len(c.Profiles) == 0 {
		return []rule.Profile{rule.Private}, nil
	}
	for _, name := range c.Profiles {
		p, err := rule.ParseProfile(name)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// prepareUpkeep makes the policies of merges and of the history.
func (c *Config) prepareUpkeep() error {
	c.policy, c.keep = store.DefaultMergePolicy, store.DefaultKeep
	c.policy.Signing = c.signing
	if text := c.Merge.MaxWrite; text != "" {
		octets, err := humanize.ParseBytes(text)
		if err != nil || octets == 0 || octets > 1<<62 {
			return fmt.Errorf("merge: max_write = %q: want a size, as \"512MiB\"", text)
		}
		c.policy.MaxWrite = int64(octets)
	}
	if after := time.Duration(c.Merge.ExpiredAfter); after < 0 {
		return fmt.Errorf("merge: expired_after = %s: it cannot be negative", after)
	} else if after > 0 {
		c.policy.ExpiredAfter = int64(after / time.Second)
	}
	if n := c.History.Keep; n != nil {
		c.keep.Generations = *n
	}
	if d := c.History.KeepFor; d != nil {
		c.keep.Since = time.Duration(*d)
	}
	if c.keep.Generations < 0 || c.keep.Since < 0 {
		return fmt.Errorf("history: keep = %d, keep_for = %s: they cannot be negative", c.keep.Generations, c.keep.Since)
	}
	return nil
}
