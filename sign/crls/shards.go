package crls

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"lancre/sign/certificates"
)

// Shards say which certificates are on which CRL. The zero value has one for all.
type Shards struct {
	names []string // in order
	by    uint64   // the serial number modulo this, plus one, is the name; 0: the list has a column
}

// maxShards is how many there may be: each has a file open during a run. Boulder has 128.
const maxShards = 1000

// modulo is how ParseShards is told that serial numbers decide.
const modulo = "serial-mod:"

// ParseShards reads
//
//	1-128           the column shard of the list names one of these, by its number
//	serial-mod:128  the serial number modulo 128, plus one, does, as Boulder has it
//
// and nothing for one full CRL.
func ParseShards(text string) (Shards, error) {
	if text == "" {
		return Shards{}, nil
	}
	if of, ok := strings.CutPrefix(text, modulo); ok {
		n, err := strconv.ParseUint(of, 10, 32)
		if err != nil || n < 1 || n > maxShards {
			return Shards{}, fmt.Errorf("%q: want %sN, N from 1 to %d", text, modulo, maxShards)
		}
		return Shards{names: numbers(1, n), by: n}, nil
	}
	from, to, ok := strings.Cut(text, "-")
	first, err := strconv.ParseUint(from, 10, 32)
	last, err2 := strconv.ParseUint(to, 10, 32)
	if !ok || errors.Join(err, err2) != nil || last < first || last-first >= maxShards {
		return Shards{}, fmt.Errorf("%q: want the numbers of the first and last shard, as 1-128, at most %d, or %sN", text, maxShards, modulo)
	}
	return Shards{names: numbers(first, last)}, nil
}

func numbers(first, last uint64) (names []string) {
	for n := first; n <= last; n++ {
		names = append(names, strconv.FormatUint(n, 10))
	}
	return names
}

// of is the name of the shard of a certificate, "" where the list does not tell.
func (s *Shards) of(c *certificates.Certificate) string {
	if s.by == 0 {
		return c.Shard
	}
	var rest uint64
	for _, octet := range c.Serial {
		rest = (rest<<8 | uint64(octet)) % s.by
	}
	return s.names[rest]
}

// shardWord is what is replaced by the name of a shard.
const shardWord = "{shard}"

func (c *Config) checkURL() error {
	if c.URL == "" {
		return errors.New("no URL of the CRL (--url): certificates name it as their distribution point")
	}
	switch has := strings.Contains(c.URL, shardWord); {
	case has && c.Shards.names == nil:
		return fmt.Errorf("--url %s has %s, but no shards are named (--crl-shards)", c.URL, shardWord)
	case !has && c.Shards.names != nil:
		return fmt.Errorf("--url %s does not say where the name of a shard comes: want %s in it", c.URL, shardWord)
	}
	_, err := c.file(c.url("1"))
	return err
}

// url is that of a shard; of the one CRL if there are none.
func (c *Config) url(shard string) string { return strings.ReplaceAll(c.URL, shardWord, shard) }

// plainURL are URLs whose host and path are those of a file below a directory, without
// escapes, ports and queries. A file can get any other URL as well, by urls.csv.
var plainURL = regexp.MustCompile(`^http://([a-z0-9-]+(?:\.[a-z0-9-]+)*)((?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+)$`)

// file is where in the directory a CRL with that URL lies.
func (c *Config) file(url string) (string, error) {
	parts := plainURL.FindStringSubmatch(url)
	if parts == nil {
		return "", fmt.Errorf("--url %s: want http://HOST/PATH, the host in lower case, without port, query and %%; publish the file at another URL by urls.csv (see lancre build)", url)
	}
	return filepath.Join(c.Static, parts[1], filepath.FromSlash(parts[2])), nil
}
