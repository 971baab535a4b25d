"""petshop: faults injected into a microservice shop; which node's metric is behind the alarm?

Each issue has an alarm (node, metric, time), a few points around it, and the node that is to blame. A calm time of the
same shop and its call graph are there, too. What is counted is how often the right node is within the first k, per level
of traffic, beside a plain z-score on the same metric.
"""

import csv
import json
import math
import pathlib
import statistics
from collections import defaultdict

COUNT = "metric=requests"
TOP = (1, 3, 5)


def run(bench):
    root = pathlib.Path(bench.shared) / "data" / "incidents" / "petshop"
    cache = pathlib.Path(bench.cache) / "petshop"
    cache.mkdir(parents=True, exist_ok=True)
    rows, everything = [], []
    for level in sorted(path for path in root.iterdir() if path.is_dir()):
        ranks = level_ranks(bench, level, cache)
        everything += ranks
        rows.append(row(bench, level.name, ranks))
    rows.append(row(bench, "all", everything))
    columns = ["traffic", "issues"] + [f"top-{k}" for k in TOP] + [f"z-score top-{k}" for k in TOP] + ["ms per issue"]
    bench.table("petshop: the node to blame among the first k [95 %]", columns, rows)


def row(bench, name, ranks):
    def within(which, k):
        return bench.figure(bench.interval([float(rank[which] <= k) for rank in ranks]))

    milliseconds = statistics.median(rank["ms"] for rank in ranks)
    own = [within("culprit", k) for k in TOP]
    plain = [within("plain", k) for k in TOP]
    return [name, len(ranks), *own, *plain, f"{milliseconds:.0f}"]


def level_ranks(bench, level, cache):
    history = read_wide(level / "noissue" / "metrics.csv")
    history_file = cache / f"{level.name}-noissue.csv"
    write_long(history_file, history)
    calls_file = cache / f"{level.name}-calls.csv"
    write_calls(calls_file, level / "graph.csv")
    ranks = []
    for issue in sorted(level.glob("*/*/target.json")):
        truth = json.loads(issue.read_text())
        series = read_wide(issue.parent / "metrics.csv")
        file = cache / f"{level.name}-{issue.parent.parent.name}-{issue.parent.name}.csv"
        write_long(file, series)
        target, culprit = truth["target"], truth["root_cause"]["node"]
        report = investigate(bench, file, history_file, calls_file, target)
        nodes = [label(suspect, "node") for suspect in report["suspects"]]
        plain = z_scores(series, history, target)
        ranks.append({"culprit": place(nodes, culprit), "plain": place(plain, culprit), "ms": report["elapsed_ms"]})
    return ranks


def investigate(bench, file, history, calls, target):
    aggregate = f"node={target['node']},metric={target['metric']},statistic={target['agg']}"
    # An alarm about availability is raised when it falls, one about latency or load when it rises.
    worse = "down" if target["metric"] == "availability" else "up"
    flags = ["--history", history, "--at", target["timestamp"], "--target", aggregate, "--calls", calls]
    text, _, _ = bench.run("investigate", file, *flags, "--count", COUNT, "--worse", worse, "--output", "json")
    return json.loads(text)


def label(suspect, name):
    return next((label["value"] for label in suspect["labels"] if label["name"] == name), None)


def place(nodes, wanted):
    return nodes.index(wanted) + 1 if wanted in nodes else math.inf


def z_scores(series, history, target):
    """The floor: mean of the points since the alarm, in standard deviations of the calm time, on the alarm's own metric."""
    scores = {}
    for (node, metric, statistic), points in series.items():
        if (metric, statistic) != (target["metric"], target["agg"]):
            continue
        calm = list(history.get((node, metric, statistic), {}).values())
        late = [value for time, value in points.items() if time >= target["timestamp"]]
        if len(calm) > 1 and late:
            spread = statistics.stdev(calm) + 1e-9
            scores[node] = abs(statistics.fmean(late) - statistics.fmean(calm)) / spread
    return sorted(scores, key=lambda node: -scores[node])


def read_wide(path):
    """The three header lines name node, metric and statistic of each column."""
    with open(path, newline="") as file:
        lines = csv.reader(file)
        names = list(zip(*(next(lines)[1:] for _ in range(3))))
        series = defaultdict(dict)
        for line in lines:
            if not line[0].replace(".", "").isdigit():
                continue
            for name, value in zip(names, line[1:]):
                if value:
                    series[name][float(line[0])] = float(value)
    return series


def write_long(path, series):
    with open(path, "w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["time", "node", "metric", "statistic", "value"])
        for (node, metric, statistic), points in series.items():
            lines.writerows([int(time), node, metric, statistic, value] for time, value in points.items())


def write_calls(path, graph):
    with open(graph, newline="") as file, open(path, "w", newline="") as out:
        lines = csv.reader(file)
        callees = next(lines)[1:]
        calls = csv.writer(out)
        calls.writerow(["caller", "callee"])
        for caller, *flags in lines:
            calls.writerows([caller, callee] for callee, flag in zip(callees, flags) if float(flag or 0) > 0)
