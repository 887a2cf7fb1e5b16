package main

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A notation writes DER down so that what is unusual about it can be seen:
// octets in hexadecimal, a tag with its content in parentheses, whose length is
// counted, and $name for octets that have a name.
//
//	30(30(30(30($good.id))))      the OCSPRequest for the CertID good.id
//	30(30(a0(020100) 30(…)))      with its version spelled out
//	3080 30(30(30($good.id))) 0000
//
// Spaces mean nothing.
type notation struct {
	rest  string
	names map[string][]byte
}

// encode is the octets that text stands for.
func encode(text string, names map[string][]byte) ([]byte, error) {
	n := notation{text, names}
	der, err := n.sequence()
	if err == nil && n.rest != "" {
		err = fmt.Errorf("%q is left", n.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("in the DER %q: %w", text, err)
	}
	return der, nil
}

// sequence reads to the end or to a closing parenthesis.
func (n *notation) sequence() (der []byte, err error) {
	for {
		n.rest = strings.TrimLeft(n.rest, " ")
		if n.rest == "" || n.rest[0] == ')' {
			return der, nil
		}
		var next []byte
		switch n.rest[0] {
		case '(':
			next, err = n.content()
		case '$':
			next, err = n.named()
		default:
			next, err = n.octet()
		}
		if err != nil {
			return nil, err
		}
		der = append(der, next...)
	}
}

// content reads what is in parentheses and puts its length in front.
func (n *notation) content() ([]byte, error) {
	n.rest = n.rest[1:]
	body, err := n.sequence()
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(n.rest, ")") {
		return nil, fmt.Errorf("a parenthesis is not closed")
	}
	n.rest = n.rest[1:]
	size := len(body)
	switch {
	case size < 1<<7:
		return append([]byte{byte(size)}, body...), nil
	case size < 1<<8:
		return append([]byte{0x81, byte(size)}, body...), nil
	}
	return append([]byte{0x82, byte(size >> 8), byte(size)}, body...), nil
}

func (n *notation) named() ([]byte, error) {
	end := strings.IndexAny(n.rest, " ()")
	if end < 0 {
		end = len(n.rest)
	}
	name := n.rest[1:end]
	n.rest = n.rest[end:]
	der, ok := n.names[name]
	if !ok {
		return nil, fmt.Errorf("nothing has the name %q", name)
	}
	return der, nil
}

func (n *notation) octet() ([]byte, error) {
	if len(n.rest) < 2 {
		return nil, fmt.Errorf("%q is half an octet", n.rest)
	}
	b, err := hex.DecodeString(n.rest[:2])
	n.rest = n.rest[2:]
	return b, err
}
