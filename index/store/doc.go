// Package store reads and publishes a store: the directory that lancre builds
// and lancred serves.
//
//	STORE/
//	  manifest           text; the only file that ever changes, and only by rename
//	  objects/<sha256>   segments (package index), CRLs, certificates, pages
//
// An object is immutable, of mode 0444 and named by the SHA-256 of its octets in
// lower-case hex. The manifest names every object of one generation: all OCSP
// responses, CRLs, issuer certificates and pages that belong together. Objects
// come first, the manifest last: whoever finds a manifest finds what it names.
// Objects that it does not name belong to earlier generations, and stay until GC.
//
// # The manifest
//
// ASCII text. Every line ends with one LF, fields are separated by one space, and
// there is nothing else: one manifest has one spelling. In this order:
//
//	lancre store 1
//	origin NAME
//	generation N
//	created TIME
//	segment ROLE I/OF RECORDS SIZE SHA256 NEXTUPDATE                 any number
//	file HOST PATH TYPE SIZE SHA256 LASTMODIFIED EXPIRES             any number
//	end SHA256
//
// The first line is the format and its version. NAME is who publishes. N is 1 in a
// new store and grows by one with every publication.
//
// A segment line names one segment. Segment lines are in look-up order, newest
// first: the first segment that knows a CertID decides, also by a tombstone. ROLE
// says what the segment is for; base is a full set, whose segments together cover
// every key once. The segment holds no keys but those whose top log2(OF) bits, as
// a number, are I; OF is a power of two, and 0/1 is every key. RECORDS counts its
// responses and tombstones. NEXTUPDATE is the earliest nextUpdate in it.
//
// A file line publishes one object at one place. File lines are sorted by HOST,
// then PATH, in octet order, and no two name the same place. HOST is a name or an
// address, IPv6 in brackets, in lower case, without port or trailing dot; _ is every
// host. PATH is the raw request target; a query and its question mark are in it as %3F
// and what follows, so that /a%3Fb is served at /a?b as well. TYPE is the Content-Type,
// written without a space: text/html;charset=utf-8. LASTMODIFIED and EXPIRES are
// the HTTP header fields of these names; for a CRL, thisUpdate and nextUpdate.
//
// The end line holds the SHA-256 of all octets before it. It tells a manifest that
// was cut or edited; it is no signature.
//
//	NAME, TYPE     1 or more octets of 0x21..0x7e; TYPE has a slash inside
//	PATH           as these, begins with a slash, has no ? and no #
//	ROLE           1 or more of a-z 0-9 -
//	HOST           1 or more of a-z 0-9 . - _ that do not end with a dot, or, in
//	               brackets, of 0-9 a-f : .
//	N, I, OF, RECORDS, SIZE
//	               decimal without leading zeros; SIZE counts octets
//	SHA256         64 of 0-9 a-f
//	TIME, NEXTUPDATE, LASTMODIFIED, EXPIRES
//	               UTC, 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z; NEXTUPDATE and
//	               EXPIRES are - where there is none
//
// For example:
//
//	lancre store 1
//	origin ocsp.example.org
//	generation 42
//	created 2026-11-23T14:00:00Z
//	segment delta 0/1 12 4096 4e1243bd22c66e76c2ba9eddc1f91394e57f9f83cfccd0d3f8ab2f1c40ef4bd1 2026-11-30T13:59:59Z
//	segment base 0/2 250117 28401664 0a0a9f2a6772942557ab5355d76af442f8f65e01d1e7d5e3a9dd8a8f5e6f4a10 2026-11-27T02:00:00Z
//	segment base 1/2 249883 28372992 c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470 2026-11-27T02:00:00Z
//	file _ /robots.txt text/plain 26 331ea9090db0c9f6f597bd9840fd5b171830f6e0b3ba1cb24dfa91f0c95aedc1 2026-01-05T09:00:00Z -
//	file c.example.org /1.crl application/pkix-crl 71204 b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z
//	end 84ed6dd0337243726a9168da4281f274b317da4007373a5e175243ecd8330da9
package store
