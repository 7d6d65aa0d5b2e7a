#!/bin/sh
# Make the virtual environment: setup.sh VENV LOCK [UV]. Says what to install where something is missing.
set -eu
venv=$1 lock=$2 uv=${3:-}
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Fleet needs Python 3.11 or newer as '$python'; install it, or name another: make PYTHON=python3.12 …" >&2
    exit 1
fi
echo "setting up $venv from $lock"
if [ ! -x "$venv/bin/python" ]; then
    if [ -n "$uv" ]; then
        "$uv" venv -q --python "$python" "$venv"
    elif ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        echo "Python's venv module is missing here; install it (Debian: apt-get install python3-venv), or uv" >&2
        exit 1
    fi
fi
if [ -n "$uv" ]; then
    "$uv" pip install -q --compile-bytecode --python "$venv/bin/python" --require-hashes -r "$lock"
    "$uv" pip install -q --python "$venv/bin/python" --no-deps -e .
else
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -e .
fi
# Our own code too: where Python may not write its caches, every command would compile it anew.
"$venv/bin/python" -m compileall -q agents fleet
