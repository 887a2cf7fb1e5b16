// Package bench measures: go test -bench . ./bench. It has no code of its own, and
// no test; RESULTS.md holds what was measured.
//
// The programs below it measure what takes several processes; make bench-load runs
// them, make bench-hundred what takes a machine for itself. run starts servers and builds
// one after another and writes RESULTS.md, load sends requests, pack builds one store;
// corpus makes what all of them are measured with. peers is a module for itself, with what
// lancred and lancre are compared with and the drawing of plots: nothing else here depends
// on what it needs.
//
// The corpus is made anew by each run and kept in a temporary directory:
// LANCRE_BENCH_RECORDS responses (1,000,000 if unset) for P-256 keys, with random
// octets in place of signatures where none is checked. On machines whose speed
// drifts compare figures of one run, or use benchstat over several.
package bench
