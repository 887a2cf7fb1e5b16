package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	inputs "lancre/bench/corpus"
	"lancre/bench/traffic"
	"lancre/build/demo"
	"lancre/index"
)

// A corpus is what stores are built of and requests made for.
type corpus struct{ *inputs.Corpus }

func (r *runner) makeCorpus(ctx context.Context, name string, o demo.Options, n uint64) (*corpus, error) {
	c, err := inputs.Make(ctx, filepath.Join(r.dir, name), o, n)
	return &corpus{c}, err
}

// packed is one run of bench/pack.
type packed struct {
	Responses     uint64  `json:"responses"`
	Seconds       float64 `json:"seconds"`
	VerifySeconds float64 `json:"verify_seconds"` // of these, the self-check of the finished segment
	CPUSeconds    float64 `json:"cpu_seconds"`    // user and system
	Size          int64   `json:"size"`           // of the segments, octets
	Written       int64   `json:"written"`        // of these, by a merge
	PeakRSS       int64   `json:"peak_rss"`       // mapped files included
	PeakAnon      int64   `json:"peak_anon"`
}

func (p *packed) perSecond() float64   { return float64(p.Responses) / p.Seconds }
func (p *packed) perResponse() float64 { return float64(p.Size) / float64(p.Responses) }

// pack builds a store of c, in a process for itself.
func (r *runner) pack(ctx context.Context, c *corpus, store string, args ...string) (p packed, err error) {
	return r.packFrom(ctx, c, c.Responses, nil, store, args...)
}

// packFrom is pack, of responses that lie in a file or, where that is "-", come from in.
func (r *runner) packFrom(ctx context.Context, c *corpus, responses string, in io.Reader, store string, args ...string) (p packed, err error) {
	args = append(args, "--out", store, "--issuer", c.Issuer, "--responses", responses, "--at", strconv.FormatInt(c.CA.ProducedAt.Unix(), 10))
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "pack"), args...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return p, fmt.Errorf("pack: %w", err)
	}
	return p, json.Unmarshal(out, &p)
}

// sample returns which of the n certificates are asked for: asked of them, spread
// evenly.
func (c *corpus) sample(asked int) []uint64 {
	step := max(1, c.N/uint64(asked))
	var list []uint64
	for i := uint64(0); i < c.N && len(list) < asked; i += step {
		list = append(list, i)
	}
	return list
}

// bodies reads the responses of the sampled certificates from the file: what a
// server has to send, octet for octet.
func (c *corpus) bodies(sampled []uint64) ([][]byte, error) {
	f, err := os.Open(c.Responses)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	list := make([][]byte, 0, len(sampled))
	for i := uint64(0); len(list) < len(sampled); i++ {
		// A response is a SEQUENCE of 256 to 65,535 octets: 30 82 and two of length.
		head, err := in.Peek(4)
		if err != nil {
			return nil, fmt.Errorf("%s: response %d: %w", c.Responses, i, err)
		}
		size := 4 + int(head[2])<<8 + int(head[3])
		if head[0] != 0x30 || head[1] != 0x82 {
			return nil, fmt.Errorf("%s: response %d begins with % x, want 30 82", c.Responses, i, head)
		}
		if i != sampled[len(list)] {
			if _, err := in.Discard(size); err != nil {
				return nil, err
			}
			continue
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, err
		}
		list = append(list, body)
	}
	return list, nil
}

// A method is how a request is spelled.
type method string

const (
	get      method = "get"
	post     method = "post"
	getClose method = "get-close" // a connection for each request
)

var methods = []method{get, post, getClose}

// spell renders the request for id.
func (m method) spell(id *index.CertID) []byte {
	der := id.Request(nil)
	if m == post {
		return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)
	}
	connection := ""
	if m == getClose {
		connection = "Connection: close\r\n"
	}
	return fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: o.demo.test\r\n%s\r\n", url.PathEscape(base64.StdEncoding.EncodeToString(der)), connection)
}

// exchanges are the requests for the sampled certificates, in an order without
// locality, with what may answer them: one of bodies each.
func (c *corpus) exchanges(m method, sampled []uint64, bodies ...[][]byte) []traffic.Exchange {
	list := make([]traffic.Exchange, len(sampled))
	for i, number := range sampled {
		id, _ := c.CA.CertID(c.CA.Certificate(number), index.SHA1)
		e := &list[i]
		e.Request = m.spell(&id)
		for _, b := range bodies {
			e.Bodies = append(e.Bodies, b[i])
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// save writes list to a file in c's directory.
func (c *corpus) save(name string, list []traffic.Exchange) (string, error) {
	path := filepath.Join(c.Dir, strings.ReplaceAll(name, " ", "-")+".gob")
	return path, traffic.Save(path, list)
}
