# Everything is kept in .venv; nothing is installed system-wide.
PYTHON ?= python3
PYTEST_ARGS ?=
PARITY_ARGS ?=
VALIDITY_ARGS ?=
DETECTION_ARGS ?=
UV      = .venv/.uv/bin/uv
BIN     = .venv/bin
NFSTREAM = .venv/.nfstream/bin/python
.DEFAULT_GOAL := help
.PHONY: help demo test browser live check fix bench bench-controls bench-detection bench-parity bench-replay bench-validity captures clean lock tune-detection

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.venv/.ready: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "droidrange needs Python >= 3.11; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 2; }
	@test -x $(UV) || $(PYTHON) -m venv .venv/.uv || { echo \
	  "python's venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 2; }
	@test -x $(UV) || .venv/.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: .venv/.ready  ## play suite core, run the detector over it, show the scorecard, write out/demo/report.html
	$(BIN)/droidrange run core --learn 3d --view full --view no-state --view no-app --view no-sni -o out/demo

test: .venv/.ready  ## the tests that need no root, network or Docker
	$(BIN)/pytest -n auto -m "not live and not whole and not browser" $(PYTEST_ARGS)

browser: .venv/.ready  ## the report in a real Chromium: apt-get install chromium
	$(BIN)/pytest -n 0 -m browser tests/browser $(PYTEST_ARGS)

live: .venv/.ready  ## the tests of the live stage: they need a Docker engine, and build what they miss
	$(BIN)/pytest -n 0 -m live $(PYTEST_ARGS)

check: .venv/.ready  ## linter, formatter and types, silent when all is well
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

fix: .venv/.ready  ## what the linter and formatter can mend by themselves
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

$(NFSTREAM): .venv/.ready
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/.nfstream
	$(UV) pip install --quiet --python $@ 'nfstream>=6.6' || rm -rf .venv/.nfstream

bench: .venv/.ready  ## tables of speed, beside Suricata and nfstream where they are installed
	-@$(MAKE) --silent $(NFSTREAM)
	DROIDRANGE_NFSTREAM_PYTHON=$(NFSTREAM) $(BIN)/python tests/bench/bench_decode.py
	$(BIN)/python tests/bench/bench_compile.py
	$(BIN)/python tests/bench/bench_wire.py
	$(BIN)/python tests/bench/bench_flows.py
	$(BIN)/python tests/bench/bench_detect.py

bench-replay: .venv/.ready  ## how punctual and fast replay is, beside tcpreplay and scapy's sendp; needs root
	$(BIN)/python tests/bench/bench_replay.py

bench-parity: .venv/.ready  ## docs/parity.md anew: flows and live (needs Docker) held against wire; PARITY_ARGS='--stage flows' for one
	$(BIN)/python tests/bench/bench_parity.py $(PARITY_ARGS)

bench-validity: .venv/.ready  ## docs/validity.md anew: every scenario recorded on the wire, read by tshark and Suricata (an hour)
	$(BIN)/python tests/bench/table_validity.py $(VALIDITY_ARGS)

bench-controls: .venv/.ready  ## the controls held over suite full: always finds all that is shown, silent nothing (minutes)
	$(BIN)/python tests/bench/check_controls.py

bench-detection: .venv/.ready  ## docs/detection-results.md anew: detectors compared on suite full; DETECTION_ARGS='--every 6 --devices 4' for less
	$(BIN)/python tests/bench/bench_detection.py $(DETECTION_ARGS)

tune-detection: .venv/.ready  ## detector/thresholds.toml anew from the calibration side; DETECTION_ARGS='--dry' only tells
	$(BIN)/python tests/bench/tune_detection.py $(DETECTION_ARGS)

captures: .venv/.ready  ## docs/captures.md anew: the real captures, read and judged
	$(BIN)/python tests/bench/table_captures.py

lock: .venv/.ready  ## requirements.lock anew: versions and hashes, no addresses
	$(UV) pip compile --quiet --universal --extra dev --extra live --extra sigma --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --upgrade pyproject.toml -o requirements.lock

clean:  ## remove .venv, caches and out/
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
