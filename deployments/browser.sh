#!/usr/bin/env bash
# Fetches what the tests of pages and of watching need, where that is possible: Chromium, and a display without a
# screen (Xvfb); without them those tests are skipped. And letters for Chinese, which pictures of the pages show.
set -euo pipefail

wanted=()
command -v chromium >/dev/null || wanted+=(chromium)
command -v Xvfb >/dev/null || wanted+=(xvfb)
[[ -n $(fc-list :lang=zh family 2>/dev/null) ]] || wanted+=(fonts-wqy-zenhei fontconfig)
if [[ ${#wanted[@]} -eq 0 ]]; then
    exit 0
elif [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "No ${wanted[*]} here, and only root on Debian can fetch it: the tests that need it will be skipped." >&2
    exit 0
fi
echo "Installing ${wanted[*]} for the tests ..." >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends "${wanted[@]}"; } >/dev/null 2>&1; then
    echo "${wanted[*]} could not be installed through apt-get: the tests that need it will be skipped." >&2
fi
