# make demo and make test need nothing but Python 3.11 or newer: they make .venv and install what is pinned.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal --durations=12

.PHONY: demo test check format lint types slow golden canonical figures gallery docs benchmark clean

demo: $(INSTALLED)
	$(BIN)/robench evaluate -m tiny_cnn=digits-clean -m tiny_cnn=digits-noise -d digits -s demo/1 -o runs/demo
	$(BIN)/robench report runs/demo -o runs/demo-report > /dev/null
	$(BIN)/robench preview -s demo/1 -o runs/demo-report/sheet.png > /dev/null
	@echo "the report: runs/demo-report/index.html"

test: $(INSTALLED)
	$(PYTEST)

check: lint types test slow

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

slow: $(INSTALLED)
	$(PYTEST) -m slow

golden: $(INSTALLED)
	$(BIN)/python tests/corruption/golden.py

canonical: $(INSTALLED)
	$(BIN)/python benchmarks/make_canonical.py -d cifar10:$(or $(CIFAR10),$(error expected CIFAR10=DIR, the folder of the official CIFAR-10))

figures: demo
	cp runs/demo-report/sheet.png docs/images/contact-sheet.png
	cp runs/demo-report/figures/digits-test/curves.png docs/images/accuracy-vs-strength.png

gallery: $(INSTALLED)
	$(BIN)/python docs/make_gallery.py

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "the pages: build/docs/index.html"

benchmark: $(INSTALLED)
	$(BIN)/python benchmarks/peers.py --full

clean:
	rm -rf .venv runs build *.egg-info

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("robench: expected Python 3.11 or newer, got %d.%d; set PYTHON=" % v[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	touch $@
