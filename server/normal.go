package server

// appendNormal appends path in the normal form of RFC 3986 section 6.2.2: hexadecimal
// digits of escapes in upper case, and no escapes of unreserved characters. Dot
// segments stay, for they lead nowhere here. dst may not overlap path.
func appendNormal(dst, path []byte) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' || len(path)-i < 3 || unhex(path[i+1])|unhex(path[i+2]) > 15 {
			dst = append(dst, c)
			continue
		}
		c = unhex(path[i+1])<<4 | unhex(path[i+2])
		i += 2
		if unreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// unreserved reports whether an escape of c is never needed (RFC 3986 section 2.3).
func unreserved(c byte) bool {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}
