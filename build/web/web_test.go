package web

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func pixel(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// icon is an ICO file of one image of size octets, of which as many are there.
func icon(size uint32, image string) string {
	b := []byte{0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0}
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint32(b, 22)
	return string(b) + image
}

// font is a WOFF2 file that says it has so many octets, and has 48.
func font(length uint32) string {
	b := append([]byte("wOF2"), 0, 1, 0, 0)
	return string(append(binary.BigEndian.AppendUint32(b, length), make([]byte, 36)...))
}

func TestKinds(t *testing.T) {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"`
	one := pixel(t)
	for _, c := range []struct{ ext, data, reason string }{
		{".css", "body { color: #333 }\n", ""},
		{".css", "\ufeff@charset 'utf-8'; a::after { content: '</a>' }", ""},
		{".css", " \n<!DOCTYPE html>", "begins with <"},
		{".css", "a { content: '\xff' }", "not UTF-8"},
		{".svg", svg + "/>", ""},
		{".svg", "<?xml version='1.0'?>\n<!-- drawn -->\n" + svg + `><g><path d="M0 0"/><a href="/fr/"/></g></svg>` + "\n", ""},
		{".svg", "<svg/>", `element svg of ""`},
		{".svg", `<html xmlns="http://www.w3.org/1999/xhtml"/>`, "element html"},
		{".svg", "<!-- nothing -->", "no element svg"},
		{".svg", svg + "/>" + svg + "/>", "want the one svg"},
		{".svg", svg + "><g></svg>", "XML syntax error"},
		{".svg", svg + ">", "unexpected EOF"},
		{".svg", svg + "><script>alert(1)</script></svg>", "a script: want an image"},
		{".svg", svg + ` onload="a()"/>`, "a script in onload of svg"},
		{".svg", svg + `><a href=" JavaScript:a()"/></svg>`, "a script in href of a"},
		{".svg", svg + `>&outside;</svg>`, "invalid character entity"},
		{".png", one, ""},
		{".png", one[:len(one)-1], "the file was cut"},
		{".png", "GIF89a", "EOF"},
		{".ico", icon(4, "four"), ""},
		{".ico", icon(5, "four"), "image 1 ends at octet 27 of 26"},
		{".ico", icon(1<<32-1, "four"), "ends at octet 4294967317 of 26"},
		{".ico", "\x00\x00\x01\x00\x00\x00", "0 images"},
		{".ico", "\x00\x00\x01\x00\xff\xff", "65535 images in 6 octets"},
		{".ico", one, "begins with the octets 89504e47"},
		{".ico", "\x00\x00\x01\x00", "begins with"},
		{".woff2", font(48), ""},
		{".woff2", font(49), "48 octets, and its header says 49"},
		{".woff2", "wOFF", "begins with the octets 774f4646"},
		{".json", `{"a": [1, "ü"]}`, ""},
		{".json", `{"a": 1`, "unexpected end"},
		{".json", "{} {}", "after top-level value"},
		{".json", "\"\xff\"", "not UTF-8"},
		{".webmanifest", `{"name": "x"}`, ""},
		{".webmanifest", "name: x", "invalid character"},
	} {
		i := strings.Index(extensions(), c.ext+" ")
		if i < 0 {
			t.Fatalf("no kind has the extension %s", c.ext)
		}
		err := Kinds[strings.Count(extensions()[:i], " ")].Check([]byte(c.data))
		if (err == nil) != (c.reason == "") || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %.60q: %v, want %q", c.ext, c.data, err, c.reason)
		}
	}
}

// extensions are those of all kinds, a space behind each.
func extensions() (all string) {
	for _, k := range Kinds {
		all += k.Extension + " "
	}
	return all
}

func TestReadDocument(t *testing.T) {
	const text = "<!-- <html lang=xx> -->\n<HTML LANG=\"fr\" dir=rtl lang=de>\n<p lang=en>\n<a href='/a?b=1&amp;c'>\n<img src=x.png>" +
		"<style>a{} <a href=no></style><script src=y></script><textarea><a href=no></textarea><br/><use xlink:href=#z /><a title='<a href=no>'>"
	d, err := ReadDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	at := func(tag string) int64 { return int64(strings.Index(text, tag)) }
	want := &Document{Lang: "fr", Dir: "rtl", Refs: []Ref{{"/a?b=1&c", at("<a href='/a")}, {"x.png", at("<img")}, {"y", at("<script")}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("read %+v, want %+v", d, want)
	}
	if _, err := ReadDocument(make([]byte, MaxPage+1)); err == nil || !strings.Contains(err.Error(), "1048577 octets, want at most 1048576") {
		t.Errorf("%v, of a page that is too large", err)
	}
}

func TestDirection(t *testing.T) {
	for tag, want := range map[string]string{
		"ar": "rtl", "he": "rtl", "fa": "rtl", "ur": "rtl", "yi": "rtl", "dv": "rtl", "ps": "rtl", "az-Arab": "rtl", "pa-PK": "rtl", "ug": "rtl",
		"en": "ltr", "zh-Hant": "ltr", "hi": "ltr", "az": "ltr", "tr": "ltr", "ar-Latn": "ltr", "pa": "ltr",
	} {
		if got := Direction(tag); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
}

func TestParseTag(t *testing.T) {
	for s, want := range map[string]string{
		"fr": "fr", "zh-hant": "zh-Hant", "ZH-TW": "zh-TW", "pt-br": "pt-BR", "iw": "he", "de-CH-1996": "de-CH-1996",
		"": "", "und": "", "backup1": "", "qq-": "", "fr_FR ": "", "root": "",
	} {
		got, err := ParseTag(s)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", s, got, err, want)
		}
	}
}

// FuzzReadDocument checks that no page is a fault, and that offsets are those of tags.
func FuzzReadDocument(f *testing.F) {
	f.Add("<html lang=fr><a href=/x>")
	f.Add("<svg><![CDATA[<a href=x>]]></svg><a href=\x00>")
	f.Fuzz(func(t *testing.T, page string) {
		d, err := ReadDocument([]byte(page))
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range d.Refs {
			if page[ref.Offset] != '<' {
				t.Errorf("%q is at %d, where no tag begins", ref.URL, ref.Offset)
			}
		}
	})
}

// FuzzKinds checks that no file makes a check panic, and that text is text.
func FuzzKinds(f *testing.F) {
	f.Add(uint8(1), []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))
	f.Add(uint8(3), []byte(icon(4, "four")))
	f.Add(uint8(4), []byte(font(48)))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		k := &Kinds[int(kind)%len(Kinds)]
		binary := k.Extension == ".png" || k.Extension == ".ico" || k.Extension == ".woff2"
		if k.Check(data) == nil && !binary && !utf8.Valid(data) {
			t.Errorf("%x is %s", data, k.Name)
		}
	})
}
