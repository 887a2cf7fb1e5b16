package static

import (
	"encoding/base64"
	"net/url"
	"strings"

	"lancre/index/store"
)

// A target is where a file is published.
type target struct{ host, path string }

// url is where clients find what is published at t. It has no other form: clients
// compare URLs octet by octet.
func (t target) url() string { return scheme + t.host + t.path }

const scheme = "http://"

// at returns the file that the operator published at uri, octet for octet; nil if none
// is: one that urls.csv has there, or else one in the tree. A file at an exact host
// comes before one at any host.
func (t *tree) at(uri string) *file {
	if s := t.named[uri]; s != nil {
		return s
	}
	authority, ok := strings.CutPrefix(uri, scheme)
	slash := strings.IndexByte(authority, '/')
	if !ok || slash <= 0 {
		return nil
	}
	host, path := authority[:slash], strings.ReplaceAll(authority[slash:], "?", "%3F")
	if s := t.taken[target{host, path}]; s != nil {
		return s
	}
	return t.taken[target{store.AnyHost, path}]
}

// requested is where a server looks up what is asked for by the http URL uri: the
// host in lower case, without port and trailing dot, and the path in normal form; first
// with the query, if there is one. It is for URLs that clients fetch; those that they
// compare have one form alone.
func requested(uri string) (list []target) {
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return nil
	}
	rest, _, _ := strings.Cut(uri[len(scheme):], "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	host, path, _ := strings.Cut(rest, "/")
	if host = withoutPort(strings.ToLower(host)); host == "" {
		return nil
	}
	path = "/" + path
	if hasQuery {
		list = append(list, target{host, string(store.AppendQueriedPath(nil, []byte(path), []byte(query)))})
	}
	return append(list, target{host, string(store.AppendNormalPath(nil, []byte(path)))})
}

// withoutPort is the host of an authority, without a dot at its end.
func withoutPort(authority string) string {
	if port := strings.LastIndexByte(authority, ':'); port >= 0 && !strings.Contains(authority[port:], "]") {
		authority = authority[:port]
	}
	return strings.TrimSuffix(authority, ".")
}

// fetched returns what clients get who ask for uri, nil if nothing, and the place at
// which they are told to look.
func (t *tree) fetched(uri string) (s *file, at target) {
	if s := t.named[uri]; s != nil {
		return s, s.targets[0]
	}
	for _, at = range requested(uri) {
		for _, host := range []string{at.host, store.AnyHost} {
			if s := t.taken[target{host, at.path}]; s != nil {
				return s, at
			}
		}
	}
	return nil, at
}

// likeRequest reports whether the path, or what is left of it below a prefix, can be
// taken for an OCSP request: the base64, in either alphabet, of a SEQUENCE (RFC 6960
// appendix A.1). Servers look for none below /.well-known.
func likeRequest(path string) bool {
	text, err := url.PathUnescape(path)
	if err != nil || strings.HasPrefix(path, "/"+wellKnown+"/") {
		return false
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	for more := true; more; {
		_, text, more = strings.Cut(text, "/")
		der, err := base64.RawStdEncoding.DecodeString(text)
		if err == nil && len(der) > 0 && der[0] == 0x30 {
			return true
		}
	}
	return false
}
