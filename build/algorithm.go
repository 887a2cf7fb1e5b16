package build

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// minRSA is the shortest RSA modulus, in bits, that BR section 6.1.5 allows.
const minRSA = 2048

// weakKey says why a public key must not sign responses, "" if it may.
func weakKey(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA {
			return fmt.Sprintf("RSA key of %d bits, want at least %d", n, minRSA)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return "ECDSA key on P-224, want P-256, P-384 or P-521"
		}
	case ed25519.PublicKey:
	default:
		return fmt.Sprintf("public key is a %T, want RSA, ECDSA or Ed25519", key)
	}
	return ""
}

// An algorithm is what an AlgorithmIdentifier says of a signature.
type algorithm struct {
	x509  x509.SignatureAlgorithm
	curve elliptic.Curve // the one BR section 7.1.3.2.2 pairs an ECDSA hash with
	exact bool           // encoded octet by octet as BR section 7.1.3.2 wants
}

// br reports whether public CAs may sign with a, using key. Whether key is of
// a's type is for the signature to show.
func (a algorithm) br(key any) bool {
	if k, ok := key.(*ecdsa.PublicKey); ok && a.curve != nil {
		return a.curve == k.Curve
	}
	return a.x509 != x509.PureEd25519
}

// algorithms are the signature algorithms that responses may have, by their DER
// AlgorithmIdentifier as BR section 7.1.3.2 gives it (Ed25519: RFC 8410 section 3).
var algorithms = map[string]algorithm{
	mustHex("300d06092a864886f70d01010b0500"): {x509: x509.SHA256WithRSA},
	mustHex("300d06092a864886f70d01010c0500"): {x509: x509.SHA384WithRSA},
	mustHex("300d06092a864886f70d01010d0500"): {x509: x509.SHA512WithRSA},
	mustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402010500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402010500a203020120"): {x509: x509.SHA256WithRSAPSS},
	mustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402020500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402020500a203020130"): {x509: x509.SHA384WithRSAPSS},
	mustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402030500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402030500a203020140"): {x509: x509.SHA512WithRSAPSS},
	mustHex("300a06082a8648ce3d040302"): {x509: x509.ECDSAWithSHA256, curve: elliptic.P256()},
	mustHex("300a06082a8648ce3d040303"): {x509: x509.ECDSAWithSHA384, curve: elliptic.P384()},
	mustHex("300a06082a8648ce3d040304"): {x509: x509.ECDSAWithSHA512, curve: elliptic.P521()},
	mustHex("300506032b6570"):           {x509: x509.PureEd25519},
}

// retired names the algorithms that nobody may sign with any more, by the
// content octets of their OID.
var retired = map[string]string{
	mustHex("2a864886f70d010104"): "MD5 with RSA",
	mustHex("2a864886f70d010105"): "SHA-1 with RSA",
	mustHex("2a8648ce3d0401"):     "SHA-1 with ECDSA",
	mustHex("2a8648ce380403"):     "SHA-1 with DSA",
}

// mustHex is for the tables above.
func mustHex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// parseAlgorithm reads a DER AlgorithmIdentifier.
func parseAlgorithm(der []byte) (algorithm, error) {
	if a, ok := algorithms[string(der)]; ok {
		a.exact = true
		return a, nil
	}
	in := cryptobyte.String(der)
	var seq, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return algorithm{}, fmt.Errorf("signature algorithm %x is not a DER AlgorithmIdentifier", der)
	}
	if name, ok := retired[string(oid)]; ok {
		return algorithm{}, fmt.Errorf("signature is %s, which is not secure", name)
	}
	// The other forms of "no parameters": NULL where there should be nothing,
	// nothing where there should be NULL.
	for _, parameters := range []string{"", "\x05\x00"} {
		if string(seq) != "" && string(seq) != "\x05\x00" {
			break
		}
		content := string(appendHeader(nil, 0x06, len(oid))) + string(oid) + parameters
		if a, ok := algorithms[string(appendHeader(nil, 0x30, len(content)))+content]; ok {
			return a, nil
		}
	}
	return algorithm{}, fmt.Errorf("signature algorithm %x is not supported", der)
}
