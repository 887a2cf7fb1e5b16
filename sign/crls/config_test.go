package crls

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"lancre/build/rule"
	"lancre/sign/certificates"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.URL = "http://c.example.org/a-b_c/x.y~1/1,2;3=4.crl" }, ""},
		{func(c *Config) { c.Issuer = "" }, "--issuer"},
		{func(c *Config) { c.Static = "" }, "--static"},
		{func(c *Config) { c.URL = "" }, "--url"},
		{func(c *Config) { c.URL = "https://c.example.org/1.crl" }, "want http://HOST/PATH"},
		{func(c *Config) { c.URL = "http://C.example.org/1.crl" }, "the host in lower case"},
		{func(c *Config) { c.URL = "http://c.example.org:80/1.crl" }, "without port"},
		{func(c *Config) { c.URL = "http://c.example.org/1.crl?x" }, "query"},
		{func(c *Config) { c.URL = "http://c.example.org/%31.crl" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org/../1.crl" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org/.1.crl" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org/" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org//1.crl" }, "want http"},
		{func(c *Config) { c.URL = "http://c.example.org/{shard}.crl" }, "no shards are named (--crl-shards)"},
		{func(c *Config) { c.Shards = must(ParseShards("1-2")) }, "does not say where the name of a shard comes"},
		{func(c *Config) { c.Profiles = nil }, "--profile"},
		{func(c *Config) { c.Validity = 0 }, "a minute at least"},
		{func(c *Config) { c.Validity += time.Millisecond }, "want whole seconds"},
		{func(c *Config) { c.Validity = 240 * time.Hour }, ""},
		{func(c *Config) { c.Validity, c.Profiles = 240*time.Hour, []rule.Profile{rule.BR} }, "want at most 239h59m59s under these profiles"},
		{func(c *Config) {
			c.Validity, c.Profiles, c.Subordinates = 240*time.Hour, []rule.Profile{rule.BR}, true
		}, ""},
		{func(c *Config) { c.Every = 100 * time.Hour }, "want 0 up to half of their validity"},
		{func(c *Config) { c.Every = -1 }, "want 0 up to half"},
		{func(c *Config) { c.KeepExpired = -1 }, "--keep-expired"},
		{func(c *Config) { c.MaxShrink = math.NaN() }, "--max-shrink"},
		{func(c *Config) { c.MaxShrink = 101 }, "--max-shrink"},
		{func(c *Config) { c.Force = []string{"everything"} }, `"everything" cannot be forced`},
		{func(c *Config) { c.Force, c.Profiles = []string{ForceHold}, []rule.Profile{rule.BR} }, "which know no hold"},
		{func(c *Config) { c.List.Source = "" }, "--certificates"},
	} {
		c := DefaultConfig()
		c.Issuer, c.Static, c.URL, c.List = "ca.pem", "www", "http://c.example.org/1.crl", certificates.List{Source: "all.csv"}
		tt.change(&c)
		err := c.Check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}

func TestParseShards(t *testing.T) {
	for text, want := range map[string]string{
		"": "[] 0", "1-3": "[1 2 3] 0", "7-7": "[7] 0", "serial-mod:2": "[1 2] 2", "serial-mod:1000": "", "1-1000": "",
		"3-1": "error", "1": "error", "a-b": "error", "1-1001": "error", "serial-mod:0": "error", "serial-mod:1001": "error", "serial-mod:": "error", "0-4294967295": "error",
	} {
		s, err := ParseShards(text)
		got := fmt.Sprint(s.names, s.by)
		if err != nil {
			got = "error"
		}
		if want != "" && got != want || want == "" && len(s.names) != 1000 {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// The shard of a serial number is that which Boulder gives it: modulo, plus one.
func TestSerialMod(t *testing.T) {
	s := must(ParseShards("serial-mod:128"))
	for serial, want := range map[string]string{
		"\x01": "2", "\x00\x80": "1", "\x00\xff": "128", "\x01\x00": "1", "\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x85": "6",
	} {
		if got := s.of(&certificates.Certificate{Serial: []byte(serial), Shard: "9"}); got != want {
			t.Errorf("serial %x: shard %s, want %s", serial, got, want)
		}
	}
}
