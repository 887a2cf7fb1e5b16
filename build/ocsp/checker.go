// Package ocsp checks OCSP responses, one by one: each against the standards and the
// root programs, for its times and its signer, and against what else is known of the
// certificates that it is about, by an inventory, by CRLs, and by the generation that
// the build replaces.
package ocsp

import (
	"fmt"
	"math/bits"
	"time"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/der"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// Config is what responses are checked against.
type Config struct {
	At        time.Time // the moment of the build, in whole seconds
	Issuers   *ca.Issuers
	Listed    []crl.Revocations    // what the CRLs of the build list, by issuer; nil where there are none
	Previous  *store.Generation    // nil if there is none
	Grows     bool                 // the responses are added to Previous, they do not replace it
	Inventory *inventory.Inventory // nil if there is none

	// SkipSignatures leaves signatures unverified.
	SkipSignatures bool
}

// An Item is one response, or something that was to be one, and what came of it.
type Item struct {
	Place rule.Place
	DER   []byte
	Outcome
	Entry index.Entry // of one neither rejected nor expired
}

// An Outcome is what came of an item.
type Outcome struct {
	Broken rule.Finding // why it is rejected; of rule.None if it is not

	Issuer   *ca.Issuer // of the first certificate; set if it is not rejected
	Subjects []Subject
	Expired  bool // a tombstone takes its place
	Older    bool // than what the previous generation has
	Answered bool // by the previous generation, one of its CertIDs at least
	Same     bool // says what that answers, for all its CertIDs
}

// CertIDs is how many CertIDs the response has.
func (it *Item) CertIDs() (n int) {
	for i := range it.Subjects {
		n += bits.OnesCount8(it.Subjects[i].Algs)
	}
	return n
}

// Reset makes it an item that was not checked yet. It keeps the memory.
func (it *Item) Reset(at rule.Place) {
	it.Place, it.DER, it.Outcome = at, nil, Outcome{Subjects: it.Subjects[:0]}
}

// Rejected reports whether the response was rejected.
func (it *Item) Rejected() bool { return it.Broken.Check != rule.None }

// A Checker judges responses. Each worker has its own: it reuses its memory and
// makes no garbage for a response that passes without a warning new to its ledger.
type Checker struct {
	config    Config
	at        int64 // Unix seconds
	delegates delegateCache
	certs     []*delegate // room for those of one response

	parser   index.Parser
	response index.Response

	// Of the item in hand.
	item     *Item
	about    int // position of the SingleResponse in hand
	findings rule.Findings
}

// NewChecker makes a checker.
func NewChecker(c Config) *Checker { return &Checker{config: c, at: c.At.Unix()} }

// Check fills in what came of an item. Warnings go to the ledger, a rejection stays
// with the item.
func (c *Checker) Check(it *Item, ledger *rule.Ledger) {
	c.item = it
	c.findings.Begin(ledger, it.Place)
	c.check(it)
	if c.rejected() {
		it.Broken = c.findings.Rejection()
	} else {
		ledger.Enter(&c.findings)
	}
}

func (c *Checker) check(it *Item) {
	r := &c.response
	if err := c.parser.Parse(r, it.DER); err != nil {
		c.found(rule.OCSPDER, func() string {
			if kind := der.KindOf(it.DER); kind != der.OCSPAnswer && kind != der.Unknown {
				return fmt.Sprintf("this is %s, not an OCSP response", kind)
			}
			return err.Error()
		})
		return
	}
	c.findings.About(r.Singles[0].CertID.Serial)
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
	if !c.rejected() { // last: what is not genuine leaves no tombstone
		c.checkExpired(r)
	}
	if !c.rejected() && !it.Expired {
		if err := it.Entry.Set(r); err != nil {
			c.found(rule.StoreRecord, err.Error)
		}
	}
}

// found notes that the response in hand breaks a rule, once however many of its
// SingleResponses do.
func (c *Checker) found(id rule.Check, reason func() string) {
	if !c.findings.Has(id) {
		c.findings.Found(id, func() string { return c.word(reason) })
	}
}

// word says why; of a SingleResponse that is not the first, also which it is.
func (c *Checker) word(reason func() string) string {
	if c.about == 0 {
		return reason()
	}
	return fmt.Sprintf("SingleResponse %d, serial %x: %s", c.about+1, c.response.Singles[c.about].CertID.Serial, reason())
}

// singles iterates over the SingleResponses of r. What is found meanwhile is about
// the one in hand.
func (c *Checker) singles(r *index.Response) func(yield func(*index.Single) bool) {
	return func(yield func(*index.Single) bool) {
		for c.about = range r.Singles {
			if !yield(&r.Singles[c.about]) {
				break
			}
		}
		c.about = 0
	}
}

func (c *Checker) rejected() bool { return c.findings.Rejected() }

const (
	// frugalSize is the size, in octets, beyond which a response is larger than
	// any that needs to be: one with an RSA-4096 delegate in it has some 3 KiB.
	frugalSize = 4 << 10

	// stapleSize, with a HTTP header, is what fits the 16 KiB that nginx has for it.
	stapleSize = 15 << 10
)

func (c *Checker) checkSize(r *index.Response) {
	switch n := len(r.DER); {
	case n > stapleSize:
		c.found(rule.OCSPSizeStaple, func() string {
			return fmt.Sprintf("%d octets, want at most %d: nginx will not staple it", n, stapleSize)
		})
	case n > frugalSize:
		c.found(rule.OCSPSizeFrugal, func() string { return fmt.Sprintf("%d octets, want at most %d", n, frugalSize) })
	}
}

func (c *Checker) checkVersion(r *index.Response) {
	if r.ExplicitVersion {
		c.found(rule.OCSPVersionExplicit, func() string { return "version v1 is spelled out, which DER forbids for a default" })
	}
}

// checkSingles checks whom the response is about, and sets the item's Issuer and
// Subjects.
func (c *Checker) checkSingles(r *index.Response) {
	for s := range c.singles(r) {
		c.checkSerial(s)
		is := c.checkIssuer(s)
		if is == nil {
			return
		}
		if c.about == 0 {
			c.item.Issuer = is
		}
		c.checkTogether(r, s, is)
		c.checkStatus(r, s, is)
		c.checkListed(r, s, is)
		c.addSubject(s, is)
		c.checkExpires(s)
	}
	if n := len(r.Singles); n > 1 {
		c.found(rule.OCSPDual, func() string {
			return fmt.Sprintf("%d SingleResponses, which some clients refuse: sign one response for each hash algorithm", n)
		})
	}
}

// checkIssuer returns the issuer that s names, nil if there is none.
func (c *Checker) checkIssuer(s *index.Single) *ca.Issuer {
	id := &s.CertID
	if id.Alg == index.UnknownAlg {
		c.found(rule.OCSPHash, func() string {
			return fmt.Sprintf("CertID hash algorithm is none of SHA-1, SHA-256, SHA-384 and SHA-512 (its hashes have %d and %d octets)", len(id.NameHash), len(id.KeyHash))
		})
		return nil
	}
	is := c.config.Issuers.Find(id)
	if is == nil {
		c.found(rule.OCSPIssuer, func() string {
			if named := c.config.Issuers.WithKey(id); named != nil {
				return fmt.Sprintf("the %s key hash is that of %s, but the name hash %x is not: if certificates spell its name in another encoding, show one (--issuer-name)", id.Alg, named.Cert.Subject, id.NameHash)
			}
			return fmt.Sprintf("no --issuer has the %s name hash %x and key hash %x", id.Alg, id.NameHash, id.KeyHash)
		})
	}
	return is
}

func (c *Checker) checkSerial(s *index.Single) {
	serial := s.CertID.Serial
	if fault := ca.SerialFault(serial); fault != "" {
		c.found(rule.OCSPSerial, func() string { return fmt.Sprintf("serial number %x %s", serial, fault) })
	} else if ca.SerialWithSign(serial) {
		c.found(rule.OCSPSerialSign, func() string {
			return fmt.Sprintf("serial number %x has %d octets only with its sign octet, which some clients count", serial, len(serial))
		})
	}
}
