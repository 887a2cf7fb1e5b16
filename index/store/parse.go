package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lancre/index"
)

// ParseManifest reads the text form. It refuses a text that was cut or changed,
// that another version of the format made, or that is not spelled exactly as
// Encode spells it. Of files it tells the list that names them. The result does not
// alias text.
//
// A manifest of version 1 is read as one of version 2 that answers the same. Of
// signatures it is seen only that they have the form of some: Trust.Open verifies them.
func ParseManifest(text []byte) (*Manifest, error) {
	text, signers, err := openUnverified(text)
	if err != nil {
		return nil, err
	}
	m, err := parseText(text)
	if err != nil {
		return nil, err
	}
	m.signers = signers
	return m, nil
}

// parseText is ParseManifest of a text without signatures.
func parseText(text []byte) (*Manifest, error) {
	v, err := checkSeal(string(text))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	p := parser{rest: rest, line: 1}
	m := new(Manifest)
	if v == oldVersion {
		p.version1(m, text)
	} else {
		p.version2(m)
	}
	p.next("end") // checkSeal has compared its field
	p.word("sha256")
	p.endText()
	if p.err != nil {
		return nil, p.err
	}
	return m, m.check()
}

func (p *parser) version2(m *Manifest) {
	p.next("origin")
	m.Origin = p.word("name")
	p.next("generation")
	m.Generation = p.number("generation", 64)
	p.next("created")
	m.Created = p.time("created")
	p.next("checked")
	m.Checked = p.optionalTime("checked")
	p.next("expires")
	m.Expires = p.optionalTime("expires")
	p.next("parent")
	m.Parent = p.optionalWord("parent")
	p.next("held")
	m.Held = p.number("held", 64)
	for p.at("mark") {
		m.Marks = append(m.Marks, Mark{p.word("source"), p.word("mark")})
	}
	for p.at("live") {
		m.Live = append(m.Live, p.live())
	}
	for p.at("due") {
		m.Due = append(m.Due, DueCount{p.word("kind"), p.time("hour"), p.number("count", 64)})
	}
	for p.at("segment") {
		m.Segments = append(m.Segments, p.segment())
	}
	for p.at("coming") {
		m.Coming = append(m.Coming, p.object())
	}
	if p.at("files") {
		m.List.Count = p.number("count", 64)
		m.List.Object = p.object()
		if m.List.Count == 0 {
			p.fail("a list of no files: leave the line out")
		}
	}
}

// checkSeal checks the first line, the last line, and what the last line says of
// all the others. It returns the version.
func checkSeal(text string) (v string, err error) {
	first, _, _ := strings.Cut(text, "\n")
	v, ok := strings.CutPrefix(first, magic)
	if !ok {
		return "", fmt.Errorf("line 1: %.40q, want %q: this is no manifest of a store", first, magic+version)
	}
	if v != version && v != oldVersion {
		return "", fmt.Errorf("line 1: format version %.20q, but this program reads versions %s and %s: "+
			"use the release that built the store, or build it again with this one", v, oldVersion, version)
	}
	lines, complete := strings.CutSuffix(text, "\n")
	last := strings.LastIndexByte(lines, '\n') + 1
	got, ok := strings.CutPrefix(lines[last:], "end ")
	if !ok || !complete {
		return "", errors.New("the last line is not \"end SHA256\": the manifest was cut; copy it again, after the objects")
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text[:last]))); got != want {
		return "", fmt.Errorf("line %d: end %.80q, but the lines before it have sha256 %s: "+
			"the manifest was changed after it was written; copy it again, after the objects",
			strings.Count(text, "\n"), got, want)
	}
	return v, nil
}

// A parser reads the fields of a manifest from first to last. After the first
// fault, which it keeps, it reads zero values.
type parser struct {
	rest  string   // lines not yet begun; each ends with LF
	line  int      // number of the current line, from 1
	words []string // fields of the current line that are not read yet
	err   error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("line %d: %w", p.line, fmt.Errorf(format, args...))
	}
}

// at reports whether the next line begins with keyword, and if so begins it.
func (p *parser) at(keyword string) bool {
	if p.err != nil || !strings.HasPrefix(p.rest, keyword+" ") {
		return false
	}
	p.next(keyword)
	return p.err == nil
}

