# `make` alone lists the targets: the text after ## is what it prints.
.DEFAULT_GOAL := help
.SILENT:
.ONESHELL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse --verify --quiet HEAD || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Packages to test, arguments of `go test` to add, arguments of `coldstream demo`: make test PKG=./lake/... ARGS='-run Commit'
PKG ?= ./...
ARGS ?=
BENCH ?= .
COUNT ?= 6

# The race detector needs cgo and with it a C compiler.
RACE := $(shell cc="$$(go env CC 2>/dev/null)"; command -v "$${cc%% *}" >/dev/null 2>&1 && [ "$$(go env CGO_ENABLED)" = 1 ] && echo -race)

# The conformance suites, which run on the embedded servers in `test` and on Apache Kafka and MinIO in `test-real`.
REAL_PKG ?= ./embedded/broker/... ./embedded/objectstore/... ./internal/testkit/... ./lake/... ./ingest/... ./sinks/...

# Tests that read our servers with Python's clients skip without COLDSTREAM_PYTHON.
define PYTHON
if COLDSTREAM_PYTHON=$${COLDSTREAM_PYTHON:-$$(scripts/python.sh)}; then export COLDSTREAM_PYTHON; else echo 'Testing without the Python clients'; fi
endef

.PHONY: help
help: ## list these targets
	printf 'make TARGET, where TARGET is one of:\n\n'
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	printf '\nStart with "make demo". Tried on Linux x86-64 with glibc; other systems are untried.\n'

.PHONY: build
build: binary libchdb ## bin/coldstream, and libchdb in the user's cache folder

.PHONY: binary
binary: go
	echo "Building bin/coldstream $(VERSION)"
	go build -ldflags '$(LDFLAGS)' -o bin/coldstream ./cmd/coldstream

.PHONY: demo
demo: binary $(if $(findstring --clickhouse-user,$(ARGS)),,libchdb) ## fetch, build and start everything, with made-up chat (ARGS='--data DIR' and more)
	exec bin/coldstream demo $(ARGS)

.PHONY: test
test: go libchdb ## all tests on the embedded servers (PKG, ARGS)
	race='$(RACE)'
	if [ -n "$$race" ]; then echo 'Testing with the race detector'; else echo 'Testing without the race detector: it needs a C compiler (apt-get install gcc)'; fi
	$(PYTHON)
	go test $$race -timeout 20m $(ARGS) $(PKG)

.PHONY: test-real
test-real: go libchdb ## the conformance suites on Apache Kafka, MinIO and a REST catalog, which it fetches and starts (REAL_PKG, ARGS)
	scripts/real-servers.sh run -- scripts/real-catalog.sh run -- sh -c 'go test -count 1 -timeout 20m $(ARGS) $(REAL_PKG) && go test -count 1 -run TestReal ./cmd/coldstream'

# Faults to inject, the seed of their plan (none: from the clock), the log that all runs add to.
N ?= 100
SEED ?=
CHAOS_LOG ?= bench/chaos/runs.jsonl

.PHONY: chaos
chaos: go ## kill, freeze, cut and refuse the archive's processes N times on Apache Kafka and MinIO, and check (N, SEED, ARGS)
	go run ./bench/chaos run --n $(N) $(if $(SEED),--seed $(SEED)) --log $(CHAOS_LOG) $(ARGS)

.PHONY: chaos-short
chaos-short: go ## the same for about two minutes: each kind of fault once
	go test -tags faults ./internal/faults
	log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	go run ./bench/chaos run --n 0 --round 100 --even --gap 1300ms $(if $(SEED),--seed $(SEED)) --log "$$log" \
	  --skip group-expired,group-reset-to-start,group-moved-ahead,chunks-recreated,topic-recreated,disk-full,committer-away,upkeep-kill-at $(ARGS)

.PHONY: chaos-report
chaos-report: go ## tables of the log of all runs: faults by kind and step, checks, seeds
	go run ./bench/chaos report --log $(CHAOS_LOG)

.PHONY: chaos-mutants
chaos-mutants: go ## build mistakes into the protocol, one at a time, and see which the faults bring to light (ARGS)
	go run ./bench/chaos mutants --log $(CHAOS_LOG) $(ARGS)

.PHONY: bench
bench: go libchdb ## benchmarks in benchstat's format (PKG, BENCH, COUNT)
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(ARGS) $(PKG)

.PHONY: example
example: go ## the example of a processor of one's own: its tests, built into the program, and its cases run by that
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT
	GOWORK="$$dir/go.work" go work init "$(CURDIR)" "$(CURDIR)/docs/examples/processor"
	GOWORK="$$dir/go.work" go test ./docs/examples/processor
	scripts/build-with.sh -o "$$dir/coldstream" docs/examples/processor
	"$$dir/coldstream" config lint docs/examples/processor/policy.yaml
	"$$dir/coldstream" config test docs/examples/processor/cases.yaml

