package web

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/net/html"
)

// MaxPage is the largest document that is read, in octets: people read it, over
// mobile lines, too.
const MaxPage = 1 << 20

// A Document is what of an HTML page its name and other files must agree with.
type Document struct {
	Lang, Dir string // of the element html; empty if it has none
	Refs      []Ref  // in the order of the document
}

// A Ref is a reference to something else: the value of an href or src.
type Ref struct {
	URL    string // as it is written, entities resolved
	Offset int64  // of the tag that has it, in octets
}

// ReadDocument reads a page as browsers do, who find no fault with anything; only one
// that is too large is an error.
func ReadDocument(data []byte) (*Document, error) {
	if len(data) > MaxPage {
		return nil, fmt.Errorf("%d octets, want at most %d in a page", len(data), MaxPage)
	}
	var d Document
	z := html.NewTokenizer(bytes.NewReader(data))
	seen := false // the element html
	for at := int64(0); ; at += int64(len(z.Raw())) {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				return nil, err
			}
			return &d, nil
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			root := !seen && string(name) == "html"
			seen = seen || root
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				d.note(root, string(key), string(value), at)
			}
		}
	}
}

// note takes down an attribute of the tag at an offset.
func (d *Document) note(root bool, name, value string, at int64) {
	switch {
	case root && name == "lang" && d.Lang == "":
		d.Lang = value
	case root && name == "dir" && d.Dir == "":
		d.Dir = value
	case name == "href" || name == "src":
		d.Refs = append(d.Refs, Ref{value, at})
	}
}
