package build

import (
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A crlRecipe is the recipe of a CRL. That of the zero value but for the issuer
// breaks no rule of any profile: it lists nothing, was signed an hour before now
// and holds for seven days more.
type crlRecipe struct {
	issuer identity

	noVersion              bool
	signed                 string // AlgorithmIdentifier inside what is signed, if not that outside
	algorithm              string // DER AlgorithmIdentifier; if "", the usual one of the key
	thisUpdate, nextUpdate time.Time
	times                  []byte // both in DER, in place of them
	noNextUpdate           bool
	entries                []entryRecipe
	noEntries              bool // spelled as an empty SEQUENCE
	padding                int  // octets of an extension, to make it large

	number          []byte // content octets; if nil, those of 7
	noNumber        bool
	criticalNumber  bool
	keyID           []byte // if nil, the issuer's
	noKeyID         bool
	noNextPublish   bool
	point           *pointRecipe
	extensions      []pkix.Extension // more
	afterExtensions []byte           // octets behind the last element of TBSCertList
	spoil           bool             // make the signature wrong
}

// A pointRecipe is the recipe of an issuingDistributionPoint. That of the zero
// value is for user certificates, and critical.
type pointRecipe struct {
	uris        []string
	name        []byte // distributionPoint in DER, in place of them
	notCritical bool
	notUser     bool // without onlyContainsUserCerts
	flags       []uint8
}

// An entryRecipe is the recipe of an entry: serial number 1, revoked a day before now.
type entryRecipe struct {
	serial     string // content octets
	revoked    time.Time
	reason     []byte // content octets of reasonCode; nil for none
	extensions []pkix.Extension
}

var (
	idCRLNumber   = stdasn1.ObjectIdentifier{2, 5, 29, 20}
	idReasonCode  = stdasn1.ObjectIdentifier{2, 5, 29, 21}
	idInvalidity  = stdasn1.ObjectIdentifier{2, 5, 29, 24}
	idDelta       = stdasn1.ObjectIdentifier{2, 5, 29, 27}
	idPoint       = stdasn1.ObjectIdentifier{2, 5, 29, 28}
	idEntryIssuer = stdasn1.ObjectIdentifier{2, 5, 29, 29}
	idKeyID       = stdasn1.ObjectIdentifier{2, 5, 29, 35}
	idNextPublish = stdasn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 4}
	idUnknown     = stdasn1.ObjectIdentifier{2, 5, 29, 99}
)

// der makes the CRL.
func (r crlRecipe) der(t testing.TB) []byte {
	t.Helper()
	algorithm := r.algorithm
	if algorithm == "" {
		algorithm = usualAlgorithm(r.issuer.key)
	}
	tbs := r.tbs(algorithm)
	_, signature := response{signer: r.issuer, algorithm: algorithm, spoil: r.spoil}.sign(t, tbs)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes([]byte(algorithm))
		b.AddASN1BitString(signature)
	})
	return b.BytesOrPanic()
}

func (r crlRecipe) tbs(algorithm string) []byte {
	if r.signed != "" {
		algorithm = r.signed
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if !r.noVersion {
			b.AddASN1Int64(1)
		}
		b.AddBytes([]byte(algorithm))
		b.AddBytes(r.issuer.cert.RawSubject)
		r.addTimes(b)
		if r.entries != nil || r.noEntries {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range r.entries {
					e.add(b)
				}
			})
		}
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddBytes(made(stdasn1.Marshal(r.list()))) })
		b.AddBytes(r.afterExtensions)
	})
	return b.BytesOrPanic()
}

func (r crlRecipe) addTimes(b *cryptobyte.Builder) {
	if r.times != nil {
		b.AddBytes(r.times)
		return
	}
	b.AddBytes(utcElement(or(r.thisUpdate, now.Add(-hour)).Format("060102150405Z")))
	if !r.noNextUpdate {
		b.AddBytes(utcElement(or(r.nextUpdate, now.Add(7*day)).Format("060102150405Z")))
	}
}

func utcElement(text string) []byte { return element(asn1.UTCTime, []byte(text)) }

// element is a DER element.
func element(tag asn1.Tag, content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

// list is the extensions.
func (r crlRecipe) list() (list []pkix.Extension) {
	if !r.noKeyID {
		keyID := r.keyID
		if keyID == nil {
			keyID = r.issuer.cert.SubjectKeyId
		}
		list = append(list, pkix.Extension{Id: idKeyID, Value: element(asn1.SEQUENCE, element(asn1.Tag(0).ContextSpecific(), keyID))})
	}
	if !r.noNumber {
		number := r.number
		if number == nil {
			number = []byte{7}
		}
		list = append(list, pkix.Extension{Id: idCRLNumber, Critical: r.criticalNumber, Value: element(asn1.INTEGER, number)})
	}
	if !r.noNextPublish {
		list = append(list, pkix.Extension{Id: idNextPublish, Value: utcElement("261121120000Z")})
	}
	if r.padding > 0 {
		list = append(list, pkix.Extension{Id: idUnknown, Value: make([]byte, r.padding)})
	}
	if r.point != nil {
		list = append(list, r.point.extension())
	}
	return append(list, r.extensions...)
}

func (p pointRecipe) extension() pkix.Extension {
	name := p.name
	if p.uris != nil {
		var uris []byte
		for _, uri := range p.uris {
			uris = append(uris, element(asn1.Tag(6).ContextSpecific(), []byte(uri))...)
		}
		name = element(tag0, uris)
	}
	var content []byte
	if name != nil {
		content = element(tag0, name)
	}
	flags := p.flags
	if !p.notUser {
		flags = append([]uint8{1}, flags...)
	}
	for _, flag := range flags {
		value := []byte{0xff}
		if flag == 3 {
			value = []byte{0x07, 0x80}
		}
		content = append(content, element(asn1.Tag(flag).ContextSpecific(), value)...)
	}
	return pkix.Extension{Id: idPoint, Critical: !p.notCritical, Value: element(asn1.SEQUENCE, content)}
}

func (e entryRecipe) add(b *cryptobyte.Builder) {
	serial := e.serial
	if serial == "" {
		serial = "\x01"
	}
	list := e.extensions
	if e.reason != nil {
		list = append(list, pkix.Extension{Id: idReasonCode, Value: element(asn1.ENUM, e.reason)})
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(element(asn1.INTEGER, []byte(serial)))
		b.AddBytes(utcElement(or(e.revoked, now.Add(-day)).Format("060102150405Z")))
		if list != nil {
			b.AddBytes(made(stdasn1.Marshal(list)))
		}
	})
}
