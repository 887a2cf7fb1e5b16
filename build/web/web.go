// Package web reads what a store publishes for browsers: pages and what they are made
// of. It finds out whether a file is what its name promises, and what of a page others
// must agree with. It knows nothing of the store, nor of which checks there are.
package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"

	"lancre/index/store"
)

// A Kind is a kind of file that pages are made of.
type Kind struct {
	Name        string // with its article, for messages
	ContentType string // as it is in a manifest
	Extension   string // of file names, in lower case
	check       func(data []byte) error
}

// Kinds are all of them. Each has one extension, for half of them cannot be told
// from text by what they hold.
var Kinds = []Kind{
	{"CSS", store.TypeCSS + ";charset=utf-8", ".css", checkCSS},
	{"an SVG image", store.TypeSVG, ".svg", checkSVG},
	{"a PNG image", store.TypePNG, ".png", checkPNG},
	{"an icon", store.TypeICO, ".ico", checkICO},
	{"a WOFF2 font", store.TypeWOFF2, ".woff2", checkWOFF2},
	{"JSON", store.TypeJSON, ".json", checkJSON},
	{"a web app manifest", store.TypeManifest, ".webmanifest", checkJSON},
}

// Check says why data is not of kind k; nil if it is.
func (k *Kind) Check(data []byte) error { return k.check(data) }

func checkText(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	return nil
}

// checkCSS finds the page that was saved under the name of its style. Style has no
// grammar that would tell more: what browsers do not understand they pass over.
func checkCSS(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff"))), []byte("<")) {
		return errors.New("begins with <, as HTML does")
	}
	return checkText(data)
}

func checkJSON(data []byte) error {
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	return checkText(data)
}

// checkPNG finds files that are cut or hold another kind of image.
func checkPNG(data []byte) error {
	if _, err := png.DecodeConfig(bytes.NewReader(data)); err != nil {
		return err
	}
	if !bytes.HasSuffix(data, []byte("IEND\xaeB`\x82")) {
		return errors.New("does not end with the chunk IEND: the file was cut")
	}
	return nil
}

// checkICO reads the directory of an icon: six octets, then sixteen for each image,
// whose last eight are its size and offset.
func checkICO(data []byte) error {
	const header, entry = 6, 16
	if len(data) < header || !bytes.HasPrefix(data, []byte{0, 0, 1, 0}) {
		return fmt.Errorf("begins with the octets %x, want 00000100", data[:min(len(data), 4)])
	}
	images := int(binary.LittleEndian.Uint16(data[4:]))
	if images == 0 || len(data) < header+images*entry {
		return fmt.Errorf("%d images in %d octets", images, len(data))
	}
	for i := range images {
		place := data[header+i*entry+8:]
		size, offset := binary.LittleEndian.Uint32(place), binary.LittleEndian.Uint32(place[4:])
		if uint64(offset)+uint64(size) > uint64(len(data)) {
			return fmt.Errorf("image %d ends at octet %d of %d: the file was cut", i+1, uint64(offset)+uint64(size), len(data))
		}
	}
	return nil
}

// checkWOFF2 compares the length that the header names (WOFF2 section 4.1).
func checkWOFF2(data []byte) error {
	const header = 48
	if len(data) < header || !bytes.HasPrefix(data, []byte("wOF2")) {
		return fmt.Errorf("begins with the octets %x, want those of wOF2", data[:min(len(data), 4)])
	}
	if length := binary.BigEndian.Uint32(data[8:]); uint64(length) != uint64(len(data)) {
		return fmt.Errorf("%d octets, and its header says %d", len(data), length)
	}
	return nil
}

const svgSpace = "http://www.w3.org/2000/svg"

// checkSVG wants an image that does nothing: opened by itself it is a document of the
// host.
func checkSVG(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	for depth, roots := 0, 0; ; {
		token, err := d.Token()
		if err == io.EOF {
			if roots != 1 {
				return errors.New("no element svg")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth == 1 && (roots > 1 || e.Name != xml.Name{Space: svgSpace, Local: "svg"}) {
				return fmt.Errorf("element %s of %q, want the one svg of %s", e.Name.Local, e.Name.Space, svgSpace)
			}
			if err := checkElement(e); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
		}
	}
}

// checkElement finds what a browser would execute.
func checkElement(e xml.StartElement) error {
	if strings.EqualFold(e.Name.Local, "script") {
		return errors.New("a script: want an image alone")
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		if strings.HasPrefix(name, "on") || name == "href" && strings.HasPrefix(value, "javascript:") {
			return fmt.Errorf("a script in %s of %s: want an image alone", a.Name.Local, e.Name.Local)
		}
	}
	return nil
}
