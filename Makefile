# make demo    a throw-away CA and its answers, served on loopback until Ctrl-C
# make package .deb and .rpm of lancre and lancred, with SBOM and SHA256SUMS, in bin/packages
# make pkcs11  lancre-pkcs11, which alone needs cgo and a C compiler
# make test    everything that can be tested here
# make check   format, vet, staticcheck, known vulnerabilities
# make faults  breaks things around the real programs and prints what came of it
# make race    the tests under the race detector
# make fuzz    every fuzz target, FUZZTIME each; KEEP=20 adds so many inputs found to its corpus
# make algebra random additions, builds, merges, rollbacks and crashes beside a model, for FUZZTIME
# make mutants PKG=./index    changes of the package's code that its tests do not notice
# make bench   the benchmarks
# make bench-load   lancred and lancre beside their peers; writes bench/RESULTS.md, or with QUICK=1 bin/quick/RESULTS.md
# make bench-page   writes it and its pictures again, of what was measured before
# make bench-fleet  the part of it with a fleet: from a file at the origin to a hundred edges
# make bench-hundred  a store of a hundred million responses, or of HUNDRED, on this machine, as a section of RESULTS.md

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.1
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME    = 30s
BENCHOUT    = $(if $(QUICK),bin/quick,bench)

build:
	go build -trimpath -o bin/ ./cmd/lancre ./cmd/lancred

pkcs11:
	CGO_ENABLED=1 go build -trimpath -o bin/ ./cmd/lancre-pkcs11

package:
	scripts/package

demo:
	scripts/setup demo
	$(MAKE) build
	scripts/demo

# Half an hour is for a busy machine; on an idle one each package takes minutes at most.
test:
	scripts/setup
	go test -timeout=30m ./...

faults:
	scripts/setup
	mkdir -p bin
	go test -count=1 -timeout=40m ./test/faults -args -full -table $(CURDIR)/bin/faults.md
	cat bin/faults.md

race:
	go test -race -timeout=30m ./...

fuzz:
	scripts/fuzz $(FUZZTIME)

algebra:
	ALGEBRA_FOR=$(FUZZTIME) ALGEBRA_SEED=$$(date +%s) go test -count=1 -timeout=0 -run TestAlgebra ./index/store

mutants:
	scripts/mutants $(PKG)

bench:
	go test -run='^$$' -bench=. -benchmem ./...

bench-fleet:
	$(MAKE) bench-load ONLY=fleet

# RECORDS and MANY, if set, are how many responses servers and a large store have.
bench-load:
	scripts/setup
	scripts/setup-bench
	bin/peers/run $(if $(QUICK),--quick) --out $(BENCHOUT) $(if $(RECORDS),--records $(RECORDS)) $(if $(MANY),--many $(MANY)) $(if $(ONLY),--only $(ONLY))

bench-page:
	go run ./bench/run --report --out $(BENCHOUT)

bench-hundred:
	scripts/setup-bench
	bin/peers/run $(if $(QUICK),--quick) --out $(BENCHOUT) --only hundred $(if $(HUNDRED),--hundred $(HUNDRED))

check:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go run $(STATICCHECK) ./...
	scripts/vulncheck $(GOVULNCHECK)

clean:
	rm -rf bin demo

.PHONY: build pkcs11 package demo test faults race fuzz algebra mutants bench bench-fleet bench-load bench-hundred bench-page check clean
