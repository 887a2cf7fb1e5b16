package build

import (
	"time"

	"lancre/build/ca"
	"lancre/build/held"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// A Report is what a build did. Run returns one with most errors too, for the
// rejections in it say what is wrong; then it counts what came before the stop.
type Report struct {
	Store      string    `json:"store"`
	Origin     string    `json:"origin"`
	Generation uint64    `json:"generation"`          // 0: nothing was published
	Unchanged  bool      `json:"unchanged,omitempty"` // for nothing was new
	At         time.Time `json:"at"`
	Profiles   []string  `json:"profiles"`

	// Overrides are the checks that have another severity than in the profiles.
	Overrides []rule.Override `json:"overrides,omitempty"`

	Responses  ResponseCounts   `json:"responses"`
	Issuers    []IssuerCounts   `json:"issuers"` // in the order they were named
	Rejections []rule.Rejection `json:"rejections"`
	Warnings   []rule.Warning   `json:"warnings"` // in the order of the check table
	Files      []File           `json:"files"`    // sorted by host, then path
	Segments   []Segment        `json:"segments"` // that were made, by shard
	Held       []held.Response  `json:"held"`     // put aside, or still aside

	CheckSeconds  float64 `json:"check_seconds"`  // reading, checking and packing
	VerifySeconds float64 `json:"verify_seconds"` // the self-check of the finished segment
	TotalSeconds  float64 `json:"total_seconds"`
}

// ResponseCounts says what became of the responses.
type ResponseCounts struct {
	Read       uint64 `json:"read"`       // rejected ones included
	Rejected   uint64 `json:"rejected"`   // every Rejection with the place of a response
	Held       uint64 `json:"held"`       // put aside: in Report.Held
	Outside    uint64 `json:"outside"`    // of none of the shards that are replaced
	Published  uint64 `json:"published"`  // records in the new segments, tombstones not counted
	Superseded uint64 `json:"superseded"` // CertIDs for which a newer response was read as well
	Identical  uint64 `json:"identical"`  // CertIDs for which the same response was read again, or is answered
	Kept       uint64 `json:"kept"`       // CertIDs for which what the previous generation has stays
	Tombstones uint64 `json:"tombstones"` // CertIDs that are ours, but have no current response
	Overtaken  uint64 `json:"overtaken"`  // CertIDs for which somebody published a newer response meanwhile
}

// IssuerCounts counts the certificates of one issuer that accepted responses are about.
type IssuerCounts struct {
	Subject string `json:"subject"` // RFC 2253 form
	KeyID   string `json:"key_id"`  // SHA-1 of the subjectPublicKey bits, hex: issuerKeyHash under sha1

	Good    uint64 `json:"good"`
	Revoked uint64 `json:"revoked"`
	Unknown uint64 `json:"unknown"`

	// CertIDs counts SingleResponses by their hash algorithm's name; a dual
	// response counts under both.
	CertIDs map[string]uint64 `json:"cert_ids"`

	byAlg [index.SHA512 + 1]uint64 // what CertIDs will say
}

// A File is one published static file.
type File struct {
	Host         string    `json:"host"`
	Path         string    `json:"path"`
	ContentType  string    `json:"content_type"`
	Size         int64     `json:"size"` // octets
	SHA256       string    `json:"sha256"`
	LastModified time.Time `json:"last_modified"`
	Expires      time.Time `json:"expires,omitzero"` // zero if it has none
}

// A Segment is a segment file that was made.
type Segment struct {
	Shard            string    `json:"shard"` // as 3/8
	SHA256           string    `json:"sha256"`
	Size             int64     `json:"size"`    // octets
	Records          uint64    `json:"records"` // responses and tombstones
	Keys             uint64    `json:"keys"`    // CertIDs they are reachable under
	Shapes           int       `json:"shapes"`  // sets of octets that responses share
	Whole            uint64    `json:"whole"`   // responses stored whole, fitting no shape
	BytesPerResponse float64   `json:"bytes_per_response"`
	NextUpdate       time.Time `json:"next_update"` // the earliest
}

// newReport begins the report on a build.
func newReport(c *Config, overrides []rule.Override, all *ca.Issuers) *Report {
	r := &Report{Store: c.Out, At: c.At, Overrides: overrides, Issuers: make([]IssuerCounts, len(all.List)), Files: []File{}, Segments: []Segment{}, Held: []held.Response{}}
	for _, p := range c.Profiles {
		r.Profiles = append(r.Profiles, p.String())
	}
	for i, is := range all.List {
		r.Issuers[i] = IssuerCounts{Subject: is.Cert.Subject.String(), KeyID: is.KeyID(), CertIDs: make(map[string]uint64)}
	}
	return r
}

// segment reports a segment that was made.
func (r *Report) segment(line store.SegmentLine, stats index.Stats) {
	r.Segments = append(r.Segments, Segment{
		Shard: line.Shard.String(), SHA256: line.SHA256, Size: line.Size, Records: stats.Records, Keys: stats.Keys,
		Shapes: stats.Shapes, Whole: stats.Whole, NextUpdate: line.NextUpdate,
		BytesPerResponse: float64(line.Size) / float64(max(stats.Records-stats.Tombstones, 1)),
	})
}

// pack reports what the segments have together.
func (r *Report) pack(total index.Stats) {
	n := &r.Responses
	n.Published = total.Records - total.Tombstones
	n.Superseded, n.Tombstones = total.Superseded, total.Tombstones
	n.Identical += total.Identical
}

// publish reports that the generation is the store's.
func (r *Report) publish(m *store.Manifest) {
	r.Generation = m.Generation
	for _, f := range m.Files {
		r.Files = append(r.Files, File(f))
	}
}

// close reports all that was found and counted.
func (r *Report) close(ledger *rule.Ledger) {
	r.Rejections, r.Warnings = ledger.Rejections(), ledger.Warnings()
	for i := range r.Issuers {
		n := &r.Issuers[i]
		for _, alg := range index.HashAlgs() {
			if count := n.byAlg[alg]; count > 0 {
				n.CertIDs[alg.String()] = count
			}
		}
	}
}

// count enters a certificate that an accepted response is about.
func (n *IssuerCounts) count(s *ocsp.Subject) {
	switch s.Status {
	case index.Good:
		n.Good++
	case index.Revoked:
		n.Revoked++
	default:
		n.Unknown++
	}
	for alg := range n.byAlg {
		n.byAlg[alg] += uint64(s.Algs >> alg & 1)
	}
}

// algs is the set of hash algorithms, 1 << HashAlg, that there are responses by.
func (n *IssuerCounts) algs() (set uint8) {
	for alg, count := range n.byAlg {
		if count > 0 {
			set |= 1 << alg
		}
	}
	return set
}
