package static

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/rule"
)

// expiryNotice is how long before it expires a published certificate is warned
// of: time to issue and install another one.
const expiryNotice = 30 * 24 * time.Hour

// checkCertificate checks one certificate of a static file by itself, at the moment of
// the build.
func checkCertificate(cert *x509.Certificate, at time.Time, f *rule.Findings) {
	if _, err := certs.Strict(cert); err != nil {
		f.Found(rule.CertDER, rule.Because("certificate of %s: %v", cert.Subject, err))
	}
	if _, err := certs.KeyBits(cert); err != nil {
		f.Found(rule.CertKeyForm, err.Error)
	}
	checkCA(cert, f)
	switch {
	case cert.NotBefore.After(at):
		f.Found(rule.CertExpires, rule.Because("certificate of %s is not valid before %s, it is %s", cert.Subject, rule.UTC(cert.NotBefore.Unix()), rule.UTC(at.Unix())))
	case cert.NotAfter.Before(at.Add(expiryNotice)):
		f.Found(rule.CertExpires, rule.Because("certificate of %s is valid until %s, it is %s", cert.Subject, rule.UTC(cert.NotAfter.Unix()), rule.UTC(at.Unix())))
	}
	if selfSigned(cert) {
		f.Found(rule.CertSelfSigned, rule.Because("certificate of %s is self-signed: clients cannot use it to build a chain", cert.Subject))
	}
	checkURLs(cert, f)
}

func checkCA(cert *x509.Certificate, f *rule.Findings) {
	fault := certs.CAFault(cert)
	if fault == "" && !cert.IsCA {
		fault = fmt.Sprintf("it is of version %d, which has no place to say so", cert.Version)
	}
	if fault != "" {
		f.Found(rule.CertCA, rule.Because("certificate of %s is no CA certificate: %s", cert.Subject, fault))
	}
}

func selfSigned(cert *x509.Certificate) bool {
	if !bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		return false
	}
	s, err := ca.NewSigner(cert)
	return err == nil && s.Issued(cert) == nil
}

// checkURLs checks the URLs that a certificate names.
func checkURLs(cert *x509.Certificate, f *rule.Findings) {
	for _, of := range []struct {
		name string
		urls []string
	}{
		{"OCSP", cert.OCSPServer}, {"caIssuers", cert.IssuingCertificateURL}, {"CRL", cert.CRLDistributionPoints},
	} {
		if onlyHTTPS(of.urls) {
			f.Found(rule.CertHTTPS, rule.Because("certificate of %s names the %s URL %q, but none with http: to fetch it, clients may need what it has", cert.Subject, of.name, of.urls[0]))
		}
	}
	for _, url := range cert.OCSPServer {
		if n := getSize(url, cert); n > maxGET {
			f.Found(rule.CertOCSPURL, rule.Because("certificate of %s names the OCSP URL %q: a GET with a SHA-256 CertID has %d octets at least, want at most %d", cert.Subject, url, n, maxGET))
		}
	}
}

// onlyHTTPS reports whether there is an https URL in the list, but no http one.
func onlyHTTPS(urls []string) bool {
	https := false
	for _, url := range urls {
		if strings.HasPrefix(url, scheme) {
			return false
		}
		https = https || strings.HasPrefix(url, "https://")
	}
	return https
}

const (
	// maxGET is the longest URL, in octets, that clients ask for by GET (RFC 9919
	// section 6).
	maxGET = 255

	// requestOverhead is the size of an OCSP request for one SHA-256 CertID, less
	// that of the serial number: five SEQUENCEs around an AlgorithmIdentifier of 15
	// octets, two hashes of 34 and the header of an INTEGER.
	requestOverhead = 5*2 + 15 + 2*34 + 2
)

// getSize is the size of the URL that asks url about cert, by SHA-256, before any
// octet of the base64 is escaped.
func getSize(url string, cert *x509.Certificate) int {
	request := requestOverhead + len(certs.Serial(cert.SerialNumber))
	return len(strings.TrimSuffix(url, "/")) + len("/") + base64.StdEncoding.EncodedLen(request)
}
