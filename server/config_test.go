package server

import (
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestConfigCheck(t *testing.T) {
	for _, c := range []struct {
		want  string // empty for no error
		spoil func(*Config)
	}{
		{"", func(*Config) {}},
		{"", func(c *Config) { c.MalformedStatus, c.ExpiredStatus = 200, 200 }},
		{"", func(c *Config) { c.CapMaxAge, c.FreshWithin, c.Drain = 0, 0, 0 }},
		{"malformed status is 404: want 400 or 200", func(c *Config) { c.MalformedStatus = 404 }},
		{"expired status is 0: want 503 or 200", func(c *Config) { c.ExpiredStatus = 0 }},
		{"there is no log or no clock: begin with DefaultConfig", func(c *Config) { c.Log = nil }},
		{"there is no log or no clock: begin with DefaultConfig", func(c *Config) { c.Now = nil }},
		{"negative max age is -1s: want 0s or more", func(c *Config) { c.NegativeMaxAge = -time.Second }},
		{"cap max age is -1s: want 0s or more", func(c *Config) { c.CapMaxAge = -time.Second }},
		{"fresh within is -1s: want 0s or more", func(c *Config) { c.FreshWithin = -time.Second }},
		{"drain wait is -1s: want 0s or more", func(c *Config) { c.DrainWait = -time.Second }},
		{"drain is -1ns: want 0s or more", func(c *Config) { c.Drain = -1 }},
		{"max conns is -1: want 0, for no bound, or more", func(c *Config) { c.MaxConns = -1 }},
		{"max conns per peer is -2: want 0, for no bound, or more", func(c *Config) { c.MaxConnsPerPeer = -2 }},
		{"max rate is -3: want 0, for no bound, or more", func(c *Config) { c.MaxRate = -3 }},
		{`prefix "ocsp": want a path as it is on the wire, such as /ocsp`, func(c *Config) { c.Prefixes = []string{"/a", "ocsp"} }},
		{`prefix "/o%63sp": want a path as it is on the wire, such as /ocsp`, func(c *Config) { c.Prefixes = []string{"/o%63sp"} }},
	} {
		cfg := DefaultConfig()
		c.spoil(&cfg)
		got := ""
		if err := cfg.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What the operator set stays as it was; wire makes a copy that is compared with
// requests.
func TestConfigIsNotChanged(t *testing.T) {
	cfg := DefaultConfig()
	cfg.DefaultHost, cfg.Prefixes = "C.Example.", []string{"/", "/ocsp", "/ocsp/deep/"}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	wire := cfg.wire()
	if want := []string{"/ocsp/deep", "/ocsp", ""}; wire.DefaultHost != "c.example" || !reflect.DeepEqual(wire.Prefixes, want) {
		t.Errorf("host %q, prefixes %q; want c.example, %q", wire.DefaultHost, wire.Prefixes, want)
	}
	if want := []string{"/", "/ocsp", "/ocsp/deep/"}; cfg.DefaultHost != "C.Example." || !reflect.DeepEqual(cfg.Prefixes, want) {
		t.Errorf("host %q, prefixes %q after Check and wire; want C.Example., %q", cfg.DefaultHost, cfg.Prefixes, want)
	}
}

// A directory of something else is as wrong as none: it would be waited for in vain. An
// empty one is waited for, also while the first copy arrives in it.
func TestStoreMustBeAStore(t *testing.T) {
	for _, c := range []struct {
		entries []string
		want    string // of the error; "" for none
	}{
		{nil, ""},
		{[]string{"lost+found", ".manifest.Xq3r9t"}, ""},
		{[]string{"objects"}, ""},
		{[]string{"manifest", "README"}, ""},
		{[]string{"passwd"}, `is no store: it has no manifest and no objects, but "passwd"`},
		{[]string{"store", ".hidden"}, `but "store": want the directory that lancre build wrote, or an empty one`},
	} {
		cfg := DefaultConfig()
		cfg.Store, cfg.Log = t.TempDir(), slog.New(slog.DiscardHandler)
		for _, name := range c.entries {
			writeFile(t, filepath.Join(cfg.Store, name), nil)
		}
		if _, err := New(cfg); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.entries, err, c.want)
		}
	}
}
