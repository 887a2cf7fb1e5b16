package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/internal/programs"
)

// TestCases plays the transcripts in testdata/cases against lancred: what a client
// writes to a socket and what must come back, to the octet. A transcript is
//
//	lancred FLAG...        starts the daemon for this file; optional
//
//	NAME                   a case, on a connection of its own
//	    METHOD TARGET      a request of HTTP/1.1, with a Host that publishes no files,
//	    Header: value      these header lines; and, after POST TARGET DER, that body
//	    "octets"           or any octets, in Go's quotes
//	    dripping           written one at a time from here on
//	    endless "octets"   or these, a few times a second, until the daemon has enough
//	    STATUS BODY        the answer, of the wanted status and with this body:
//	                           $NAME          the stored response
//	                           unauthorized, malformed, tryLater, internalError
//	                           nothing        no body
//	                           HOST/PATH      that file
//	                           [FROM:TO]HOST/PATH  a part of it
//	        head           after these: the headers of that, and no body
//	        closes         after these: it is the last on its connection
//	    Header: value      and with that header; without a value, without that header
//
// TARGET and octets may contain {form DER}, with a form of forms. How DER is
// written, see notation. Every answer must have all the headers that the contract
// wants of its kind and no others, and a connection that is not closed must be of
// use still.
func TestCases(t *testing.T) {
	c := newCorpus(t)
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			check(t, err)
			c.play(t, string(text))
		})
	}
}

func (c *corpus) play(t *testing.T, text string) {
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	var flags []string
	if line, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(line, "lancred") {
		flags, text = strings.Fields(line)[1:], rest
	}
	d := programs.Start(t, c.dir, flags...)
	t.Cleanup(func() {
		for _, line := range d.Log() {
			if msg, _ := line["msg"].(string); line["level"] != "INFO" && !strings.Contains(msg, "have expired and are") { // as in the corpus
				t.Errorf("what clients do is logged: %v", line)
			}
		}
	})
	for _, block := range regexp.MustCompile(`(?m)^\S.*\n(?:[ \t].*\n)*`).FindAllString(text, -1) {
		name, lines, _ := strings.Cut(block, "\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := player{t: t, corpus: c, began: time.Now()}
			p.conn, p.reader = dial(t, d)
			for line := range strings.Lines(lines) {
				p.line(strings.TrimSpace(line))
			}
			p.finish()
		})
	}
}

// A player plays one case.
type player struct {
	t        *testing.T
	corpus   *corpus
	began    time.Time
	conn     net.Conn
	reader   *bufio.Reader
	dripping bool

	method string  // of the request being put together, or sent last
	head   string  // of it, to the last header line; empty if none is
	body   []byte  // of it
	answer *answer // read last; nil after a request
}

var (
	requestLine = regexp.MustCompile(`^([A-Za-z]+) ((?:[^ {]|\{[^}]*\})+)(?: (.+))?$`)
	headerLine  = regexp.MustCompile(`^([A-Za-z-]+):(?: (.*))?$`)
	answerLine  = regexp.MustCompile(`^(\d{3}) (\S+)((?: \w+)*)$`)
)

func (p *player) line(line string) {
	p.t.Helper()
	if line == "dripping" {
		p.dripping = true
		return
	}
	if quoted, endless := strings.CutPrefix(line, "endless "); endless || strings.HasPrefix(line, `"`) {
		p.sendRaw(quoted, endless)
		return
	}
	if m := answerLine.FindStringSubmatch(line); m != nil {
		p.flush()
		p.read(m[1], m[2], strings.Fields(m[3]))
		return
	}
	if m := headerLine.FindStringSubmatch(line); m != nil {
		p.header(line, m[1], m[2])
		return
	}
	if m := requestLine.FindStringSubmatch(line); m != nil {
		p.flush()
		p.begin(m[1], m[2], m[3])
		return
	}
	p.t.Fatalf("%q is no line of a transcript", line)
}

