package static

import (
	"encoding/base64"
	"strings"

	"lancre/index/store"
)

// A target is where a file is published.
type target struct{ host, path string }

// url is where clients find what is published at t. It has no other form: clients
// compare URLs octet by octet.
func (t target) url() string { return scheme + t.host + t.path }

const scheme = "http://"

// at returns the file that clients get from uri, octet for octet; nil if none is
// published there. A file at an exact host comes before one at any host.
func (t *tree) at(uri string) *file {
	authority, ok := strings.CutPrefix(uri, scheme)
	slash := strings.IndexByte(authority, '/')
	if !ok || slash <= 0 {
		return nil
	}
	host, path := authority[:slash], authority[slash:]
	if s := t.taken[target{host, path}]; s != nil {
		return s
	}
	return t.taken[target{store.AnyHost, path}]
}

// requested is where a server looks up what is asked for by the http URL uri: the
// host in lower case, without port and trailing dot, and the path in normal form. It is
// for URLs that clients fetch; those that they compare have one form alone.
func requested(uri string) (at target, ok bool) {
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return target{}, false
	}
	rest := uri[len(scheme):]
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	host, path, _ := strings.Cut(rest, "/")
	if port := strings.LastIndexByte(host, ':'); port >= 0 {
		host = host[:port]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return target{host, string(store.AppendNormalPath(nil, []byte("/"+path)))}, host != ""
}

// likeRequest reports whether the path can be taken for an OCSP request: the
// base64 of a SEQUENCE (RFC 6960 appendix A.1). All of these begin with an M.
func likeRequest(path string) bool {
	text := strings.TrimRight(strings.TrimLeft(path, "/"), "=")
	der, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil && len(der) > 0 && der[0] == 0x30
}
