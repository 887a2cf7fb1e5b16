package store

import (
	"crypto/sha256"
	"encoding/hex"

	"lancre/index"
)

// oldVersion is read, for edges are upgraded before what publishes their stores; it is
// not written. Its manifest is
//
//	lancre store 1
//	origin NAME
//	generation N
//	created TIME
//	segment ROLE I/OF RECORDS SIZE SHA256 NEXTUPDATE                 any number
//	file HOST PATH TYPE SIZE SHA256 LASTMODIFIED EXPIRES             any number
//	end SHA256
//
// There ROLE meant nothing for look-ups: they went on below a base. Shards were
// parts of the key space, and every segment that lancre wrote was of shard 0/1.
const oldVersion = "1"

// version1 reads what comes between the first line and the last, and makes it what
// answers the same in version 2: deltas, all of everything, and a base at most at
// their end.
func (p *parser) version1(m *Manifest, text []byte) {
	p.next("origin")
	m.Origin = p.word("name")
	p.next("generation")
	m.Generation = p.number("generation", 64)
	p.next("created")
	m.Created = p.time("created")
	for p.at("segment") {
		line := SegmentLine{
			Role: p.word("role"), Shard: p.shard(), Records: p.number("records", 64),
			Size: int64(p.number("size", 63)), SHA256: p.word("sha256"), NextUpdate: p.optionalTime("nextUpdate"),
		}
		if line.Shard != index.Everything {
			p.fail("shard %s of a manifest of version %s: only %s was ever written", line.Shard, oldVersion, index.Everything)
		}
		m.Segments = append(m.Segments, line)
	}
	for i := range m.Segments {
		if i < len(m.Segments)-1 || m.Segments[i].Role != RoleBase {
			m.Segments[i].Role = RoleDelta
		}
	}
	for p.at("file") {
		m.Files = append(m.Files, p.file())
	}
	sum := sha256.Sum256(text)
	m.version1 = hex.EncodeToString(sum[:])
	if p.err == nil {
		p.err = checkFiles(m.Files, m.segmentLineNumber(len(m.Segments)))
	}
}
