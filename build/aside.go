package build

import "lancre/index"

// tried takes from p which responses are to be held, and which need be no longer.
func (b *builder) tried(p *packer) { b.aside, b.passed = p.aside, p.passed }

// heldThen is how many responses will be held.
func (b *builder) heldThen() uint64 {
	n := b.held.Len() - len(b.passed)
	for _, r := range b.aside {
		if !b.held.Has(r.Name) {
			n++
		}
	}
	return uint64(n)
}

// heldKeys are the keys of the CertIDs that what is to be held is about.
func (b *builder) heldKeys() map[uint64]bool {
	keys := make(map[uint64]bool)
	for _, h := range b.aside {
		var r index.Response
		if r.Parse(h.DER) != nil {
			continue // which may be why
		}
		for i := range r.Singles {
			keys[r.Singles[i].CertID.Key()] = true
		}
	}
	return keys
}

// putAside holds what is to be held. A publication follows: if that fails, what is
// held too much is tried again.
func (b *builder) putAside() error {
	for _, r := range b.aside {
		if err := b.held.Put(r); err != nil {
			return err
		}
	}
	return nil
}

// release holds no longer what has passed.
func (b *builder) release() error {
	for _, name := range b.passed {
		if err := b.held.Drop(name); err != nil {
			return err
		}
	}
	return nil
}
