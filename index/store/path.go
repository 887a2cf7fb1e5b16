package store

import (
	"bytes"
	"encoding/hex"
)

// AppendNormalPath appends the normal form of a path (RFC 3986 section 6.2.2) to dst,
// which must not overlap it: the hexadecimal digits of escapes are in upper case, and
// no unreserved character is escaped. Paths with one normal form are one path, and what
// is published at it is found by either. Dot segments stay, for nothing is looked for
// in a file system. It does not allocate if dst has room for path.
func AppendNormalPath(dst, path []byte) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(path); i++ {
		c, escaped := unescape(path[i:])
		if escaped {
			i += len("%XX") - 1
		}
		if escaped && !unreserved(c) {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendQueriedPath appends to dst, which must not overlap them, the path at which a
// manifest has what is published for a path with a query: both in normal form, and each
// question mark as %3F. It allocates as AppendNormalPath does.
func AppendQueriedPath(dst, path, query []byte) []byte {
	dst = AppendNormalPath(dst, path)
	for more := true; more; {
		var part []byte
		part, query, more = bytes.Cut(query, []byte("?"))
		dst = AppendNormalPath(append(dst, "%3F"...), part)
	}
	return dst
}

// unescape returns the first octet of path, and whether that is escaped.
func unescape(path []byte) (c byte, escaped bool) {
	var octet [1]byte
	if path[0] == '%' && len(path) >= len("%XX") {
		_, err := hex.Decode(octet[:], path[1:3])
		escaped = err == nil
	}
	if escaped {
		return octet[0], true
	}
	return path[0], false
}

// unreserved reports whether c never needs to be escaped (RFC 3986 section 2.3).
func unreserved(c byte) bool {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}
