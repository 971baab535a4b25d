"""Rows with planted causes, and rows without any, from gen_incident.py.

SEEDS (40) and NULLS (200) count the sets, ROWS (1000000) is their size, SEED (1) the first seed: other seeds are other sets.
"""

import os

import numpy as np

from scoring import is_cause

# The budget is one of wall time: on a busy machine ten seconds end a search before its pairs are counted, and the answer
# says so. What is measured here is what the whole search finds.
WHOLE = ("--unit", "request_id", "--budget", "120s")
BAD = ("--where", "bad", *WHOLE)
LATENCY = ("--measure", "latency_ms", *WHOLE)
# effect, columns, noise, flags, least ratio and share of the causes that count
SERIES = [
    ("bad", 12, 0.0, BAD, 3, 0.003),
    ("bad", 30, 0.0, BAD, 3, 0.003),
    ("bad", 12, 0.1, BAD, 6, 0.01),
    ("bad", 30, 0.1, BAD, 6, 0.01),
    ("latency", 12, 0.0, LATENCY, 3, 0.003),
    ("latency", 30, 0.0, LATENCY, 3, 0.003),
]


def number(name, default):
    return int(os.environ.get(name, default))


def run(bench):
    rows, seeds, first = number("ROWS", 1_000_000), number("SEEDS", 40), number("SEED", 1)
    planted_table(bench, rows, range(first, first + seeds))
    null_table(bench, rows, range(1000 + first, 1000 + first + number("NULLS", 200)))


def planted_table(bench, rows, seeds):
    lines = []
    for effect, columns, noise, flags, ratio, share in SERIES:
        of_causes, of_sets, cpu, precision = [], [], [], []
        for seed in seeds:
            made, truth = bench.generated(effect, rows, columns, 1 + seed % 3, noise, seed)
            report, seconds, _ = bench.explain(made, *flags)
            cpu.append(seconds)
            causes = truth["causes"]
            told = [any(is_cause(answer, cause["items"]) for cause in causes) for answer in report["explanations"]]
            precision += told
            counting = [cause["items"] for cause in causes if cause["ratio"] >= ratio and cause["share"] >= share]
            for items in counting:
                within = any(is_cause(answer, items) for answer in report["ranked"][:5])
                asserted = any(is_cause(answer, items) for answer in report["explanations"])
                of_causes.append((within, asserted))
            if counting:
                of_sets.append(bool(told[:1] == [True]))
        of_causes = np.array(of_causes, dtype=float).reshape(-1, 2)
        lines.append([
            f"{effect} {columns} columns noise {noise}", len(of_causes),
            bench.figure(bench.interval(of_causes[:, 0])), bench.figure(bench.interval(of_causes[:, 1])),
            bench.figure(bench.interval(of_sets)), bench.figure(bench.interval(precision)), bench.figure(bench.interval(cpu), 2),
        ])
    columns = ["planted", "causes", "in ranked[:5] (≥ .98)", "explained (≥ .95)", "first is planted (≥ .95)", "explanations planted", "CPU s"]
    bench.table(f"planted: {len(seeds)} seeds of {rows} rows, 1 to 3 causes", columns, lines)


def null_table(bench, rows, seeds):
    series = {"bad": BAD, "latency": LATENCY}
    asserted = {effect: [] for effect in series}
    for seed in seeds:
        # Without a cause the effect changes nothing: one set serves both.
        made, _ = bench.generated("bad", rows, 12, 0, 0.0, seed)
        for effect, flags in series.items():
            report, _, _ = bench.explain(made, *flags)
            asserted[effect].append(bool(report["explanations"]))
        # Two hundred sets are gigabytes, and quickly made again.
        made.unlink()
        made.with_suffix(".json").unlink()
    lines = [[effect, len(told), bench.figure(bench.interval(told)), "≤ 0.05"] for effect, told in asserted.items()]
    bench.table(f"null: sets of {rows} rows and 12 columns without a cause", ["effect", "sets", "any explanation [95 %]", "wanted"], lines)
