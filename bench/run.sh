#!/usr/bin/env bash
# The suites that are named: `rows` is bench/ingest.sh, `rca` and `promql` are the run.sh of their folder, `kills` and `mutations` are the long forms of tests, all others are culprit-bench's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
# Cargo keeps what its dev profile builds in a folder of another name.
folder=$target/${PROFILE/#dev/debug}
export CULPRIT_BIN=$folder/culprit

for suite in "$@"; do
    case $suite in
        rows) bench/ingest.sh ;;
        rca) bench/rca/run.sh ;;
        promql) bench/promql/run.sh ;;
        kills) CULPRIT_KILLS=${CULPRIT_KILLS:-500} cargo test --workspace --test it crash_shards -- --nocapture ;;
        mutations) CULPRIT_MUTATIONS=${CULPRIT_MUTATIONS:-5000000} cargo test --workspace --lib damaged_ -- --nocapture ;;
        *) "$folder/culprit-bench" "$suite" ;;
    esac
done
