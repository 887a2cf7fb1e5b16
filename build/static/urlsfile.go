package static

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lancre/build/rule"
	"lancre/index/store"
)

// urlsFile is the file of a static directory that names further URLs of its files,
// which folders cannot: those with a port, a query, two slashes, escapes of their own
// or the scheme https. Its first line is
//
//	url,file
//
// and each other has a URL as it is spelled in certificates and CRLs, and the path,
// below the directory, of a file in the folder of a host.
const urlsFile = "urls.csv"

// addURLs publishes the files of a static directory at the URLs that its urls.csv
// names.
func (t *tree) addURLs(dir string) error {
	name := filepath.Join(dir, urlsFile)
	if t.config.Except[name] {
		return nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if header, err := in.Read(); err != nil || !slices.Equal(header, []string{"url", "file"}) {
		t.ledger.Found(rule.StaticURL, rule.Place{Source: name, Line: 1}, "", rule.Because("first line is %q (%v): want url,file", header, err))
		return nil
	}
	byName := make(map[string]*file)
	for _, s := range t.files {
		byName[s.name] = s
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			t.ledger.Found(rule.StaticURL, rule.Place{Source: name, Line: syntax.Line}, "", err.Error)
			return nil // what follows may be part of this line
		}
		line, _ := in.FieldPos(0)
		if err := t.addURL(record[0], filepath.Join(dir, filepath.FromSlash(record[1])), byName); err != nil {
			t.ledger.Found(rule.StaticURL, rule.Place{Source: name, Line: line}, "", err.Error)
		}
	}
}

// addURL publishes at a URL the file with that name, one of those by their names.
func (t *tree) addURL(uri, name string, byName map[string]*file) error {
	at, err := parseURL(uri)
	if err != nil {
		return fmt.Errorf("URL %q: %w", uri, err)
	}
	s := byName[name]
	switch {
	case s == nil && len(t.ledger.Rejections()) > 0:
		return nil // which may be why it is missing
	case s == nil:
		return fmt.Errorf("URL %q: %s is none of the files that are published: want the path of one, HOST/FILE, from the directory of %s", uri, name, urlsFile)
	case likeRequest(at.path):
		return fmt.Errorf("URL %q can be taken for an OCSP request", uri)
	case t.named[uri] != nil && t.named[uri] != s:
		return fmt.Errorf("URL %q is that of %s already", uri, t.named[uri].name)
	}
	if t.named[uri] == nil {
		s.urls = append(s.urls, uri)
	}
	t.named[uri] = s
	if t.taken[at] != s {
		t.publishAt(s, at)
	}
	return nil
}

// parseURL reads a URL at which a file shall be published: its host in lower case, and
// where a server looks for it.
func parseURL(uri string) (at target, err error) {
	name, rest, _ := strings.Cut(uri, "://")
	end := strings.IndexAny(rest, "/?")
	switch {
	case name != "http" && name != "https":
		return at, errors.New("want http:// or, where a TLS proxy stands in front of the edges, https://")
	case strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }):
		return at, errors.New("want visible ASCII: escape all else as %XX")
	case strings.Contains(rest, "#"):
		return at, errors.New("has a fragment, which clients do not send")
	case end < 0 || rest[end] != '/':
		return at, errors.New("want a path, / at least")
	}
	if at.host, err = parseAuthority(rest[:end]); err != nil {
		return at, err
	}
	path, query, hasQuery := strings.Cut(rest[end:], "?")
	if hasQuery {
		at.path = string(store.AppendQueriedPath(nil, []byte(path), []byte(query)))
	} else {
		at.path = string(store.AppendNormalPath(nil, []byte(path)))
	}
	return at, nil
}

// parseAuthority reads HOST or HOST:PORT.
func parseAuthority(authority string) (host string, err error) {
	host = withoutPort(strings.ToLower(authority))
	_, port, hasPort := strings.Cut(strings.TrimPrefix(strings.ToLower(authority), host), ":")
	if _, err := strconv.ParseUint(port, 10, 16); hasPort && err != nil {
		return "", fmt.Errorf("port %q: want a number below 65,536", port)
	}
	if reason := badHost(host); host == "" || host == store.AnyHost || reason != "" {
		return "", fmt.Errorf("host %q: %s", host, strings.Trim(reason+", want that of a server", ", "))
	}
	return host, nil
}
