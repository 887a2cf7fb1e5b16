package index

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Status is the certStatus of a SingleResponse (RFC 6960 section 4.2.1). Its
// values are part of the file format.
type Status uint8

// The certificate statuses, by their context tag.
const (
	Good Status = iota
	Revoked
	Unknown
)

func (s Status) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	}
	return "unknown"
}

// A Response is a successful DER OCSPResponse taken apart. Every slice aliases
// the octets it was parsed from; times are Unix seconds.
type Response struct {
	DER []byte // the whole OCSPResponse

	// What serving needs, over all SingleResponses.
	Status     Status // the gravest: revoked before unknown before good
	ThisUpdate int64  // the latest
	NextUpdate int64  // the earliest of those present; NoTime if none is
	ProducedAt int64

	Singles []Single // at least one

	ExplicitVersion  bool   // v1 spelled out although it is the default
	ResponderName    []byte // DER Name of a byName ResponderID, else nil
	ResponderKeyHash []byte // octets of a byKey ResponderID, else nil
	Extensions       []byte // content of responseExtensions, else nil

	TBS                []byte // DER ResponseData: what is signed
	SignatureAlgorithm []byte // DER AlgorithmIdentifier
	Signature          []byte // bits of the BIT STRING, which has no unused ones
	Certificates       []byte // content of certs: DER certificates one after another; nil if absent

	producedAt, tbs, signature int // where in DER their octets begin

	pattern *pattern // that a Parser parsed it by; nil if there was none
}

// ETag is the number whose 16 hex digits, as %016x prints them, are the entity tag
// of a response: its xxhash64, seed 0. It is the same whatever segment has the
// response, and whoever tags it.
func ETag(response []byte) uint64 { return xxhash.Sum64(response) }

// A Single is one SingleResponse of a Response.
type Single struct {
	CertID     CertID
	Status     Status
	RevokedAt  int64 // revocationTime; NoTime unless revoked
	Reason     int   // CRLReason, -1 if absent
	ThisUpdate int64
	NextUpdate int64  // NoTime if absent
	Extensions []byte // content of singleExtensions, else nil

	// Where in the response the octets of each begin; of no meaning for a time that
	// is absent.
	serial, revokedAt, thisUpdate, nextUpdate int
}

// NoTime stands for an absent optional time.
const NoTime = int64(-1 << 63)

var oidBasicResponse = []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01} // id-pkix-ocsp-basic

// responseStatuses names the values of OCSPResponseStatus (RFC 6960 section 4.2.1).
var responseStatuses = map[int64]string{
	1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized",
}

// Parse takes apart der, one DER OCSPResponse without trailing octets, and
// reuses the memory of r. On an error r is of no use. It checks the syntax and
// nothing else: no signature, no time against the clock.
//
// Where in der a part lies follows from what is left behind it: all that encloses the
// BasicOCSPResponse ends where der does.
func (r *Response) Parse(der []byte) error {
	*r = Response{DER: der, Singles: r.Singles[:0], NextUpdate: NoTime, ThisUpdate: NoTime}
	basic, err := openOCSPResponse(der)
	if err != nil {
		return err
	}
	var seq, tbs, sigAlg, sig, certs cryptobyte.String
	if !basic.ReadASN1(&seq, asn1.SEQUENCE) || !basic.Empty() {
		return errors.New("BasicOCSPResponse is not one DER SEQUENCE")
	}
	if !seq.ReadASN1Element(&tbs, asn1.SEQUENCE) {
		return errors.New("BasicOCSPResponse: tbsResponseData is not a SEQUENCE")
	}
	tbsEnd := len(der) - len(seq)
	if !seq.ReadASN1Element(&sigAlg, asn1.SEQUENCE) {
		return errors.New("BasicOCSPResponse: signatureAlgorithm is not a SEQUENCE")
	}
	if !seq.ReadASN1(&sig, asn1.BIT_STRING) || len(sig) < 1 || sig[0] != 0 {
		return errors.New("BasicOCSPResponse: signature is not a BIT STRING of whole octets")
	}
	r.TBS, r.SignatureAlgorithm, r.Signature = tbs, sigAlg, sig[1:]
	r.tbs, r.signature = tbsEnd-len(tbs), len(der)-len(seq)-len(r.Signature)
	var hasCerts bool
	if !seq.ReadOptionalASN1(&certs, &hasCerts, asn1.Tag(0).ContextSpecific().Constructed()) || !seq.Empty() {
		return errors.New("BasicOCSPResponse: trailing octets after the signature or certs")
	}
	if hasCerts {
		var list cryptobyte.String
		if !certs.ReadASN1(&list, asn1.SEQUENCE) || !certs.Empty() {
			return errors.New("BasicOCSPResponse: certs is not a SEQUENCE")
		}
		r.Certificates = list
	}
	return r.parseTBS(tbs, tbsEnd)
}

