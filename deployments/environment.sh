#!/usr/bin/env bash
# Makes .venv and installs this checkout into it: `environment.sh` to run it, `environment.sh dev` to work on it.
# PYTHON names the interpreter. Run from the repository root; whatever goes wrong ends in one plain line.
set -euo pipefail

extra=${1:-}
python=${PYTHON:-python3}
needed_gb=7  # 6 GB on Linux, where PyTorch brings the CUDA libraries, and some room for the downloads

stop() {
    echo "nightshift: $*" >&2
    exit 1
}

# Runs a command, shows the milestones of an installation, and turns a failure into one line.
attempt() {
    local output
    output=$("$@" 2>&1 | tee >(grep --line-buffered -E '^(Downloading .*[0-9]{3}\.[0-9]MiB|Resolved|Prepared|Installed)' >&2)) || explain "$output"
}

explain() {
    local network='dns error|name resolution|network is unreachable|connection refused|timed out|error sending request'
    network+='|failed to fetch|connection (broken|reset)|no matching distribution found for uv'
    if grep -qiE 'no space left|disk quota' <<<"$1"; then
        stop "no space left on the disk: the environment needs $needed_gb GB. Make room and run this again."
    elif grep -qiE "$network" <<<"$1"; then
        stop "the Python package index cannot be reached: check the network (or the index pip is set to) and run this again."
    else
        stop "setting up .venv failed: $(grep -iE 'error|×|╰─▶' <<<"$1" | head -n 1 || tail -n 1 <<<"$1")"
    fi
}

check_python() {
    command -v "$python" >/dev/null || stop "there is no $python here: install Python 3.11 or newer, or name one with PYTHON=/path/to/python3."
    local version
    version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || stop "$python does not run."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "$python is Python $version; 3.11 or newer is needed: name one with PYTHON=/path/to/python3."
}

# Debian ships Python without the module that makes environments.
check_venv_module() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
        { apt-get update && apt-get install --yes --no-install-recommends python3-venv; } >/dev/null 2>&1 || true
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "$python cannot make environments: run 'apt-get install python3-venv' as root, then this again."
}

check_disk() {
    local free_gb
    free_gb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
    ((free_gb >= needed_gb)) || stop "$free_gb GB free on the disk of $PWD; the environment needs $needed_gb GB. Make room and run this again."
}

if ! .venv/bin/python -c '' 2>/dev/null; then
    check_python
    check_venv_module
    check_disk
    attempt "$python" -m venv --clear .venv
fi
if [[ ! -x .venv/bin/uv ]]; then
    attempt .venv/bin/python -m pip install --quiet --retries 2 --disable-pip-version-check uv
fi
echo "Setting up .venv; a first time this downloads about 3 GB ..." >&2
attempt .venv/bin/uv pip install --python .venv/bin/python --constraint constraints.txt --editable ".${extra:+[$extra]}"
touch .venv/.installed ${extra:+.venv/.installed-$extra}
