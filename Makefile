# Two commands matter: `make demo` (from nothing to a proven adapter) and `make test` (checks and tests).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Tests start many processes; without bytecode on disk each of them would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup check test thorough faults demo demo-zh demo-serve bench format reference clean
.DEFAULT_GOAL := test

$(STAMP): pyproject.toml constraints.txt
	@echo "Installing tuneloop and what it needs into $(VENV) (about 2 GB, pinned by constraints.txt): a few minutes, without more words …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
	@echo "Installed: $$($(BIN)/tuneloop version). Next: make demo, or . $(BIN)/activate and tuneloop init --help"

setup: $(STAMP)  ## create .venv and install everything, pinned

check: $(STAMP)  ## lint, types, layers, doctests, recipes, README: under a minute
	$(BIN)/ruff check src tests bench docs
	$(BIN)/ruff format --check src tests bench docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest src tests/test_docs.py tests/test_reference.py tests/test_recipes.py

test: check  ## the checks, then the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -n 2 --dist worksteal -m "not model and not slow"
	$(BIN)/pytest tests -m model

thorough: $(STAMP)  ## the invariants on a thousand random examples each, where a test names no number (half an hour)
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -n 2 -m "not model" --ignore tests/faults --hypothesis-profile=thorough

faults: $(STAMP)  ## the whole fault suite: thousands of kills, every step of a save × every fault; within 30 minutes
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/faults -s

demo: $(STAMP)  ## bank service in English: data, training, proof, three answers
	$(BIN)/tuneloop run recipes/bank-service.yaml --workspace demo

demo-zh: $(STAMP)  ## the same in Chinese, on gemma3-270m (Gemma Terms of Use)
	$(BIN)/tuneloop run recipes/bank-service.zh.yaml --workspace demo --accept-license gemma --language zh

# The second list is what this project's own grammars can teach: two adapters, with no data from elsewhere.
SERVED = $(if $(TUNELOOP_DATA),bank-questions bank-dialogues customer-support,bank-service medical-questions)
demo-serve: $(STAMP)  ## small adapters on one base model, one server for all with router and page, until Ctrl-C
	@$(if $(TUNELOOP_DATA),:,echo "TUNELOOP_DATA is not set: two adapters on self-written rows. With the folder of the shared data in it: three.")
	for name in $(SERVED); do $(BIN)/tuneloop run recipes/serve/$$name.yaml --workspace demo-serve || exit; done
	$(BIN)/tuneloop serve --workspace demo-serve

bench: $(STAMP)  ## training throughput beside the textbook script and TRL (20 minutes; nothing else may run)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python bench/train_throughput.py

reference: $(STAMP)  ## write docs/reference and docs/schema anew, after a change of recipe, command line, errors or formats
	$(BIN)/python docs/generate.py

format: $(STAMP)
	$(BIN)/ruff check --fix src tests bench docs
	$(BIN)/ruff format src tests bench docs

clean:
	rm -rf demo demo-serve .pytest_cache .mypy_cache .ruff_cache .hypothesis
