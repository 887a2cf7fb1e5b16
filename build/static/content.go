package static

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index/store"
)

// A kind is what a static file holds.
type kind uint8

const (
	kindCRL kind = iota + 1
	kindCertificate
	kindCMS
	kindHTML
	kindText
)

// kinds holds, by kind, its name, its Content-Type and the file name extensions
// that promise it. CRL and certificate: RFC 5280 sections 4.2.1.13 and 4.2.2.1.
var kinds = append([]kindRow{
	kindCRL:         {"a CRL", store.TypeCRL, []string{".crl", ".der"}},
	kindCertificate: {"a certificate", store.TypeCertificate, []string{".cer", ".crt", ".der"}},
	kindCMS:         {"a certs-only CMS", store.TypeCMS, []string{".p7c", ".p7b"}},
	kindHTML:        {"HTML", store.TypeHTML + ";charset=utf-8", []string{".html", ".htm"}},
	kindText:        {"text", "text/plain;charset=utf-8", []string{".txt"}},
}, assetKinds()...)

// A kindRow is what is known of a kind.
type kindRow struct {
	name        string
	contentType string
	extensions  []string
}

func (k kind) String() string      { return kinds[k].name }
func (k kind) contentType() string { return kinds[k].contentType }

// content is a recognised static file.
type content struct {
	kind  kind
	crl   *crl.CRL            // of kindCRL
	certs []*x509.Certificate // of kindCertificate, one, and of kindCMS
}

// agrees checks that the file's name does not promise something else.
func (c content) agrees(name string) *rule.Finding {
	ext := strings.ToLower(filepath.Ext(name))
	var promised []string
	for _, k := range kinds[kindCRL:] {
		if slices.Contains(k.extensions, ext) {
			promised = append(promised, k.name)
		}
	}
	switch {
	case slices.Contains(promised, c.kind.String()):
	case len(promised) > 0:
		return rule.Broken(rule.StaticType, "named %s, which is for %s, but holds %s", ext, strings.Join(promised, " or "), c.kind)
	case c.kind == kindText && ext != "":
		return rule.Broken(rule.StaticType, "named %s, but would be published as text/plain: name it .txt", ext)
	}
	return nil
}

// recognise tells what a static file holds from its content alone.
func recognise(data []byte) (content, *rule.Finding) {
	switch {
	case len(data) == 0:
		return content{}, rule.Broken(rule.StaticType, "empty")
	case data[0] == 0x30:
		return recogniseDER(data)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return content{}, rule.Broken(rule.StaticType, "PEM, where clients want DER: %s", pemRemedy(data))
	case !isText(data):
		return content{}, rule.Broken(rule.StaticType, "begins with the octets %x: neither a CRL, a certificate, a certs-only CMS, HTML nor text", data[:min(len(data), 8)])
	case isHTML(data):
		return content{kind: kindHTML}, nil
	}
	return content{kind: kindText}, nil
}

// pemRemedy is the command that makes DER of the PEM in data.
func pemRemedy(data []byte) string {
	commands := map[string]string{"CERTIFICATE": "x509", "X509 CRL": "crl", "PKCS7": "pkcs7", "CMS": "cms -cmsout"}
	block, _ := pem.Decode(data)
	if block == nil {
		return "and this PEM cannot be decoded"
	}
	command, ok := commands[block.Type]
	if !ok {
		return fmt.Sprintf("and a block of %q is nothing to publish", block.Type)
	}
	return fmt.Sprintf("convert it by openssl %s -in FILE -outform DER -out FILE", command)
}

// isText reports whether data is UTF-8 without control characters but white space.
func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool {
		return r < ' ' && (r < '\t' || r > '\r') || r == 0x7f
	})
}

func isHTML(data []byte) bool {
	start := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	start = bytes.ToLower(start[:min(len(start), len("<!doctype html"))])
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// maxCertificates is how large a file of certificates may be, in octets: ten times what
// bridge CAs publish in one. To read it takes three times as much memory.
const maxCertificates = 10 << 20

// recogniseDER tells CRL, certificate and CMS apart by their first elements and
// parses the one it must be.
func recogniseDER(data []byte) (content, *rule.Finding) {
	in := cryptobyte.String(data)
	var seq, tbs cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) {
		return content{}, rule.Broken(rule.StaticType, "begins like DER, but is not one SEQUENCE: the file was cut")
	}
	if !in.Empty() {
		return content{}, rule.Broken(rule.StaticType, "%d octets behind the end of the DER: want one object a file", len(in))
	}
	certificates := seq.PeekASN1Tag(asn1.OBJECT_IDENTIFIER)
	if !certificates && !seq.ReadASN1(&tbs, asn1.SEQUENCE) {
		return content{}, rule.Broken(rule.StaticType, "DER, but neither a CRL, a certificate nor a CMS")
	}
	if n := len(data); n > maxCertificates && (certificates || isTBSCertificate(tbs)) {
		return content{}, rule.Broken(rule.CertSize, "certificates of %d octets, want at most %d", n, maxCertificates)
	}
	if certificates {
		list, err := parseCertsOnly(data)
		if err != nil {
			return content{}, rule.Broken(rule.CertCMS, "CMS: %v", err)
		}
		return content{kind: kindCMS, certs: list}, nil
	}
	if isTBSCertificate(tbs) {
		cert, err := certs.Parse(data)
		if err != nil {
			return content{}, rule.Broken(rule.CertDER, "certificate: %v", err)
		}
		return content{kind: kindCertificate, certs: []*x509.Certificate{cert}}, nil
	}
	list, broken := crl.Parse(data)
	if broken != nil {
		return content{}, broken
	}
	return content{kind: kindCRL, crl: list}, nil
}

// isTBSCertificate tells a TBSCertificate from a TBSCertList. The first begins
// with version [0] or, in v1, with serialNumber, signature, issuer and a validity
// that is a SEQUENCE; where that is, the second has thisUpdate (RFC 5280 sections
// 4.1 and 5.1).
func isTBSCertificate(tbs cryptobyte.String) bool {
	if tbs.PeekASN1Tag(asn1.Tag(0).ContextSpecific().Constructed()) {
		return true
	}
	return tbs.SkipASN1(asn1.INTEGER) && tbs.SkipASN1(asn1.SEQUENCE) && tbs.SkipASN1(asn1.SEQUENCE) &&
		tbs.PeekASN1Tag(asn1.SEQUENCE)
}
