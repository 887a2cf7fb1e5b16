package recipe

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
)

// A CRL is the recipe of a CRL. That of the zero value but for the issuer
// breaks no rule of any profile: it lists nothing, was signed an hour before now
// and holds for seven days more.
type CRL struct {
	Issuer Identity

	NoVersion              bool
	Inner                  string // AlgorithmIdentifier inside what is signed, if not that outside
	Algorithm              string // DER AlgorithmIdentifier; if "", the usual one of the key
	ThisUpdate, NextUpdate time.Time
	Times                  []byte // both in DER, in place of them
	NoNextUpdate           bool
	Entries                []CRLEntry
	NoEntries              bool // spelled as an empty SEQUENCE
	Padding                int  // octets of an extension, to make it large

	Number          []byte // content octets; if nil, those of 7
	NoNumber        bool
	CriticalNumber  bool
	KeyID           []byte // if nil, the issuer's
	NoKeyID         bool
	AuthorityKey    *pkix.Extension // in place of one that has KeyID; see AuthorityKey
	NoNextPublish   bool
	Point           *CRLPoint
	Extensions      []pkix.Extension // more
	ExtensionsDER   []byte           // content of all, in place of them; see RawExtension
	AfterExtensions []byte           // octets behind the last element of TBSCertList
	Spoil           bool             // make the signature wrong
}

// A CRLPoint is the recipe of an issuingDistributionPoint. That of the zero
// value is for user certificates, and critical.
type CRLPoint struct {
	URIs        []string
	Name        []byte // distributionPoint in DER, in place of them
	NotCritical bool
	NotUser     bool // without onlyContainsUserCerts
	Flags       []uint8
}

// A CRLEntry is the recipe of an entry: serial number 1, revoked a day before now.
type CRLEntry struct {
	Serial     string // content octets
	Revoked    time.Time
	Reason     []byte // content octets of reasonCode; nil for none
	Extensions []pkix.Extension

	ExtensionsDER []byte // content of all, in place of them; see RawExtension
}

// Extensions of CRLs and of their entries.
var (
	idCRLNumber   = stdasn1.ObjectIdentifier{2, 5, 29, 20}
	IDReasonCode  = stdasn1.ObjectIdentifier{2, 5, 29, 21}
	IDInvalidity  = stdasn1.ObjectIdentifier{2, 5, 29, 24}
	IDDelta       = stdasn1.ObjectIdentifier{2, 5, 29, 27}
	idPoint       = stdasn1.ObjectIdentifier{2, 5, 29, 28}
	IDEntryIssuer = stdasn1.ObjectIdentifier{2, 5, 29, 29}
	idKeyID       = stdasn1.ObjectIdentifier{2, 5, 29, 35}
	idNextPublish = stdasn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 4}
	IDUnknown     = stdasn1.ObjectIdentifier{2, 5, 29, 99}
)

// DER makes the CRL.
func (r CRL) DER(t testing.TB) []byte {
	t.Helper()
	algorithm := r.Algorithm
	if algorithm == "" {
		algorithm = usualAlgorithm(r.Issuer.Key)
	}
	tbs := r.tbs(algorithm)
	_, signature := Response{Signer: r.Issuer, Algorithm: algorithm, Spoil: r.Spoil}.sign(t, tbs)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes([]byte(algorithm))
		b.AddASN1BitString(signature)
	})
	return b.BytesOrPanic()
}

func (r CRL) tbs(algorithm string) []byte {
	if r.Inner != "" {
		algorithm = r.Inner
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if !r.NoVersion {
			b.AddASN1Int64(1)
		}
		b.AddBytes([]byte(algorithm))
		b.AddBytes(r.Issuer.Cert.RawSubject)
		r.addTimes(b)
		if r.Entries != nil || r.NoEntries {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range r.Entries {
					e.add(b)
				}
			})
		}
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
			if r.ExtensionsDER != nil {
				b.AddBytes(Element(asn1.SEQUENCE, r.ExtensionsDER))
			} else {
				b.AddBytes(Must(stdasn1.Marshal(r.list())))
			}
		})
		b.AddBytes(r.AfterExtensions)
	})
	return b.BytesOrPanic()
}