func (p *player) begin(method, target, body string) {
	p.t.Helper()
	p.answer, p.method, p.body = nil, method, nil
	p.head = method + " " + p.expand(target) + " HTTP/1.1\r\nHost: o.test\r\n"
	if method == "POST" {
		var err error
		p.body, err = encode(body, p.corpus.names)
		check(p.t, err)
		p.head += "Content-Length: " + strconv.Itoa(len(p.body)) + "\r\n"
	}
}

// header is a line of the request or, after an answer, one it must have.
func (p *player) header(line, name, value string) {
	p.t.Helper()
	switch {
	case p.answer != nil:
		if got := p.answer.Header.Get(name); got != p.expand(value) {
			p.t.Errorf("%s is %q, want %q", name, got, p.expand(value))
		}
	case name == "Host":
		p.head = strings.Replace(p.head, "Host: o.test\r\n", p.expand(line)+"\r\n", 1)
	default:
		p.head += p.expand(line) + "\r\n"
	}
}

// flush sends the request that was put together, if any.
func (p *player) flush() {
	p.t.Helper()
	if p.head != "" {
		p.write(p.head + "\r\n" + string(p.body))
	}
	p.head, p.body = "", nil
}

func (p *player) sendRaw(quoted string, endless bool) {
	p.t.Helper()
	raw, err := strconv.Unquote(quoted)
	check(p.t, err)
	p.flush()
	p.answer, p.method = nil, ""
	p.write(p.expand(raw))
	for endless && err == nil {
		time.Sleep(100 * time.Millisecond) // slow, and faster than any timeout
		_, err = io.WriteString(p.conn, raw)
	}
}

func (p *player) write(raw string) {
	p.t.Helper()
	size := len(raw)
	if p.dripping {
		size = 1
	}
	for ; raw != ""; raw = raw[min(size, len(raw)):] {
		_, err := io.WriteString(p.conn, raw[:min(size, len(raw))])
		check(p.t, err)
	}
}

// forms are how requests are written into targets.
var forms = map[string]func(der []byte) string{
	"der":       func(der []byte) string { return string(der) },
	"length":    func(der []byte) string { return strconv.Itoa(len(der)) },
	"base64":    base64.StdEncoding.EncodeToString,
	"unpadded":  base64.RawStdEncoding.EncodeToString,
	"base64url": base64.URLEncoding.EncodeToString,
	"rawurl":    base64.RawURLEncoding.EncodeToString,
	"escaped":   escaped,
	"lower": func(der []byte) string {
		return strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(escaped(der))
	},
	"twice":   func(der []byte) string { return strings.ReplaceAll(escaped(der), "%", "%25") },
	"halfpad": func(der []byte) string { return strings.TrimSuffix(escaped(der), "%3D") },
	"spaced":  func(der []byte) string { return strings.ReplaceAll(base64.StdEncoding.EncodeToString(der), "+", "%20") },
	"merged": func(der []byte) string {
		return regexp.MustCompile("/+").ReplaceAllString(base64.StdEncoding.EncodeToString(der), "/")
	},
	"wholly": func(der []byte) string { return strings.ToUpper(percent(base64.StdEncoding.EncodeToString(der))) },
	"broken": func(der []byte) string {
		b := base64.StdEncoding.EncodeToString(der)
		return b[:40] + "%0D%0A" + b[40:] + "%0A"
	},
}

func escaped(der []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(der)) }

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

var placeholder = regexp.MustCompile(`\{(\w+) ([^{}]+)\}`)

// expand replaces {form DER}, {repeat N TEXT} and, of a response's headers, {etag
// NAME}, {modified NAME}, {before NAME} and {after NAME}, of a file's {filetag
// HOST/PATH}.
func (p *player) expand(text string) string {
	p.t.Helper()
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		m := placeholder.FindStringSubmatch(s)
		switch m[1] {
		case "repeat":
			n, unit, _ := strings.Cut(m[2], " ")
			times, err := strconv.Atoi(n)
			check(p.t, err)
			return strings.Repeat(unit, times)
		case "etag":
			return etag(p.corpus.stored[m[2]])
		case "filetag":
			return fileTag(p.corpus.files[m[2]])
		case "modified":
			return p.modified(m[2], 0)
		case "before":
			return p.modified(m[2], -time.Second)
		case "after":
			return p.modified(m[2], time.Second)
		}
		form, ok := forms[m[1]]
		if !ok {
			p.t.Fatalf("no form is called %q", m[1])
		}
		der, err := encode(m[2], p.corpus.names)
		check(p.t, err)
		return form(der)
	})
}