// openOCSPResponse returns the octets of the BasicOCSPResponse inside der.
func openOCSPResponse(der []byte) (basic cryptobyte.String, err error) {
	in := cryptobyte.String(der)
	var seq, status, explicit, body, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) {
		return nil, errors.New("not a DER SEQUENCE: no OCSPResponse begins here")
	}
	if !in.Empty() {
		return nil, fmt.Errorf("%d trailing octets after the OCSPResponse", len(in))
	}
	if !seq.ReadASN1(&status, asn1.ENUM) || len(status) != 1 {
		return nil, errors.New("OCSPResponse: responseStatus is not an ENUMERATED of one octet")
	}
	if status[0] != 0 {
		name, ok := responseStatuses[int64(status[0])]
		if !ok {
			name = "which RFC 6960 does not know"
		}
		return nil, fmt.Errorf("OCSPResponse: responseStatus is %d (%s), want 0 (successful): only signed answers can be published", status[0], name)
	}
	if !seq.ReadASN1(&explicit, asn1.Tag(0).ContextSpecific().Constructed()) || !seq.Empty() ||
		!explicit.ReadASN1(&body, asn1.SEQUENCE) || !explicit.Empty() ||
		!body.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, errors.New("OCSPResponse: responseBytes is missing or not DER")
	}
	if !bytes.Equal(oid, oidBasicResponse) {
		return nil, fmt.Errorf("OCSPResponse: responseType is not id-pkix-ocsp-basic (OID octets %x)", []byte(oid))
	}
	if !body.ReadASN1(&basic, asn1.OCTET_STRING) || !body.Empty() {
		return nil, errors.New("OCSPResponse: response is not one OCTET STRING")
	}
	return basic, nil
}

// parseTBS reads
//
//	ResponseData ::= SEQUENCE {
//	    version              [0] EXPLICIT Version DEFAULT v1,
//	    responderID          ResponderID,
//	    producedAt           GeneralizedTime,
//	    responses            SEQUENCE OF SingleResponse,
//	    responseExtensions   [1] EXPLICIT Extensions OPTIONAL }
//
// which ends at end of the response.
func (r *Response) parseTBS(element cryptobyte.String, end int) error {
	var in, version, responder, list cryptobyte.String
	element.ReadASN1(&in, asn1.SEQUENCE) // its caller read it as one
	if !in.ReadOptionalASN1(&version, &r.ExplicitVersion, asn1.Tag(0).ContextSpecific().Constructed()) {
		return errors.New("ResponseData: version is not DER")
	}
	if r.ExplicitVersion && !bytes.Equal(version, []byte{0x02, 0x01, 0x00}) {
		return fmt.Errorf("ResponseData: version is %x, want v1", []byte(version))
	}
	var tag asn1.Tag
	if !in.ReadAnyASN1(&responder, &tag) {
		return errors.New("ResponseData: responderID is missing")
	}
	if err := r.parseResponderID(responder, tag); err != nil {
		return err
	}
	var err error
	if r.producedAt, r.ProducedAt, err = readTime(&in, end); err != nil {
		return fmt.Errorf("ResponseData: producedAt: %w", err)
	}
	if !in.ReadASN1(&list, asn1.SEQUENCE) {
		return errors.New("ResponseData: responses is not a SEQUENCE")
	}
	if list.Empty() {
		return errors.New("ResponseData: no SingleResponse")
	}
	for listEnd := end - len(in); !list.Empty(); {
		var s Single
		if err := s.parse(&list, listEnd); err != nil {
			return fmt.Errorf("SingleResponse %d: %w", len(r.Singles)+1, err)
		}
		r.add(s)
	}
	if r.Extensions, err = readExtensions(&in); err != nil {
		return fmt.Errorf("ResponseData: responseExtensions: %w", err)
	}
	if !in.Empty() {
		return errors.New("ResponseData: trailing octets")
	}
	return nil
}

