"""The suites of `make bench rca`: each prints one table, every figure with its 95 % bootstrap interval.

usage: run.py [SUITE…]; RCA=rs,cube does the same. CULPRIT_BIN is the binary, CULPRIT_SHARED the corpora, CULPRIT_CACHE where generated sets are kept.
"""

import importlib
import os
import sys

from harness import Bench

SUITES = ("rs", "cube", "petshop", "planted", "speed", "anytime", "hostile", "nab", "patterns")


def wanted():
    named = sys.argv[1:] or [name for name in os.environ.get("RCA", "").replace(",", " ").split()]
    unknown = [name for name in named if name not in SUITES]
    if unknown:
        sys.exit(f"unknown suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    return named or SUITES


def main():
    bench = Bench.of_environment()
    for name in wanted():
        importlib.import_module(name).run(bench)


if __name__ == "__main__":
    main()