# Where the topic of bench-cold and bench-hot stays between runs; empty for a temporary folder.
BENCH_DATA ?= $${XDG_CACHE_HOME:-$$HOME/.cache}/coldstream/bench-kafka

.PHONY: bench-cold
bench-cold: binary ## the archive's worker on Apache Kafka and MinIO, from a backlog to committed chunks (ARGS, BENCH_DATA)
	export COLDSTREAM_KAFKA_DATA="$(BENCH_DATA)"
	scripts/real-servers.sh run -- go run ./bench/cold $(ARGS)

.PHONY: bench-hot
bench-hot: binary libchdb ## the hot worker on Apache Kafka and the embedded ClickHouse, from a backlog to rows (ARGS, BENCH_DATA)
	export COLDSTREAM_KAFKA_DATA="$(BENCH_DATA)"
	scripts/real-servers.sh run -- go run ./bench/hot $(ARGS)

.PHONY: bench-hotread
bench-hotread: go libchdb ## pages, searches and a user's messages of 3 and 10 million messages in ClickHouse (ARGS)
	go run ./bench/hotread $(ARGS)

.PHONY: mutants
mutants: go ## rules of sweep and expiry taken away one at a time: which tests notice (minutes)
	COLDSTREAM_MUTANTS=1 go test ./jobs/sweep ./lake -run TestEveryRuleIsNoticed -count 1 -v -timeout 60m

.PHONY: model-protocol
model-protocol: go ## the model of the cold path's protocol at larger sizes: states, depth and time of each (minutes, some GB)
	go test ./internal/protocol -count 1 -timeout 120m -v -run TestEveryState -args -large

.PHONY: model
model: go libchdb ## random histories of the hot store against the model (N)
	go test -run TheViewsEqualTheModel -count 1 -v -timeout 24h ./sinks/clickhouse -rapid.checks=$(N) $(ARGS) | grep -v '\[rapid\] draw'

.PHONY: standstill
standstill: binary libchdb ## ClickHouse stands still for ten minutes under load on Apache Kafka and MinIO, the archive beside it (ARGS='-for 1m')
	scripts/real-servers.sh run -- go run ./bench/standstill $(ARGS)

.PHONY: bench-lake
bench-lake: go ## files a window of every shape of traffic, before and after compaction (ARGS)
	COLDSTREAM_SHAPES=full go test ./bench/lakeshapes -run TestShapes -count 1 -v -timeout 60m $(ARGS)

.PHONY: lint
lint: go ## format, golangci-lint and the house rules
	failed=0
	echo 'Checking the format'
	unformatted=$$("$$(scripts/tool.sh gofumpt)" -l .)
	if [ -n "$$unformatted" ]; then echo 'These files want "make fmt":'; echo "$$unformatted"; failed=1; fi
	echo 'Running golangci-lint'
	"$$(scripts/tool.sh golangci-lint)" run || failed=1
	echo 'Checking the house rules'
	go test ./internal/lint || failed=1
	exit $$failed

.PHONY: fmt
fmt: go ## format every Go file with gofumpt
	"$$(scripts/tool.sh gofumpt)" -w .

.PHONY: vuln
vuln: go ## known vulnerabilities in what is linked; needs vuln.go.dev, so CI does not run it
	"$$(scripts/tool.sh govulncheck)" ./...

.PHONY: clean
clean: ## remove what was built here; what is cached for all checkouts stays
	rm -rf bin
	echo 'Removed bin. Fetched and built tools stay in '"$${XDG_CACHE_HOME:-$$HOME/.cache}/coldstream"

.PHONY: readers
readers: ROUNDS ?= 3
readers: go libchdb ## every engine reads the table while it is written and compacted: the same rows and content (ROUNDS)
	COLDSTREAM_PYTHON=$$(scripts/python.sh) COLDSTREAM_ICEBERG=$$(scripts/iceberg.sh) COLDSTREAM_SPARK=$$(scripts/spark.sh) COLDSTREAM_READERS=$(ROUNDS) \
	  go test ./bench/readers -run TestReadersAgree -count 1 -timeout 30m -v $(ARGS)

.PHONY: bench-year
bench-year: YEAR ?= $${XDG_CACHE_HOME:-$$HOME/.cache}/coldstream/bench-year
bench-year: go libchdb ## a table of a year, one file a window: an hour and a day of it, before and after compaction (YEAR: where it is kept)
	COLDSTREAM_PYTHON=$$(scripts/python.sh) COLDSTREAM_YEAR="$(YEAR)" go test ./bench/year -run TestYear -count 1 -timeout 3h -v $(ARGS)

.PHONY: go
go:
	. scripts/lib.sh
	need_go

.PHONY: libchdb
libchdb:
	go run ./embedded/clickhouse/fetchlibchdb >/dev/null