// add appends s and folds it into what holds for the whole response.
func (r *Response) add(s Single) {
	r.Status = r.Status.graver(s.Status)
	r.ThisUpdate = max(r.ThisUpdate, s.ThisUpdate)
	if s.NextUpdate != NoTime && (r.NextUpdate == NoTime || s.NextUpdate < r.NextUpdate) {
		r.NextUpdate = s.NextUpdate
	}
	r.Singles = append(r.Singles, s)
}

// gravity orders statuses.
func (s Status) gravity() int { return [...]int{Good: 0, Unknown: 1, Revoked: 2}[s] }

// graver is the graver of two statuses.
func (s Status) graver(other Status) Status {
	if other.gravity() > s.gravity() {
		return other
	}
	return s
}

func (r *Response) parseResponderID(content cryptobyte.String, tag asn1.Tag) error {
	switch tag {
	case asn1.Tag(1).ContextSpecific().Constructed(): // byName
		rest := content
		if !rest.SkipASN1(asn1.SEQUENCE) || !rest.Empty() {
			return errors.New("ResponseData: responderID byName is not a Name")
		}
		r.ResponderName = content
	case asn1.Tag(2).ContextSpecific().Constructed(): // byKey
		var hash cryptobyte.String
		if !content.ReadASN1(&hash, asn1.OCTET_STRING) || !content.Empty() {
			return errors.New("ResponseData: responderID byKey is not an OCTET STRING")
		}
		r.ResponderKeyHash = hash
	default:
		return fmt.Errorf("ResponseData: responderID has tag %#x, want byName [1] or byKey [2]", uint8(tag))
	}
	return nil
}

// parse reads
//
//	SingleResponse ::= SEQUENCE {
//	    certID             CertID,
//	    certStatus         CertStatus,
//	    thisUpdate         GeneralizedTime,
//	    nextUpdate         [0] EXPLICIT GeneralizedTime OPTIONAL,
//	    singleExtensions   [1] EXPLICIT Extensions OPTIONAL }
//
// from the front of list, which ends at listEnd of the response.
func (s *Single) parse(list *cryptobyte.String, listEnd int) error {
	var in, next cryptobyte.String
	if !list.ReadASN1(&in, asn1.SEQUENCE) {
		return errors.New("not a SEQUENCE")
	}
	end := listEnd - len(*list)
	if id := in; !ReadCertID(&in, &s.CertID) {
		return certIDFault(id)
	}
	s.serial = end - len(in) - len(s.CertID.Serial) // a CertID ends with it
	if err := s.parseStatus(&in, end); err != nil {
		return err
	}
	var err error
	if s.thisUpdate, s.ThisUpdate, err = readTime(&in, end); err != nil {
		return fmt.Errorf("thisUpdate: %w", err)
	}
	s.NextUpdate = NoTime
	var has bool
	if !in.ReadOptionalASN1(&next, &has, asn1.Tag(0).ContextSpecific().Constructed()) {
		return errors.New("nextUpdate is not DER")
	}
	if has {
		if s.nextUpdate, s.NextUpdate, err = readTime(&next, end-len(in)); err != nil {
			return fmt.Errorf("nextUpdate: %w", err)
		}
		if !next.Empty() {
			return errors.New("nextUpdate: trailing octets")
		}
	}
	if s.Extensions, err = readExtensions(&in); err != nil {
		return fmt.Errorf("singleExtensions: %w", err)
	}
	if !in.Empty() {
		return errors.New("trailing octets")
	}
	return nil
}

