package build

import (
	"encoding/hex"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"lancre/index"
	"lancre/index/store"
)

// A checker judges responses. Each worker has its own: it reuses its memory and
// makes no garbage for a response that passes without a warning new to its batch.
type checker struct {
	at             int64 // Unix seconds
	severity       []severity
	issuers        *issuers
	previous       *store.Generation // nil if there is none
	inventory      *inventory        // nil if there is none
	skipSignatures bool
	delegates      delegateCache

	response index.Response

	// Of the item in hand.
	batch   *batch
	item    *item
	about   int      // position of the SingleResponse in hand
	warned  []check  // each once
	reasons []string // by check, of those warned of
}

func newChecker(b *builder) *checker {
	return &checker{
		at: b.config.At.Unix(), severity: b.severity, issuers: b.issuers, previous: b.previous, inventory: b.inventory,
		skipSignatures: b.config.SkipSignatures, reasons: make([]string, len(checkTable)),
	}
}

// checkBatch makes every item of b an entry or a rejection.
func (c *checker) checkBatch(b *batch) {
	c.batch = b
	for i := range b.items {
		if it := &b.items[i]; it.broken.check == passed {
			c.checkItem(it)
		}
	}
}

func (c *checker) checkItem(it *item) {
	c.item, c.warned = it, c.warned[:0]
	r := &c.response
	if err := r.Parse(it.der); err != nil {
		c.found(checkDER, err.Error)
		return
	}
	c.checkVersion(r)
	c.checkSingles(r)
	c.checkTimes(r)
	c.checkExtensions(r)
	c.checkSize(r)
	if !c.rejected() {
		c.checkSigner(r)
	}
	if !c.rejected() {
		c.checkPrevious(r)
	}
	if c.item.expired && !c.rejected() { // last: what is not genuine leaves no tombstone
		c.foundExpired(r)
	}
	if !c.rejected() && !c.item.expired {
		if err := it.entry.Set(r); err != nil {
			c.found(checkRecord, err.Error)
		}
	}
	if c.rejected() {
		it.serial = c.serial()
		return
	}
	c.batch.warn(it, c.warned, c.reasons, c.serial)
}

// found notes that the response in hand breaks a rule. Its first rejection
// counts. reason is called only if its text is needed.
func (c *checker) found(id check, reason func() string) {
	switch c.severity[id] {
	case rejects:
		if !c.rejected() {
			c.item.broken = finding{id, c.word(reason)}
		}
	case warns:
		if slices.Contains(c.warned, id) {
			return
		}
		if c.batch.warnings[id].count == 0 {
			c.reasons[id] = c.word(reason)
		}
		c.warned = append(c.warned, id)
	}
}

// word says why; of a SingleResponse that is not the first, also which it is.
func (c *checker) word(reason func() string) string {
	if c.about == 0 {
		return reason()
	}
	return fmt.Sprintf("SingleResponse %d, serial %x: %s", c.about+1, c.response.Singles[c.about].CertID.Serial, reason())
}

// singles iterates over the SingleResponses of r. What is found meanwhile is about
// the one in hand.
func (c *checker) singles(r *index.Response) func(yield func(*index.Single) bool) {
	return func(yield func(*index.Single) bool) {
		for c.about = range r.Singles {
			if !yield(&r.Singles[c.about]) {
				break
			}
		}
		c.about = 0
	}
}

func (c *checker) rejected() bool { return c.item.broken.check != passed }

// serial is the serial number in hand, in hex.
func (c *checker) serial() string { return hex.EncodeToString(c.response.Singles[0].CertID.Serial) }

const (
	// frugalSize is the size, in octets, beyond which a response is larger than
	// any that needs to be: one with an RSA-4096 delegate in it has some 3 KiB.
	frugalSize = 4 << 10

	// stapleSize, with a HTTP header, is what fits the 16 KiB that nginx has for it.
	stapleSize = 15 << 10
)

func (c *checker) checkSize(r *index.Response) {
	switch n := len(r.DER); {
	case n > stapleSize:
		c.found(checkSizeStaple, func() string {
			return fmt.Sprintf("%d octets, want at most %d: nginx will not staple it", n, stapleSize)
		})
	case n > frugalSize:
		c.found(checkSizeFrugal, func() string { return fmt.Sprintf("%d octets, want at most %d", n, frugalSize) })
	}
}

func (c *checker) checkVersion(r *index.Response) {
	if r.ExplicitVersion {
		c.found(checkVersion, func() string { return "version v1 is spelled out, which DER forbids for a default" })
	}
}

// checkSingles checks whom the response is about, and sets the item's issuer and
// its subjects.
func (c *checker) checkSingles(r *index.Response) {
	c.item.subjects = c.item.subjects[:0]
	for s := range c.singles(r) {
		c.checkSerial(s)
		is := c.checkIssuer(s)
		if is == nil {
			return
		}
		if c.about == 0 {
			c.item.issuer = is
		}
		c.checkTogether(r, s, is)
		c.checkStatus(r, s, is)
		c.checkListed(r, s, is)
		c.addSubject(s, is)
	}
	if n := len(r.Singles); n > 1 {
		c.found(checkDual, func() string {
			return fmt.Sprintf("%d SingleResponses, which some clients refuse: sign one response for each hash algorithm", n)
		})
	}
}

// checkIssuer returns the issuer that s names, nil if there is none.
func (c *checker) checkIssuer(s *index.Single) *issuer {
	id := &s.CertID
	if id.Alg == index.UnknownAlg {
		c.found(checkHash, func() string {
			return fmt.Sprintf("CertID hash algorithm is none of SHA-1, SHA-256, SHA-384 and SHA-512 (its hashes have %d and %d octets)", len(id.NameHash), len(id.KeyHash))
		})
		return nil
	}
	is := c.issuers.find(id)
	if is == nil {
		c.found(checkIssuer, func() string {
			return fmt.Sprintf("no --issuer has the %s name hash %x and key hash %x", id.Alg, id.NameHash, id.KeyHash)
		})
	}
	return is
}

// maxSerial is the longest magnitude of a serial number, in octets.
const maxSerial = 20

func (c *checker) checkSerial(s *index.Single) {
	serial := s.CertID.Serial
	switch {
	case serial[0] >= 0x80 || len(serial) == 1 && serial[0] == 0:
		c.found(checkSerial, func() string { return fmt.Sprintf("serial number %x is not positive", serial) })
	case len(serial) > maxSerial+1 || len(serial) == maxSerial+1 && serial[0] != 0:
		c.found(checkSerial, func() string {
			return fmt.Sprintf("serial number %x has %d octets, want at most %d", serial, len(serial), maxSerial)
		})
	case len(serial) == maxSerial+1:
		c.found(checkSerialSign, func() string {
			return fmt.Sprintf("serial number %x has %d octets only with its sign octet, which some clients count", serial, len(serial))
		})
	}
}

// certificates iterates over the DER certificates in certs; the last may be nil,
// which stands for octets that are no SEQUENCE.
func certificates(certs []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		in := cryptobyte.String(certs)
		for n := 0; !in.Empty(); n++ {
			var der cryptobyte.String
			if !in.ReadASN1Element(&der, 0x30) {
				yield(n, nil)
				return
			}
			if !yield(n, der) {
				return
			}
		}
	}
}
