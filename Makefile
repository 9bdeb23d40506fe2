# Nothing but `make` and a python3 of 3.11 to 3.13 is needed beforehand: every target sets up .venv when it must.
# Paths in ARGS and RUN are relative to this folder, also with `make -C`.

EXPERIMENT = quickstart
ARGS =
CACHES = build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.DEFAULT_GOAL := help
.PHONY: help setup sweep wandb submit report dashboard test test-slow check docs picture bench docker release lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: ## install what the other targets need into .venv (they do so by themselves)
	@sh scripts/setup.sh

# `set -f`: an override such as model.activation=[relu,gelu] is no file pattern.
sweep: setup ## run a sweep: EXPERIMENT=quickstart ARGS="data.root=images"
	@set -f; exec .venv/bin/actsweep sweep experiment=$(EXPERIMENT) $(ARGS)

wandb: setup ## run a sweep in W&B, online, up to its report there: EXPERIMENT=quickstart ARGS="tracker.project=..."
	@set -f; exec .venv/bin/python scripts/wandb_study.py experiment=$(EXPERIMENT) $(ARGS)

submit: setup ## run a sweep as a job on the cluster: EXPERIMENT=... ARGS="cluster.address=..."
	@set -f; exec .venv/bin/actsweep submit experiment=$(EXPERIMENT) $(ARGS)

report: setup ## rebuild results.json and report.html of a study: RUN=outputs/NAME
	@test -n "$(RUN)" || { echo 'actsweep: name the folder of a study: make report RUN=outputs/NAME' >&2; exit 2; }
	@exec .venv/bin/actsweep report "$$RUN"

dashboard: setup ## live pages of the studies in outputs/, on this machine: ARGS="--port 8000"
	@set -f; exec .venv/bin/actsweep dashboard $(ARGS)

# Whole sweeps wait a lot for Ray, so two tests at a time take little more than half as long, also on two cores.
test: setup ## run the tests but for the long ones, two at a time: ARGS="-n 0 -k model"
	@set -f; exec .venv/bin/python -m pytest -m "not slow" -n 2 --dist worksteal $(ARGS)

test-slow: setup ## run the long tests
	@set -f; exec .venv/bin/python -m pytest -m slow $(ARGS)

check: setup ## check all that is no test: format, lint, types, layers, lock, generated files
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python scripts/check_lock.py
	.venv/bin/python scripts/sweep_files.py --check
	.venv/bin/python scripts/reference.py --check

# Its pages load nothing from a network; a broken link or anchor is an error.
docs: setup ## build the documentation as a site into build/docs
	@NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict
	@echo 'docs     build/docs/index.html'

picture: setup ## draw the pictures in README from a study's report: RUN=outputs/NAME
	@exec .venv/bin/python scripts/picture.py "$$RUN"

bench: setup ## run the benchmarks
	@set -f; exec .venv/bin/python -m bench $(ARGS)

docker: ## build the container image by docker, podman or buildah: ARGS="--build-arg BASE=..."
	@set -f; exec sh scripts/build_image.sh $(ARGS)

release: setup ## build wheel and sdist of what is committed into dist/, and check them
	@.venv/bin/python scripts/release.py

lock: setup ## write requirements.lock anew for pyproject.toml: ARGS=--upgrade
	@.venv/bin/python scripts/lock.py $(ARGS)

clean: ## remove .venv and all caches; studies in outputs/ stay
	rm -f .venv/complete.json
	rm -rf .venv $(CACHES)
	find . -name __pycache__ -not -path './outputs/*' -prune -exec rm -rf {} +
