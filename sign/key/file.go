package key

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"

	"lancre/internal/secret"
)

// What PEM blocks hold (RFC 7468 sections 10 and 11; RFC 5915 and what OpenSSL made of
// PKCS #1). Certificates and EC parameters lie beside keys in the files of many programs.
const (
	blockPKCS8     = "PRIVATE KEY"
	blockEncrypted = "ENCRYPTED PRIVATE KEY"
	blockPKCS1     = "RSA PRIVATE KEY"
	blockEC        = "EC PRIVATE KEY"
	blockParameter = "EC PARAMETERS"
	blockCert      = "CERTIFICATE"
)

// readFile reads the one private key in a PEM file. crypto/rsa verifies each signature
// that it makes; nothing more is checked of what such a key signs.
func readFile(name string, passphrase func(string) ([]byte, error)) (crypto.Signer, error) {
	data, err := secret.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, err := findBlock(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	parsed, err := parseBlock(block, func() ([]byte, error) {
		if passphrase == nil {
			return nil, errors.New("the key is encrypted, and no passphrase was given")
		}
		return passphrase(name)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a key of type %T, which cannot sign", name, parsed)
	}
	return signer, nil
}

// findBlock returns the one PEM block with a private key.
func findBlock(data []byte) (found *pem.Block, err error) {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		switch {
		case block == nil && found == nil:
			return nil, errors.New("no private key in PEM (from DER: openssl pkey -inform DER)")
		case block == nil:
			return found, nil
		case block.Type == blockCert, block.Type == blockParameter:
		case found != nil:
			return nil, fmt.Errorf("a PEM block of %q behind one of %q: want one private key", block.Type, found.Type)
		default:
			found = block
		}
	}
}

func parseBlock(block *pem.Block, passphrase func() ([]byte, error)) (any, error) {
	if block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key is encrypted in the form of old, whose passphrase is found by trying fast: convert it (openssl pkcs8 -topk8)")
	}
	switch block.Type {
	case blockPKCS8:
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case blockPKCS1:
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case blockEC:
		return x509.ParseECPrivateKey(block.Bytes)
	case blockEncrypted:
		text, err := passphrase()
		if err != nil {
			return nil, err
		}
		return decrypt(block.Bytes, text)
	}
	return nil, fmt.Errorf("a PEM block of %q, want a private key", block.Type)
}

// decrypt reads an encrypted PKCS #8 key (RFC 5958 section 3, RFC 8018 section 6.2).
func decrypt(der, passphrase []byte) (key any, err error) {
	defer func() {
		// package pkcs8 leaves it to package cipher to find an IV or a length that cannot be
		if recover() != nil {
			err = errors.New("what is encrypted has a wrong length: the file is damaged")
		}
	}()
	if len(passphrase) == 0 { // package pkcs8 would take it for a key that is not encrypted
		return nil, errors.New("the passphrase is empty")
	}
	return pkcs8.ParsePKCS8PrivateKey(der, passphrase)
}
