package build

import (
	"bytes"
	"fmt"
	"time"

	"lancre/index"
)

// A subject is one certificate that a response is about: of most responses the
// only one.
type subject struct {
	serial   []byte // content octets; aliases the response
	status   index.Status
	algs     uint8     // 1 << HashAlg for each CertID
	assigned *assigned // its line of the inventory; nil if there is none
}

// subject returns the one with that serial number, nil if there is none.
func (it *item) subject(serial []byte) *subject {
	for i := range it.subjects {
		if bytes.Equal(it.subjects[i].serial, serial) {
			return &it.subjects[i]
		}
	}
	return nil
}

// checkTogether compares s, for a certificate of is, with the SingleResponses before it.
func (c *checker) checkTogether(r *index.Response, s *index.Single, is *issuer) {
	first, id := &r.Singles[0], &s.CertID
	if is != c.item.issuer {
		c.found(checkBundleIssuer, func() string {
			return fmt.Sprintf("the certificate was issued by %s, that of the first SingleResponse by %s: nobody can have signed for both", is.cert.Subject, c.item.issuer.cert.Subject)
		})
	}
	if !bytes.Equal(id.Serial, first.CertID.Serial) {
		c.found(checkBundle, func() string {
			return fmt.Sprintf("SingleResponses for %s and %s: some clients refuse them; sign one response for each certificate (to publish it all the same: --warn %s)",
				&first.CertID, id, checkBundle)
		})
	}
	if s.ThisUpdate != first.ThisUpdate {
		c.found(checkBundleTime, func() string {
			return fmt.Sprintf("thisUpdate is %s, that of the first SingleResponse %s: which of several responses is the newest could not be told for each; sign one response for each",
				utc(s.ThisUpdate), utc(first.ThisUpdate))
		})
	}
	before := c.item.subject(id.Serial)
	if before == nil {
		return
	}
	if before.algs&(1<<id.Alg) != 0 {
		c.found(checkBundleTwice, func() string { return fmt.Sprintf("a second SingleResponse for %s: leave one out", id) })
	}
	if before.status != s.Status {
		c.found(checkConflict, func() string {
			return fmt.Sprintf("certStatus is %s, in a SingleResponse for the same certificate before it %s: have a new one signed", s.Status, before.status)
		})
	}
}

// addSubject enters the certificate that s, of is, names.
func (c *checker) addSubject(s *index.Single, is *issuer) {
	if before := c.item.subject(s.CertID.Serial); before != nil {
		before.algs |= 1 << s.CertID.Alg
		return
	}
	c.item.subjects = append(c.item.subjects, subject{
		serial: s.CertID.Serial, status: s.Status, algs: 1 << s.CertID.Alg, assigned: c.checkAssigned(s, is),
	})
}

// cover notes with its line of the inventory that s has a response.
func (s *subject) cover() {
	if s.assigned != nil {
		s.assigned.algs |= s.algs
	}
}

// lapsed reports whether the inventory, which there is, says that the certificate
// has expired at the given time, or does not know it.
func (s *subject) lapsed(at time.Time) bool {
	return s.assigned == nil || s.assigned.notAfter <= at.Unix()
}
