package server

import (
	"bytes"
	"net/http"
)

// clientHas reports whether the request's preconditions say that the client has
// what tag names and modified, an IMF-fixdate, dates (RFC 9110 section 13.2.2:
// If-None-Match, and only without it If-Modified-Since).
func (x *exchange) clientHas(tag, modified []byte) bool {
	h := &x.ctx.Request.Header
	if list := h.PeekCanonical(headerIfNoneMatch); len(list) > 0 {
		return listHasTag(list, tag)
	}
	since := h.PeekCanonical(headerIfModifiedSince)
	return len(since) > 0 && notModifiedSince(modified, since)
}

// listHasTag reports whether the If-None-Match value list has tag, by the weak
// comparison of RFC 9110 section 8.8.3.2, or is "*". What is no list of entity tags
// matches nothing from there on.
func listHasTag(list, tag []byte) bool {
	list = bytes.TrimSpace(list)
	if string(list) == "*" {
		return true
	}
	for len(list) > 0 {
		list = bytes.TrimPrefix(bytes.TrimLeft(list, " \t,"), []byte("W/"))
		if len(list) == 0 || list[0] != '"' {
			return false
		}
		end := bytes.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if bytes.Equal(list[:end+2], tag) {
			return true
		}
		list = list[end+2:]
	}
	return false
}

// notModifiedSince compares a date of ours with one of a client's. Nearly all
// clients send ours back, so that one is not parsed.
func notModifiedSince(modified, since []byte) bool {
	if bytes.Equal(modified, since) {
		return true
	}
	theirs, err := http.ParseTime(string(since))
	if err != nil {
		return false // RFC 9110 section 13.1.3: ignore it
	}
	ours, err := http.ParseTime(string(modified))
	return err == nil && !ours.After(theirs)
}
