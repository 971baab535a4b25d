"""Real cases of a live-streaming service: a minute in which too many viewers stall, beside the four minutes before."""

import numpy as np
import yaml

from scoring import counts, f1, is_hit

TARGETS = {"F1": "≥ 0.75", "hit@1": "≥ 0.80", "hit@5": "≥ 0.98", "CPU": "< 10 ms"}


def run(bench):
    folder = bench.shared / "data" / "incidents" / "rs"
    cases = yaml.safe_load((folder / "anomaly.yaml").read_text())
    counted, hits, cpu, engine = [], [], [], []
    for case in cases:
        at = case["timestamp"]
        flags = ["--where", f"min = {at}", "--baseline", f"min >= {at - 240} AND min < {at}"]
        flags += ["--measure", "value", "--agg", "ratio:cnt"]
        report, seconds, _ = bench.explain(folder / f"{case['data']}.csv", *flags)
        causes = case["cause"] if isinstance(case["cause"], list) else [case["cause"]]
        causes = [{dimension: str(value) for dimension, value in cause.items()} for cause in causes]
        counted.append(counts(report["explanations"], causes))
        hits.append([is_hit(report["ranked"], causes, k) for k in (1, 3, 5)])
        cpu.append(seconds)
        engine.append(report["elapsed_ms"])
    hits = np.array(hits, dtype=float)
    floor, _ = bench.floor()
    figures = [
        ["F1 of explanations", bench.figure(bench.interval(counted, f1)), TARGETS["F1"]],
        ["hit@1 of ranked", bench.figure(bench.interval(hits[:, 0])), TARGETS["hit@1"]],
        ["hit@3 of ranked", bench.figure(bench.interval(hits[:, 1])), ""],
        ["hit@5 of ranked", bench.figure(bench.interval(hits[:, 2])), TARGETS["hit@5"]],
        ["CPU ms per case, process included", bench.figure(bench.interval(np.array(cpu) * 1e3), 1), ""],
        ["CPU ms per case beyond --version", bench.figure(bench.interval(np.array(cpu) * 1e3 - floor * 1e3), 1), TARGETS["CPU"]],
        ["wall ms per case inside (read and search)", bench.figure(bench.interval(engine), 1), ""],
    ]
    bench.table(f"rs: {len(cases)} cases of a live-streaming service", ["figure", "value [95 %]", "wanted"], figures)
