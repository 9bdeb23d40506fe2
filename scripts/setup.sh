#!/bin/sh
# Make .venv what requirements.lock and pyproject.toml ask for; at once where it already is.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ] && [ -x .venv/bin/python ] && .venv/bin/python -EsSB scripts/setup_venv.py --check 2>/dev/null; then
    exit 0
fi
python=$(sh scripts/find_python.sh)
exec "$python" -EsB scripts/setup_venv.py "$@"
