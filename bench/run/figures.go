package main

import (
	"slices"
)

// one is a figure measured once.
func one(v float64) spread { return spread{v, v, v, 1} }

func (s spread) times(f float64) spread { return spread{s.Median * f, s.Min * f, s.Max * f, s.Count} }

// spreadOver takes one figure of everything in list.
func spreadOver[T any](list []T, figure func(*T) float64) spread {
	values := make([]float64, len(list))
	for i := range list {
		values[i] = figure(&list[i])
	}
	return spreadOf(values)
}

func (r *results) closed(server string, m method) (found closed) {
	for _, c := range r.Closed {
		if c.Server == server && c.Method == m {
			found = c
		}
	}
	return found
}

func (r *results) built(kind string) (found built) {
	for _, b := range r.Builds {
		if b.Kind == kind {
			found = b
		}
	}
	return found
}

func (r *results) octets(kind string) spread {
	if b := r.built(kind); b.PerResponse > 0 {
		return one(b.PerResponse)
	}
	return spread{}
}

func (r *results) embedded() spread {
	with, without := r.octets("p256-delegated").Median, r.octets("p256").Median
	if with == 0 || without == 0 {
		return spread{}
	}
	return one(with - without)
}

// Among is what was measured of look-ups among n records.
func (r *results) Among(n uint64) (found lookups) {
	for _, l := range r.Lookups {
		if l.Records == n {
			found = l
		}
	}
	return found
}

// Table is what was measured of an index: a hit, a response or a miss.
func (l lookups) Table(index, what string) benchmark {
	return l.Benchmarks["Table/"+index+"/"+what]
}

// toFloor divides repetition-wise medians: the ranges are those of look-ups.
func (l lookups) toFloor() spread {
	floor := l.Benchmarks["Floor"]["ns/op"].Median
	if floor == 0 {
		return spread{}
	}
	return l.Benchmarks["Lookup/hit/chained"]["ns/op"].times(1 / floor)
}

// toCDB is lancre's time for a hit to that of cdb, with the same keys and a checksum.
func (l lookups) toCDB() spread {
	cdb := l.Table("cdb", "hit")["ns/op"].Median
	if cdb == 0 {
		return spread{}
	}
	return l.Table("lancre", "hit")["ns/op"].times(1 / cdb)
}

// anonymous is the memory that lancred held with many connections, MB.
func (r *results) anonymous() spread {
	if r.Start.Anon == 0 {
		return spread{}
	}
	return one(float64(r.Start.Anon) / 1e6)
}

// packs is a figure of the builds of the large store.
func (r *results) packs(figure func(*packed) float64) spread {
	return spreadOver(slices.DeleteFunc(slices.Clone(r.Large), func(p packed) bool { return p.Responses != r.Many }), figure)
}

// growth compares the large build of each round with the small one before it.
func (r *results) growth() spread {
	var ratios []float64
	for i := 0; i+1 < len(r.Large); i += 2 {
		ratios = append(ratios, r.Large[i].perSecond()/r.Large[i+1].perSecond())
	}
	return spreadOf(ratios)
}

func (r *results) swaps(figure func(*swapped) float64) spread { return spreadOver(r.Swap, figure) }
