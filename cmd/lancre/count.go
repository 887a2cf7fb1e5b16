package main

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"

	"lancre/build/certs"
	"lancre/index"
	"lancre/index/store"
)

// issuerCount counts the records under the CertIDs of one issuer and algorithm.
type issuerCount struct {
	name       string // the issuer's, or its hashes where no published certificate fits them
	alg        index.HashAlg
	status     [3]uint64 // by index.Status, without tombstones
	tombstones uint64
}

// An issuerID is what all CertIDs of an issuer under one algorithm share.
type issuerID struct {
	alg       index.HashAlg
	name, key string // hashes
}

// count goes through all records of g, sorted by name and algorithm. A response
// with several CertIDs counts under each.
func count(g *store.Generation) ([]*issuerCount, error) {
	counts := make(map[issuerID]*issuerCount)
	var ids []index.CertID
	for _, s := range g.Segments() {
		err := s.Records(func(r index.Record) bool {
			ids = r.CertIDs(ids[:0])
			for i := range ids {
				countOne(counts, &ids[i], r)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	nameIssuers(counts, g.Files())
	var sorted []*issuerCount
	for _, c := range counts {
		sorted = append(sorted, c)
	}
	slices.SortFunc(sorted, func(a, b *issuerCount) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.alg, b.alg))
	})
	return sorted, nil
}

func countOne(counts map[issuerID]*issuerCount, id *index.CertID, r index.Record) {
	c := counts[issuerID{id.Alg, string(id.NameHash), string(id.KeyHash)}]
	if c == nil {
		c = &issuerCount{alg: id.Alg, name: fmt.Sprintf("name hash %x, key hash %x", id.NameHash, id.KeyHash)}
		counts[issuerID{id.Alg, string(id.NameHash), string(id.KeyHash)}] = c
	}
	if r.Tombstone() {
		c.tombstones++
		return
	}
	c.status[r.Status()]++
}

// nameIssuers names those whose certificate is among files. A file that is no
// certificate names nobody.
func nameIssuers(counts map[issuerID]*issuerCount, files []store.File) {
	for _, f := range files {
		cert, err := x509.ParseCertificate(f.Body)
		if err != nil {
			continue
		}
		for _, alg := range index.HashAlgs() {
			id, err := certs.ID(cert, alg, nil)
			if err != nil {
				continue
			}
			if c := counts[issuerID{alg, string(id.NameHash), string(id.KeyHash)}]; c != nil {
				c.name = cert.Subject.String()
			}
		}
	}
}
