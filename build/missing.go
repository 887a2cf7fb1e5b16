package build

import (
	"time"

	"lancre/build/ca"
	"lancre/build/inventory"
	"lancre/index/store"
)

// Missing compares the store dir with an inventory (see Config): which issuers, of the
// files, have unexpired certificates at the time at without a response, by every hash
// algorithm that the issuer has answers by. It reads all that answers.
func Missing(dir string, issuerFiles []string, inventoryFile string, at time.Time) (gaps []inventory.Gap, err error) {
	issuers, err := ca.Load(issuerFiles)
	if err != nil {
		return nil, err
	}
	known, err := inventory.Load(inventoryFile, at, issuers)
	if err != nil {
		return nil, err
	}
	g, err := store.OpenAnswers(dir, nil)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	algs := make(map[*ca.Issuer]uint8)
	err = g.Live(func(r store.LiveRecord) bool {
		for i := range r.CertIDs {
			id := &r.CertIDs[i]
			if is := issuers.Find(id); is != nil && !r.Tombstone() {
				known.CoverID(is, id)
				algs[is] |= 1 << id.Alg
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for _, is := range issuers.List {
		if gap := known.Gap(is, algs[is], nil); gap.Missing > 0 {
			gaps = append(gaps, gap)
		}
	}
	return gaps, nil
}