// modified is when the response was made, and shift later.
func (p *player) modified(name string, shift time.Duration) string {
	p.t.Helper()
	r, err := ocsp.ParseResponse(p.corpus.stored[name], nil)
	check(p.t, err)
	return r.ProducedAt.Add(shift).Format(http.TimeFormat)
}

// An answer is what came back, its body read.
type answer struct {
	*http.Response
	body []byte
	head bool // without the body it has the headers of

	after, before time.Time // it was made between these
}

func (p *player) read(status, body string, marks []string) {
	p.t.Helper()
	method := p.method
	closes := false
	for _, mark := range marks {
		switch mark {
		case "head":
			method = "HEAD"
		case "closes":
			closes = true
		default:
			p.t.Fatalf("%q is no mark of an answer", mark)
		}
	}
	p.answer = readAnswer(p.t, p.reader, method)
	p.answer.after = p.began
	if got := strconv.Itoa(p.answer.StatusCode); got != status {
		p.t.Fatalf("the status is %s, want %s: body %x", got, status, p.answer.body)
	}
	p.corpus.judge(p.t, p.answer, body)
	if p.answer.Close != closes {
		p.t.Errorf("Connection: close is %v, want %v", p.answer.Close, closes)
	}
	if closes {
		if rest, err := io.ReadAll(p.reader); err != nil || len(rest) > 0 {
			p.t.Errorf("the connection goes on with %q, %v", rest, err)
		}
	}
}

func readAnswer(t *testing.T, r *bufio.Reader, method string) *answer {
	t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	check(t, err)
	body, err := io.ReadAll(resp.Body)
	check(t, err)
	now := time.Now()
	return &answer{resp, body, method == "HEAD", now.Add(-patience), now}
}

// finish makes sure that the connection is in step.
func (p *player) finish() {
	p.t.Helper()
	p.flush()
	if p.answer == nil {
		p.t.Fatal("the case ends without an answer")
	}
	if p.answer.Close {
		return
	}
	p.dripping = false
	p.write("PUT /in-step HTTP/1.1\r\nHost: o.test\r\n\r\n")
	if a := readAnswer(p.t, p.reader, "PUT"); a.StatusCode != http.StatusMethodNotAllowed {
		p.t.Errorf("the next request on the connection is answered %d with %q", a.StatusCode, a.body)
	}
}

// dial connects to d until the test ends.
func dial(t *testing.T, d *programs.Daemon) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	check(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn, bufio.NewReader(conn)
}

// errorBodies are the OCSPResponses without responseBytes (RFC 6960 section 4.2.1).
var errorBodies = map[string][]byte{
	"malformed":     {0x30, 3, 0x0a, 1, 1},
	"internalError": {0x30, 3, 0x0a, 1, 2},
	"tryLater":      {0x30, 3, 0x0a, 1, 3},
	"unauthorized":  {0x30, 3, 0x0a, 1, 6},
}

// judge wants a to be of the kind that body names, with all its headers.
func (c *corpus) judge(t *testing.T, a *answer, body string) {
	t.Helper()
	name, stored := strings.CutPrefix(body, "$")
	switch {
	case a.StatusCode == http.StatusContinue:
	case stored:
		c.judgeStored(t, a, name)
	case errorBodies[body] != nil:
		judgeError(t, a, body)
	case body == "nothing":
		judgeEmpty(t, a)
	default:
		c.judgeFile(t, a, body)
	}
}

func (a *answer) hasBody(t *testing.T, want []byte) {
	t.Helper()
	if a.StatusCode != http.StatusNotModified && a.ContentLength != int64(len(want)) {
		t.Errorf("Content-Length is %d, want %d", a.ContentLength, len(want))
	}
	if a.head || a.StatusCode == http.StatusNotModified {
		want = nil
	}
	if !bytes.Equal(a.body, want) {
		t.Errorf("the body is %x, want %x", a.body, want)
	}
}
