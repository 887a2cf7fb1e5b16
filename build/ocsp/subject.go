package ocsp

import (
	"bytes"
	"fmt"

	"lancre/build/ca"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/index"
)

// A Subject is one certificate that a response is about: of most responses the
// only one.
type Subject struct {
	Serial []byte // content octets; aliases the response
	Status index.Status
	Algs   uint8          // 1 << HashAlg for each CertID
	Line   inventory.Line // of the inventory, if it is Known there
	Known  bool
}

// Subject returns the one with that serial number, nil if there is none.
func (it *Item) Subject(serial []byte) *Subject {
	for i := range it.Subjects {
		if bytes.Equal(it.Subjects[i].Serial, serial) {
			return &it.Subjects[i]
		}
	}
	return nil
}

// checkTogether compares s, for a certificate of is, with the SingleResponses before it.
func (c *Checker) checkTogether(r *index.Response, s *index.Single, is *ca.Issuer) {
	first, id := &r.Singles[0], &s.CertID
	if is != c.item.Issuer {
		c.found(rule.OCSPBundleIssuer, func() string {
			return fmt.Sprintf("the certificate was issued by %s, that of the first SingleResponse by %s: nobody can have signed for both", is.Cert.Subject, c.item.Issuer.Cert.Subject)
		})
	}
	if !bytes.Equal(id.Serial, first.CertID.Serial) {
		c.found(rule.OCSPBundle, func() string {
			return fmt.Sprintf("SingleResponses for %s and %s: some clients refuse them; sign one response for each certificate",
				&first.CertID, id)
		})
	}
	if s.ThisUpdate != first.ThisUpdate {
		c.found(rule.OCSPBundleTime, func() string {
			return fmt.Sprintf("thisUpdate is %s, that of the first SingleResponse %s: which of several responses is the newest could not be told for each; sign one response for each",
				rule.UTC(s.ThisUpdate), rule.UTC(first.ThisUpdate))
		})
	}
	before := c.item.Subject(id.Serial)
	if before == nil {
		return
	}
	if before.Algs&(1<<id.Alg) != 0 {
		c.found(rule.OCSPBundleTwice, func() string { return fmt.Sprintf("a second SingleResponse for %s: leave one out", id) })
	}
	if before.Status != s.Status {
		c.found(rule.OCSPConflict, func() string {
			return fmt.Sprintf("certStatus is %s, in a SingleResponse for the same certificate before it %s: have a new one signed", s.Status, before.Status)
		})
	}
}

// addSubject enters the certificate that s, of is, names.
func (c *Checker) addSubject(s *index.Single, is *ca.Issuer) {
	if before := c.item.Subject(s.CertID.Serial); before != nil {
		before.Algs |= 1 << s.CertID.Alg
		return
	}
	line, known := c.checkAssigned(s, is)
	c.item.Subjects = append(c.item.Subjects, Subject{Serial: s.CertID.Serial, Status: s.Status, Algs: 1 << s.CertID.Alg, Line: line, Known: known})
}

// checkAssigned checks that the CA vouches for no certificate it has not assigned.
// It returns the line of the one that s is for, if the inventory has it.
func (c *Checker) checkAssigned(s *index.Single, is *ca.Issuer) (line inventory.Line, known bool) {
	v := c.config.Inventory
	line, known = v.Find(is, s.CertID.Serial)
	if v != nil && !known && s.Status == index.Good {
		c.found(rule.InventoryUnassigned, func() string {
			return fmt.Sprintf("certStatus is good, but %s does not have the serial number", v.File)
		})
	}
	return line, known
}