func (r CRL) addTimes(b *cryptobyte.Builder) {
	if r.Times != nil {
		b.AddBytes(r.Times)
		return
	}
	b.AddBytes(UTCTime(or(r.ThisUpdate, Now.Add(-Hour)).Format("060102150405Z")))
	if !r.NoNextUpdate {
		b.AddBytes(UTCTime(or(r.NextUpdate, Now.Add(7*Day)).Format("060102150405Z")))
	}
}

// UTCTime is a DER UTCTime.
func UTCTime(text string) []byte { return Element(asn1.UTCTime, []byte(text)) }

// Element is a DER element.
func Element(tag asn1.Tag, content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

// list is the extensions.
func (r CRL) list() (list []pkix.Extension) {
	switch {
	case r.AuthorityKey != nil:
		list = append(list, *r.AuthorityKey)
	case !r.NoKeyID:
		keyID := r.KeyID
		if keyID == nil {
			keyID = r.Issuer.Cert.SubjectKeyId
		}
		list = append(list, AuthorityKey(keyID, nil, nil))
	}
	if !r.NoNumber {
		number := r.Number
		if number == nil {
			number = []byte{7}
		}
		list = append(list, pkix.Extension{Id: idCRLNumber, Critical: r.CriticalNumber, Value: Element(asn1.INTEGER, number)})
	}
	if !r.NoNextPublish {
		list = append(list, pkix.Extension{Id: idNextPublish, Value: UTCTime("261121120000Z")})
	}
	if r.Padding > 0 {
		list = append(list, pkix.Extension{Id: IDUnknown, Value: make([]byte, r.Padding)})
	}
	if r.Point != nil {
		list = append(list, r.Point.extension())
	}
	return append(list, r.Extensions...)
}

// AuthorityKey is an authorityKeyIdentifier of what is not nil: a key, the DER Name of who
// issued the certificate of the CA, and its serial number.
func AuthorityKey(keyID, issuer, serial []byte) pkix.Extension {
	var content []byte
	if keyID != nil {
		content = Element(asn1.Tag(0).ContextSpecific(), keyID)
	}
	if issuer != nil {
		content = append(content, Element(der.Tag1, Element(asn1.Tag(4).ContextSpecific().Constructed(), issuer))...)
	}
	if serial != nil {
		content = append(content, Element(asn1.Tag(2).ContextSpecific(), serial)...)
	}
	return pkix.Extension{Id: idKeyID, Value: Element(asn1.SEQUENCE, content)}
}

func (p CRLPoint) extension() pkix.Extension {
	name := p.Name
	if p.URIs != nil {
		var uris []byte
		for _, uri := range p.URIs {
			uris = append(uris, Element(asn1.Tag(6).ContextSpecific(), []byte(uri))...)
		}
		name = Element(der.Tag0, uris)
	}
	var content []byte
	if name != nil {
		content = Element(der.Tag0, name)
	}
	flags := p.Flags
	if !p.NotUser {
		flags = append([]uint8{1}, flags...)
	}
	for _, flag := range flags {
		value := []byte{0xff}
		if flag == 3 {
			value = []byte{0x07, 0x80}
		}
		content = append(content, Element(asn1.Tag(flag).ContextSpecific(), value)...)
	}
	return pkix.Extension{Id: idPoint, Critical: !p.NotCritical, Value: Element(asn1.SEQUENCE, content)}
}

func (e CRLEntry) add(b *cryptobyte.Builder) {
	serial := e.Serial
	if serial == "" {
		serial = "\x01"
	}
	list := e.Extensions
	if e.Reason != nil {
		list = append(list, pkix.Extension{Id: IDReasonCode, Value: Element(asn1.ENUM, e.Reason)})
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(Element(asn1.INTEGER, []byte(serial)))
		b.AddBytes(UTCTime(or(e.Revoked, Now.Add(-Day)).Format("060102150405Z")))
		switch {
		case e.ExtensionsDER != nil:
			b.AddBytes(Element(asn1.SEQUENCE, e.ExtensionsDER))
		case list != nil:
			b.AddBytes(Must(stdasn1.Marshal(list)))
		}
	})
}

// NewCRL makes a CRL of ca; change may alter its template.
func NewCRL(t testing.TB, ca Identity, change ...func(*x509.RevocationList)) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: Now.Add(-Hour), NextUpdate: Now.Add(7 * Day)}
	for _, f := range change {
		f(template)
	}
	return Must(x509.CreateRevocationList(rand.Reader, template, ca.Cert, ca.Key))
}
