package sign

import (
	"context"
	"fmt"
	"slices"

	"lancre/index"
	"lancre/internal/spill"
)

// An item is a certificate that is to be signed for. As a record it is
//
//	 0  1  class
//	 1  4  thisUpdate of the last response, Unix seconds; 0 if there is none
//	 5  1  serial number: its length
//	 6 21  and octets, padded with zeros
//	27  6  status, as in a row
//	33  8  notAfter, Unix seconds
//	41  1  algorithms of CertIDs, 1 << HashAlg each
//
// so that the order of records is that of signing: by class, the oldest first.
type item struct{ spill.Record }

func (i *item) class() class               { return class(i.Record[0]) }
func (i *item) last() int64                { return int64(be.Uint32(i.Record[1:])) }
func (i *item) serial() []byte             { return i.Record[6 : 6+i.Record[5]] }
func (i *item) says() status               { return decodeStatus(i.Record[27:]) }
func (i *item) notAfter() int64            { return int64(be.Uint64(i.Record[33:])) }
func (i *item) has(alg index.HashAlg) bool { return i.Record[41]&(1<<alg) != 0 }

// A plan is what is to be signed.
type plan struct {
	items   *spill.Sorter
	present presence
}

// plan compares the list with the state.
func (r *run) plan(ctx context.Context) (*plan, error) {
	rows, err := r.readList(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	p := &plan{items: spill.New(r.out.dir), present: newPresence(rows.Len())}
	err = r.eachRow(rows, func(row *row) error { return r.place(p, row) })
	if err == nil {
		err = r.checkShrinking(&p.present)
	}
	if err != nil {
		p.items.Close()
		return nil, err
	}
	return p, nil
}

// place puts what is to be signed of a row into the plan.
func (r *run) place(p *plan, row *row) error {
	id := index.CertID{Serial: row.serial()}
	hash := id.SerialHash()
	if !r.covers(hash) {
		r.report.OtherShards++
		return nil
	}
	all, err := r.find(row.serial())
	if err != nil {
		return err
	}
	p.present.enter(hash, all[0].inStore)
	wanted, err := r.wanted(row, all)
	if err != nil {
		return err
	}
	it := item{spill.Record{0: byte(kept)}}
	for i, alg := range r.Hashes {
		last := &all[i]
		if class := r.classify(row, wanted, last); class != kept {
			it.Record[0] = min(it.Record[0], byte(class))
			it.Record[41] |= 1 << alg
		}
		be.PutUint32(it.Record[1:], max(uint32(it.last()), uint32(last.thisUpdate)))
	}
	return r.enter(p, &it, row, wanted)
}

// find is what was said last of the certificate with that serial number, by each
// algorithm.
func (r *run) find(serial []byte) (all [4]said, err error) {
	for i, alg := range r.Hashes {
		id := r.responder.CertID(alg, serial)
		if all[i], err = r.state.find(&id, r.now()); err != nil {
			return all, fmt.Errorf("store %s: %w", r.Store, err)
		}
	}
	return all, nil
}

// wanted is what is to be said of the certificate of a row: that it is revoked, whatever
// the row says, if that was said of it once.
func (r *run) wanted(row *row, all [4]said) (status, error) {
	wanted := row.says()
	for i := range all {
		last := &all[i]
		if wanted.status == index.Revoked || last.status.status != index.Revoked || last.reason == reasonHold && r.Forced(ForceHeld) {
			continue
		}
		if last.revokedAt == index.NoTime {
			return wanted, fmt.Errorf("certificates %s: row %d: serial %x is good, but was revoked, nobody knows when: say so in the list", r.List.Name(), row.number(), row.serial())
		}
		wanted = last.status
		r.report.contradicts(row)
	}
	return wanted, nil
}

// enter puts it into the plan, unless the certificate has ended.
func (r *run) enter(p *plan, it *item, row *row, wanted status) error {
	if row.notAfter() <= r.now() {
		r.report.Expired++
		return nil
	}
	r.report.count(wanted.status)
	if it.class() == kept {
		r.report.Kept++
		return nil
	}
	it.Record[5] = byte(len(row.serial()))
	copy(it.Record[6:], row.serial())
	wanted.encode(it.Record[27:])
	be.PutUint64(it.Record[33:], uint64(row.notAfter()))
	r.report.plans(it, r.Hashes)
	return p.items.Add(&it.Record)
}

// covers reports whether certificates with that serial hash are wanted.
func (r *run) covers(hash uint64) bool {
	return len(r.Shards) == 0 || slices.ContainsFunc(r.Shards, func(s index.Shard) bool { return s.Covers(hash) })
}

// classify says why, or that not, a response is to be signed.
func (r *run) classify(row *row, wanted status, last *said) class {
	switch {
	case last.known && wanted != last.status, !last.known && wanted.status == index.Revoked:
		return changed
	case last.nextUpdate <= r.now():
		return added
	case len(r.Shards) > 0, r.due(row.serial(), last, row.notAfter()):
		return due
	}
	return kept
}
