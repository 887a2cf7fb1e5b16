// Package bench measures: go test -bench . ./bench. It has no code of its own, and
// no test; RESULTS.md holds what was measured.
//
// The corpus is made anew by each run and kept in a temporary directory:
// LANCRE_BENCH_RECORDS responses (1,000,000 if unset) for P-256 keys, with random
// octets in place of signatures where none is checked. On machines whose speed
// drifts compare figures of one run, or use benchstat over several.
package bench
