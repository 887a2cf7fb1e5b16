package main

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"lancre/build/certs"
	"lancre/index"
	"lancre/index/store"
)

// An issuerCount counts the records of one issuer.
type issuerCount struct {
	Issuer  string        `json:"issuer"`        // its subject, or its hashes where no published certificate fits them
	Key     string        `json:"key,omitempty"` // its type, where the certificate is published
	CertIDs []certIDCount `json:"cert_ids"`      // sorted by hash algorithm
	Signers []signerCount `json:"signers"`       // sorted, the one of most responses first
}

// A certIDCount counts the CertIDs of one issuer under one algorithm. A response
// with several CertIDs counts under each.
type certIDCount struct {
	Hash       string `json:"hash"`
	Good       uint64 `json:"good"`
	Revoked    uint64 `json:"revoked"`
	Unknown    uint64 `json:"unknown"`
	Tombstones uint64 `json:"tombstones"`
}

// A signerCount counts the responses of one signer for one issuer.
type signerCount struct {
	signer
	Responses uint64 `json:"responses"`
}

// An issuerID is what all CertIDs of an issuer under one algorithm share.
type issuerID struct {
	alg       index.HashAlg
	name, key string // hashes
}

func (id issuerID) String() string { return fmt.Sprintf("name hash %x, key hash %x", id.name, id.key) }

// A census counts the records of a generation that answer.
type census struct {
	ids    map[issuerID]*idCount
	live   map[int]uint64 // CertIDs that answer, by line
	expiry expiry

	shapes   map[lineShape]signerID // who signs responses of a shape
	der      []byte                 // scratch, like the next
	response index.Response
}

// A lineShape is a shape of the segment of one line.
type lineShape struct{ line, shape int }

// An idCount counts the records under one issuerID.
type idCount struct {
	status     [3]uint64 // by index.Status, without tombstones
	tombstones uint64
	signers    map[signerID]uint64 // of responses whose first CertID that answers it is
}

// count goes through all records of g that answer.
func count(g *store.Generation, at time.Time) (*census, error) {
	c := &census{ids: make(map[issuerID]*idCount), live: make(map[int]uint64), expiry: newExpiry(at), shapes: make(map[lineShape]signerID)}
	var failed error
	err := g.Live(func(r store.LiveRecord) bool { failed = c.add(r); return failed == nil })
	return c, cmp.Or(failed, err)
}

func (c *census) add(r store.LiveRecord) error {
	c.live[r.Line] += uint64(len(r.CertIDs))
	for i := range r.CertIDs {
		id := &r.CertIDs[i]
		n := c.ids[issuerID{id.Alg, string(id.NameHash), string(id.KeyHash)}]
		if n == nil {
			n = &idCount{signers: make(map[signerID]uint64)}
			c.ids[issuerID{id.Alg, string(id.NameHash), string(id.KeyHash)}] = n
		}
		if r.Tombstone() {
			n.tombstones++
			continue
		}
		n.status[r.StatusOf(id)]++
		if i > 0 {
			continue
		}
		by, err := c.signerOf(r)
		if err != nil {
			return err
		}
		n.signers[by]++
	}
	if !r.Tombstone() {
		c.expiry.add(r.Record)
	}
	return nil
}

// signerOf says who signed r: known without a look at it for most, by their shape.
func (c *census) signerOf(r store.LiveRecord) (signerID, error) {
	number, shared := r.Shape()
	shape := lineShape{r.Line, number}
	if by, ok := c.shapes[shape]; ok && shared {
		return by, nil
	}
	c.der = r.AppendResponse(c.der[:0])
	if err := c.response.Parse(c.der); err != nil {
		return signerID{}, fmt.Errorf("offset %d: %w", r.Offset(), err)
	}
	by := newSignerID(&c.response)
	if shared {
		c.shapes[shape] = by
	}
	return by, nil
}

// issuers sums up by issuer, named where its certificate is among files.
func (c *census) issuers(files []store.File) []*issuerCount {
	known := issuerCerts(files)
	byCert := make(map[*x509.Certificate]*issuerCount)
	var list []*issuerCount
	for id, n := range c.ids {
		cert := known[id]
		i := byCert[cert]
		if cert == nil || i == nil {
			i = &issuerCount{Issuer: id.String()}
			if cert != nil {
				i.Issuer, i.Key = cert.Subject.String(), keyType(cert.PublicKey)
				byCert[cert] = i
			}
			list = append(list, i)
		}
		i.add(id.alg, n, cert)
	}
	for _, i := range list {
		i.sort()
	}
	slices.SortFunc(list, func(a, b *issuerCount) int {
		return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.CertIDs[0].Hash, b.CertIDs[0].Hash))
	})
	return list
}

// add enters what was counted under one of the issuer's ids.
func (i *issuerCount) add(alg index.HashAlg, n *idCount, cert *x509.Certificate) {
	i.CertIDs = append(i.CertIDs, certIDCount{
		alg.String(), n.status[index.Good], n.status[index.Revoked], n.status[index.Unknown], n.tombstones,
	})
	for by, responses := range n.signers {
		s := by.describe(cert)
		at := slices.IndexFunc(i.Signers, func(c signerCount) bool { return c.signer == s })
		if at < 0 {
			at = len(i.Signers)
			i.Signers = append(i.Signers, signerCount{signer: s})
		}
		i.Signers[at].Responses += responses
	}
}

func (i *issuerCount) sort() {
	slices.SortFunc(i.CertIDs, func(a, b certIDCount) int {
		return cmp.Or(cmp.Compare(len(a.Hash), len(b.Hash)), cmp.Compare(a.Hash, b.Hash)) // sha1 before sha256
	})
	slices.SortFunc(i.Signers, func(a, b signerCount) int {
		return cmp.Or(cmp.Compare(b.Responses, a.Responses), cmp.Compare(a.String(), b.String()))
	})
}

// issuerCerts are the certificates among files, by what CertIDs call them.
func issuerCerts(files []store.File) map[issuerID]*x509.Certificate {
	known := make(map[issuerID]*x509.Certificate)
	for _, f := range files {
		cert, err := certs.Parse(f.Body)
		if err != nil {
			continue // another kind of file
		}
		for _, alg := range index.HashAlgs() {
			id, err := certs.ID(cert, alg, nil)
			if err != nil {
				continue
			}
			key := issuerID{alg, string(id.NameHash), string(id.KeyHash)}
			if known[key] == nil { // the first of several for one name and key stands for all
				known[key] = cert
			}
		}
	}
	return known
}
