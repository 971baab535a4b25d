#!/usr/bin/env bash
# Root-cause analysis against labelled incidents, planted causes and other engines. RCA names some of the suites (rs,cube,petshop,planted,speed,anytime,hostile,nab,patterns).
#
# The labelled data and the generator stand outside of the project, in CULPRIT_SHARED; without it nothing is measured, and that is said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ -z "${CULPRIT_SHARED:-}" ]; then
    echo "SKIPPED: rca measures on labelled data, and CULPRIT_SHARED does not say where they are" >&2
    exit 0
fi
environment=$CULPRIT_CACHE/rca-python
tests/clients/setup.sh "$environment" bench/rca/requirements.txt
exec "$environment/bin/python" bench/rca/run.py "$@"
