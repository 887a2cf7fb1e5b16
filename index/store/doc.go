// Package store reads and publishes a store: the directory that lancre builds
// and lancred serves.
//
//	STORE/
//	  manifest           text; the only file that ever changes, and only by rename
//	  objects/<sha256>   segments (package index), the list of files, CRLs, certificates, pages
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
//	lancre store 2
//	origin NAME
//	generation N
//	created TIME
//	checked TIME
//	expires TIME
//	parent SHA256
//	held N
//	mark SOURCE VALUE                                                any number
//	live ALG NAMEHASH KEYHASH GOOD REVOKED UNKNOWN TOMBSTONE         any number
//	due KIND HOUR N                                                  any number
//	segment ROLE I/OF RECORDS SIZE SHA256 CREATED NEXTUPDATE         up to 4,096
//	coming SIZE SHA256                                               any number
//	files N SIZE SHA256                                              at most one
//	end SHA256
//
// The first line is the format and its version. The header says of the generation as
// a whole:
//
//   - origin: who publishes, for people and logs;
//   - generation: its number; it grows with every publication, and is the Unix time of
//     one unless there are more than one a second;
//   - created: when it was published;
//   - checked: the oldest last success of reading any source. A generation that says
//     nothing new still shows by it that its sources were read;
//   - expires: from then on it is stale. An edge says so, and goes on serving it: that
//     its origin is dead is no reason to be dead as well;
//   - parent: the SHA-256 of the manifest that it replaced, all of its text but the
//     signatures;
//   - held: how many responses are put aside, for somebody to look at.
//
// A mark line says how far the source of that name was read, in whatever way the
// source tells it.
//
// A live line counts the CertIDs of one issuer, by the algorithm and the two hashes
// of RFC 6960 section 4.1.1, that have an answer: a response that says good, revoked
// or unknown, or a tombstone. A due line counts what has its nextUpdate in the hour
// that begins at HOUR: of KIND responses, CertIDs that are answered by one; of KIND
// crls, file lines of CRLs. So expiry is watched without reading a segment. A line
// that would count nothing is left out.
//
// A segment line puts one segment into the stack of look-ups, newest first. ROLE and
// the shard I/OF say what it is for: see "How a store grows". RECORDS counts its
// responses and tombstones, also those that do not answer any more. CREATED is when
// the line came into the stack. NEXTUPDATE is the earliest nextUpdate in it.
//
// A coming line is reserved, for an object that a later generation will name, so
// that it can be fetched ahead. Nothing needs that object yet.
//
// The files line names the object that holds the list of files, and says how many it
// lists. Without files there is no such line.
//
// The end line holds the SHA-256 of all octets before it. It tells a manifest that
// was cut or edited; it is no signature. Nothing follows it but signatures.
//
//	NAME, SOURCE, VALUE
//	               1 or more octets of 0x21..0x7e; SOURCE is not the same twice
//	ALG            sha1, sha256, sha384 or sha512
//	NAMEHASH, KEYHASH
//	               lower-case hex, as long as ALG says
//	KIND           crls or responses
//	HOUR           a TIME whose minutes and seconds are 0
//	ROLE           base or delta
//	I, OF          OF is a power of two up to 4,096, I is below it; 0/1 is everything
//	N, GOOD, REVOKED, UNKNOWN, TOMBSTONE, RECORDS, SIZE
//	               decimal without leading zeros, below 2^64, and SIZE below 2^63;
//	               SIZE counts octets. N is at least 1; only held can be 0
//	SHA256         64 of 0-9 a-f; parent is - where there is none
//	TIME, CREATED, NEXTUPDATE
//	               UTC, 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z; - where there is
//	               none, but created has one
//
// Mark lines are sorted by SOURCE; live lines by ALG, in the order above, NAMEHASH
// and KEYHASH; due lines by KIND, then HOUR; no two are of the same. A manifest has at
// most 4 MiB.
//
// For example:
//
//	lancre store 2
//	origin ocsp.example.org
//	generation 42
//	created 2026-11-23T14:00:00Z
//	checked 2026-11-23T13:59:58Z
//	expires -
//	parent 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
//	held 0
//	mark database 9041277
//	live sha1 1b2f1d3a9c5e4b7a8d6f0e1c2b3a495867768594 a84a6a63047dddbae6d139b7a64565eff3a8eca1 498203 1791 0 6
//	due crls 2026-12-02T12:00:00Z 1
//	due responses 2026-11-27T02:00:00Z 250105
//	due responses 2026-11-30T13:00:00Z 249889
//	segment delta 0/1 12 4096 4e1243bd22c66e76c2ba9eddc1f91394e57f9f83cfccd0d3f8ab2f1c40ef4bd1 2026-11-23T14:00:00Z 2026-11-30T13:59:59Z
//	segment base 0/2 250117 28401664 0a0a9f2a6772942557ab5355d76af442f8f65e01d1e7d5e3a9dd8a8f5e6f4a10 2026-11-20T02:00:00Z 2026-11-27T02:00:00Z
//	segment delta 1/2 310 49152 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b 2026-11-19T08:00:00Z 2026-11-30T13:10:00Z
//	segment base 1/2 249883 28372992 c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470 2026-11-16T02:00:00Z 2026-11-30T13:00:00Z
//	files 2 296 80ea4b7ac56d38fc9c9c19e16e095137fddc16f2d7c58f25f6cf90b692415467
//	end 68398e50eda08e3b14d60cd5a348caf62efa9e80862c0a6cb93c4a6f9b701552
//
// # Signatures
//
// Who puts a manifest into the way of an edge decides what that serves: yesterday's
// answers, or none. So a manifest can be signed, and an edge be told whose signature it
// must have. Then it is a signed note (C2SP signed-note, package
// golang.org/x/mod/sumdb/note): the text above, an empty line, and a line for each key,
//
//	— NAME BASE64
//
// where NAME is the origin, and BASE64 holds four octets that tell its keys apart and
// the Ed25519 signature of the text. A key is good for the origin of its name only. There
// are two while one takes the place of the other: a manifest is opened by whoever trusts
// either. Nothing is parsed before it is verified.
//
// Objects need no signature, for the manifest names them by their SHA-256.
//
// # The list of files
//
// Files are thousands, and few of them change from one generation to the next: their
// lines are an object of their own, which generations share while none changes. It
// is text, as the manifest is, of at most 32 MiB:
//
//	lancre files 1
//	file HOST PATH TYPE SIZE SHA256 LASTMODIFIED EXPIRES             any number
//
// A file line publishes one object at one place. File lines are sorted by HOST,
// then PATH, in octet order, and no two name the same place. HOST is a name or an
// address, IPv6 in brackets, in lower case, without port or trailing dot; _ is every
// host. PATH is the raw request target; a query and its question mark are in it as %3F
// and what follows, so that /a%3Fb is served at /a?b as well. TYPE is the Content-Type,
// written without a space: text/html;charset=utf-8. LASTMODIFIED and EXPIRES are
// the HTTP header fields of these names; for a CRL, thisUpdate and nextUpdate.
//
//	HOST           1 or more of a-z 0-9 . - _ that do not end with a dot, or, in
//	               brackets, of 0-9 a-f : .
//	PATH           1 or more octets of 0x21..0x7e, begins with a slash, has no ? and no #
//	TYPE           1 or more octets of 0x21..0x7e, with a slash inside
//	SIZE           as above, at most 2^30: an edge holds files in memory
//	SHA256         as above
//	LASTMODIFIED, EXPIRES
//	               as TIME above; EXPIRES is - where there is none
//
// The list of files of the example is:
//
//	lancre files 1
//	file _ /robots.txt text/plain 26 331ea9090db0c9f6f597bd9840fd5b171830f6e0b3ba1cb24dfa91f0c95aedc1 2026-01-05T09:00:00Z -
//	file c.example.org /1.crl application/pkix-crl 71204 b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z
//
// # How a store grows
//
// A store of many certificates cannot be written anew for each that is revoked. So a
// generation is a stack of segments: what changed lies on top, what it is a change of
// below. Most of a stack is that of the generation before, and so is most of what an
// edge has.
//
// A line is a segment at its place in the stack, for one shard of the certificates.
// The shard goes by the top bits of the xxhash64 of the serial number's content
// octets: all CertIDs of a certificate, by whatever hashes, are in one shard, and
// whoever knows the serial knows which. A segment may hold records of certificates
// that are not in the shard of its line; no look-up finds them there. A line is one of
// two:
//
//   - A delta has some certificates of its shard. Where it has none of that CertID,
//     the look-up goes on below.
//   - A base is complete for its shard. There the look-up ends, whether it has the
//     CertID or not.
//
// So a look-up passes the deltas of its shard that lie above its base, newest first,
// and then that base. It visits no other base: a store of 256 shards answers like one
// of a single base. Where a shard has no base, the look-up ends below the last line.
//
// A tombstone is a record without a response: it says that the certificate is of this
// store and that nothing current is to be had for it. A delta needs it to take away
// what lies below, which it cannot remove.
//
// Five rules keep what clients are answered right while lines come and go:
//
//  1. Only position decides. Which of two responses is newer is asked once, when one
//     comes in: then it is compared with what answers. Whoever compared times again,
//     later, would undo what an operator put there on purpose, an older response or
//     one that a rollback brought back. To merge lines is therefore to copy what
//     answers, octet for octet.
//  2. What is new goes on top of all that it was made from. A base takes minutes to
//     make, from the stack at one moment; other lines are committed meanwhile. It is
//     put above that stack and below those others, or it would hide a revocation that
//     came while it was in the making. Where it has something newer still than they
//     say, a delta on top, of the same commit, says that. In its shard a base holds
//     all that is to be answered from then on, as nothing below is reached.
//  3. Only neighbours are merged. Of lines that lie between the merged ones nobody
//     could say whether they are now above or below. What the lower ones have for the
//     shard of a base between them is left behind, for it is not reached.
//  4. A line goes when no look-up reaches it: when bases above it cover all of its
//     shard. One that part of its shard can reach stays whole.
//  5. What was said is remembered. That a certificate was revoked, and what was
//     withdrawn, stays on record until the certificate has expired, or until somebody
//     says that it is to be forgotten: a certificate that turns good again is noticed
//     only by who still knows that it was not.
//
// Work that takes long belongs beside the loop that publishes: a build or a merge is
// to read one generation, to write its segments without the lock of the store, and to
// take the lock only to see whether what it relied on still holds, and to commit. So
// a revocation never waits for it.
//
// The cost of a step is that of what is new. What a generation has in common with the
// one before is not opened, read, hashed or copied again: not by Commit, which looks
// at new objects only; not by Reopen, which shares what is open; and not for the
// counts of a manifest, which change by each answer that does. Only Verify reads all.
package store