// parseStatus reads a CertStatus from the front of in, which ends at end of the
// response.
func (s *Single) parseStatus(in *cryptobyte.String, end int) error {
	var content cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&content, &tag) {
		return errors.New("certStatus is missing")
	}
	s.RevokedAt, s.Reason = NoTime, -1
	switch tag {
	case asn1.Tag(0).ContextSpecific():
		s.Status = Good
	case asn1.Tag(2).ContextSpecific():
		s.Status = Unknown
	case asn1.Tag(1).ContextSpecific().Constructed():
		s.Status = Revoked
		return s.parseRevokedInfo(content, end-len(*in))
	default:
		return fmt.Errorf("certStatus has tag %#x, want good [0], revoked [1] or unknown [2]", uint8(tag))
	}
	if !content.Empty() {
		return fmt.Errorf("certStatus %s is not a NULL", s.Status)
	}
	return nil
}

func (s *Single) parseRevokedInfo(in cryptobyte.String, end int) error {
	var err error
	if s.revokedAt, s.RevokedAt, err = readTime(&in, end); err != nil {
		return fmt.Errorf("revocationTime: %w", err)
	}
	var reason, enum cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&reason, &has, asn1.Tag(0).ContextSpecific().Constructed()) || !in.Empty() {
		return errors.New("RevokedInfo: trailing octets")
	}
	if !has {
		return nil
	}
	if !reason.ReadASN1(&enum, asn1.ENUM) || !reason.Empty() || len(enum) != 1 {
		return errors.New("revocationReason is not an ENUMERATED of one octet")
	}
	s.Reason = int(enum[0])
	return nil
}

// readExtensions reads [1] EXPLICIT Extensions OPTIONAL and returns the content
// of the SEQUENCE OF Extension, checked for syntax.
func readExtensions(in *cryptobyte.String) ([]byte, error) {
	var explicit, list cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&explicit, &has, asn1.Tag(1).ContextSpecific().Constructed()) {
		return nil, errors.New("not DER")
	}
	if !has {
		return nil, nil
	}
	if !explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty() {
		return nil, errors.New("not a SEQUENCE")
	}
	content := []byte(list)
	for !list.Empty() {
		var e Extension
		if !ReadExtension(&list, &e) {
			return nil, errors.New("an Extension is not DER")
		}
	}
	return content, nil
}

// An Extension is one element of Extensions (RFC 5280 section 4.1.2.9).
type Extension struct {
	OID      []byte // content octets
	Critical bool
	Explicit bool   // critical says FALSE, the default, which DER leaves out
	Value    []byte // content of extnValue
}

// ReadExtension reads one DER Extension from the front of in and reports whether
// there was one. A critical of FALSE that is spelled out, which DER forbids but
// some encoders write, is accepted and noted. The result aliases in. It does not allocate.
func ReadExtension(in *cryptobyte.String, e *Extension) bool {
	var seq, oid, critical, value cryptobyte.String
	var has bool
	if !in.ReadASN1(&seq, asn1.SEQUENCE) ||
		!seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!seq.ReadOptionalASN1(&critical, &has, asn1.BOOLEAN) ||
		!seq.ReadASN1(&value, asn1.OCTET_STRING) || !seq.Empty() {
		return false
	}
	if has && (len(critical) != 1 || (critical[0] != 0 && critical[0] != 0xff)) {
		return false
	}
	yes := has && critical[0] == 0xff
	*e = Extension{OID: oid, Critical: yes, Explicit: has && !yes, Value: value}
	return true
}
