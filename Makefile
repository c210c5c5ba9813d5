# Two commands matter: `make serve` shows the book, `make test` runs the whole suite. Both work from
# nothing but Python 3.11 to 3.13: they make .venv first, which takes seconds once it is there.

PYTHON ?= python3
PORT ?= 8000
# Tests at a time. A real browser and notebook kernels run in them: more than the cores is slower.
JOBS ?= 2
# A file's fixtures and the pages they keep serve all its tests; files begin in the order that
# conftest.py gives them.
SPREAD := --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder
BIN := .venv/bin
# What Python has compiled is kept, whatever it is told elsewhere: tests start it a hundred times.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help env browser book serve lab test test-fast coverage test-newest test-lowest monkey lint format bench \
  weigh words sizes pdf sheets slides zip picture lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

env: ## Make .venv as requirements.txt says
	@$(PYTHON) scripts/install.py

serve: env ## Build the book and serve it on 127.0.0.1 (PORT=8000)
	@$(BIN)/python scripts/book.py serve --port $(PORT)

book: env ## Build the book into _build/html
	@$(BIN)/python scripts/book.py build

# The user of a container is root, whom Jupyter refuses unless told.
lab: env ## Open the chapters in JupyterLab
	@JUPYTER_PREFER_ENV_PATH=1 $(BIN)/jupyter lab --allow-root --LabApp.default_url=/lab/tree/chapters

browser: env
	@$(BIN)/python scripts/browser.py

# The first test that needs the book builds it, while others run that do not: see tests/conftest.py.
# Notebooks run apart: their kernels compute with as many threads as a reader's.
test: browser ## Run the whole suite: library, notebooks, explorers, site
	@$(BIN)/python -m pytest tests $(SPREAD)
	@$(BIN)/python -m pytest chapters depth appendices $(SPREAD)

# Apart, because to be watched slows every test down. Not of notebooks: it hangs in kernels at times.
coverage: browser ## Tell which lines of gmm_lib no test runs
	@$(BIN)/python -m pytest tests $(SPREAD) --cov --cov-report=term

test-fast: env ## Run what needs no browser and no book: the library, in a minute
	@$(BIN)/python -m pytest tests $(SPREAD) -m "not browser and not book and not slow"

monkey: env ## Send 10,000 random events to every explorer
	@MONKEY_EVENTS=10000 $(BIN)/python -m pytest tests/test_monkey.py --numprocesses $(JOBS)

test-newest: ## Run the suite with the newest versions pyproject.toml allows (in .venv-newest)
test-lowest: ## Run the suite with the lowest versions pyproject.toml allows (in .venv-lowest)
test-newest test-lowest: test-%:
	@$(PYTHON) scripts/install.py --$*
	@BOOK_OUTPUT=_build/$* .venv-$*/bin/python -m pytest $(SPREAD)

lint: env ## Check style, types, scripts, and that notebooks are stripped
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python scripts/check_scripts.py
	@$(BIN)/nbstripout --keep-id --verify $(wildcard chapters/*.ipynb depth/*.ipynb appendices/*.ipynb)

format: env ## Mend what the linter can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/nbstripout --keep-id $(wildcard chapters/*.ipynb depth/*.ipynb appendices/*.ipynb)

bench: env ## Measure the library against scikit-learn
	@$(BIN)/python -m benchmarks

weigh: book ## Print what pages weigh, how soon explorers and Python in the page answer
	@$(BIN)/python scripts/weigh.py
	@$(BIN)/python scripts/drags.py
	@$(BIN)/python scripts/weigh_python.py

words: book ## Print words and reading time of every page
	@$(BIN)/python scripts/words.py

sizes: book ## Measure the room explorers take, for pages that do not shift
	@$(BIN)/python scripts/sizes.py

pdf: book ## Make one PDF of the whole book: _build/paper/gaussian-mixtures-and-em.pdf
	@$(BIN)/python scripts/pdf.py

sheets: book ## Make sheets to print, a page each: _build/paper/sheets.pdf
	@$(BIN)/python scripts/sheets.py

slides: book ## Make the slides of the chapters, with the book, and say where they are
	@ls $${BOOK_OUTPUT:-_build}/html/slides/*.html

zip: pdf sheets ## Pack site, notebooks, PDF and sheets into one file for a room without a network
	@$(BIN)/python scripts/pack.py

picture: book ## Take the README's picture of the explorer from the built book
	@$(BIN)/python scripts/picture.py

lock: ## Write requirements.txt anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --all-extras --upgrade \
	  --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  --output-file requirements.txt pyproject.toml

clean: ## Remove everything that can be made again
	rm -rf _build .venv .venv-newest .venv-lowest .pytest_cache .coverage .hypothesis *.egg-info build
	find . \( -name __pycache__ -o -name .ruff_cache \) -type d -prune -exec rm -rf {} +