// next ends the current line and begins the next one, which must be of keyword.
func (p *parser) next(keyword string) {
	if len(p.words) > 0 {
		p.fail("%q: one field too many", p.words[0])
	}
	var line string
	line, p.rest, _ = strings.Cut(p.rest, "\n")
	p.line++
	p.words = strings.Split(line, " ")
	if got := p.word("keyword"); got != keyword {
		p.fail("%.40q where %q must be", got, keyword)
	}
}

// endText ends the last line, behind which nothing may come.
func (p *parser) endText() {
	if len(p.words) > 0 {
		p.fail("%q: one field too many", p.words[0])
	}
	if p.rest != "" {
		p.fail("%.40q behind what is the last line", p.rest)
	}
}

// word reads any field. An empty one is left to the check of its meaning.
func (p *parser) word(what string) string {
	if len(p.words) == 0 {
		p.fail("%s is missing", what)
	}
	if p.err != nil {
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// number reads a decimal number below 2^bits.
func (p *parser) number(what string, bits int) uint64 {
	return p.decimal(what, p.word(what), bits)
}

func (p *parser) decimal(what, w string, bits int) uint64 {
	n, err := strconv.ParseUint(w, 10, bits)
	if err != nil || strconv.FormatUint(n, 10) != w {
		p.fail("%s %q: want a decimal number below 2^%d without leading zeros", what, w, bits)
	}
	return n
}

func (p *parser) time(what string) time.Time {
	w := p.word(what)
	t, err := time.Parse(timeLayout, w)
	if err != nil || t.Format(timeLayout) != w {
		p.fail("%s %q: want a time in UTC like 2026-11-23T14:00:00Z", what, w)
	}
	return t
}

func (p *parser) optionalTime(what string) time.Time {
	if len(p.words) > 0 && p.words[0] == "-" {
		p.word(what)
		return time.Time{}
	}
	t := p.time(what)
	if t.IsZero() { // the year 1, which Encode would spell "-"
		p.fail("%s: %s", what, wantTime)
	}
	return t
}

// optionalWord reads a word that is - where there is none.
func (p *parser) optionalWord(what string) string {
	w := p.word(what)
	switch w {
	case "-":
		return ""
	case "": // which Encode would spell -
		p.fail("%s is empty, want - for none", what)
	}
	return w
}

// octets reads octets in lower-case hex.
func (p *parser) octets(what string) string {
	w := p.word(what)
	b, err := hex.DecodeString(w)
	if err != nil || hex.EncodeToString(b) != w {
		p.fail("%s %q: want octets in lower-case hex", what, w)
	}
	return string(b)
}

func (p *parser) shard() index.Shard {
	w := p.word("shard")
	i, of, ok := strings.Cut(w, "/")
	if !ok {
		p.fail("shard %q: want I/OF", w)
	}
	return index.Shard{
		Index: uint32(p.decimal("shard", i, 32)),
		Of:    uint32(p.decimal("shard", of, 32)),
	}
}

func (p *parser) object() Object {
	return Object{int64(p.number("size", 63)), p.word("sha256")}
}

func (p *parser) live() LiveCount {
	var l LiveCount
	name := p.word("algorithm")
	var err error
	if l.Alg, err = index.ParseHashAlg(name); err != nil {
		p.fail("%v", err)
	}
	l.NameHash, l.KeyHash = p.octets("issuer name hash"), p.octets("issuer key hash")
	l.Good, l.Revoked = p.number("good", 64), p.number("revoked", 64)
	l.Unknown, l.Tombstone = p.number("unknown", 64), p.number("tombstones", 64)
	return l
}

func (p *parser) segment() SegmentLine {
	return SegmentLine{
		Role:       p.word("role"),
		Shard:      p.shard(),
		Records:    p.number("records", 64),
		Size:       int64(p.number("size", 63)),
		SHA256:     p.word("sha256"),
		Created:    p.optionalTime("created"),
		NextUpdate: p.optionalTime("nextUpdate"),
	}
}

func (p *parser) file() FileLine {
	return FileLine{
		Host:         p.word("host"),
		Path:         p.word("path"),
		ContentType:  p.word("content type"),
		Size:         int64(p.number("size", 63)),
		SHA256:       p.word("sha256"),
		LastModified: p.time("last-modified"),
		Expires:      p.optionalTime("expires"),
	}
}
