#!/usr/bin/env bash
# Makes a Python environment in the folder given, unless it is there with these very versions: those of the clients, or of the file named second.
set -euo pipefail
wanted=${2:-$(dirname "${BASH_SOURCE[0]}")/requirements.txt}
environment=$1
# Tests run beside each other, and each asks.
mkdir -p "$(dirname "$environment")"
exec 9>"$environment.lock"
flock 9
# Copied last: half an environment has none.
if cmp --silent "$wanted" "$environment/requirements.txt"; then exit 0; fi
python3 -m venv --clear "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$environment/requirements.txt"
