#!/usr/bin/env bash
# PromQL against Prometheus and VictoriaMetrics, where they are installed: the same samples by remote write, the same queries, answers compared before times.
#
# PROMQL_SIZES (default "100x24 2000x1") names instances of 100 series each, and hours. The sender stands outside of the project, in CULPRIT_SHARED; without it
# nothing is measured, and that is said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ -z "${CULPRIT_SHARED:-}" ]; then
    echo "SKIPPED: promql measures with a sender of samples, and CULPRIT_SHARED does not say where it is" >&2
    exit 0
fi
environment=$CULPRIT_CACHE/promql-python
tests/clients/setup.sh "$environment" bench/promql/requirements.txt
exec "$environment/bin/python" bench/promql/run.py "$CULPRIT_SHARED/bench/peers_promql.py"
