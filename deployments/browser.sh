#!/usr/bin/env bash
# Fetches the Chromium that the browser tests drive, where that is possible; without one they are skipped.
set -euo pipefail

if command -v chromium >/dev/null; then
    exit 0
elif [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "No chromium here, and only root on Debian can fetch it: the browser tests will be skipped." >&2
    exit 0
fi
echo "Installing chromium for the browser tests ..." >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends chromium; } >/dev/null 2>&1; then
    echo "chromium could not be installed through apt-get: the browser tests will be skipped." >&2
fi
