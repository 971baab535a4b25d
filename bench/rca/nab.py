#!/usr/bin/env python3
"""Scores of anomaly detectors on labelled series by the Numenta Anomaly Benchmark's published definition.

Standard profile: a detection inside a window counts by how early it is (a sigmoid), each one outside costs a little, a
window without a detection costs one; one threshold for the whole corpus, the best; 0 is a detector that says nothing,
100 one that is right at the first point of every window. The first 15 % of a series (750 points at most) do not count.

    nab.py --shared CORPORA --culprit target/debug/culprit --cache DIR

CORPORA/data/incidents/nab holds data/GROUP/SERIES.csv (timestamp,value) and labels/combined_windows.json.
"""

import argparse
import csv
import json
import math
import random
import time
from datetime import datetime
from pathlib import Path

TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = 1.0, 0.11, 1.0
PROBATION_SHARE, PROBATION_POINTS_MAX = 0.15, 750
BOOTSTRAPS = 1000
DICE_TURNS = 5


class Series:
    """A labelled series: its points, and its windows as (first, last) row numbers."""

    def __init__(self, name, path, windows):
        self.name, self.path = name, path
        with path.open() as file:
            rows = list(csv.DictReader(file))
        self.times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
        self.values = [float(row["value"]) for row in rows]
        place = {time: row for row, time in reversed(list(enumerate(self.times)))}
        self.windows = [tuple(place[datetime.fromisoformat(edge)] for edge in window) for window in windows]
        self.probation = min(int(PROBATION_SHARE * len(rows)), int(PROBATION_SHARE * 5000))


def corpus(folder):
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    """The labels may name series that are not there: a part of the benchmark is scored by itself."""
    there = [(name, windows) for name, windows in sorted(labels.items()) if (folder / "data" / name).exists()]
    return [Series(name, folder / "data" / name, windows) for name, windows in there]


def sigmoid(position):
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def gains(series):
    """What a detection at each row is worth, and the window it belongs to, if any."""
    out, row = [], 0
    last = width = None
    for first, end in series.windows:
        out += [(FALSE_POSITIVE * past(at, last, width), None) for at in range(row, first)]
        width = end - first + 1
        top = sigmoid(-1.0)
        out += [(TRUE_POSITIVE * sigmoid(-(end - at + 1) / width) / top, first) for at in range(first, end + 1)]
        last, row = end, end + 1
    out += [(FALSE_POSITIVE * past(at, last, width), None) for at in range(row, len(series.values))]
    return out


def past(at, last, width):
    return -1.0 if last is None else sigmoid((at - last) / max(width - 1, 1))


def steps(series, scores):
    """The raw score of one series as steps: each (threshold, change) for a threshold lowered to it."""
    worth = gains(series)
    best, changes = {}, []
    order = sorted(range(series.probation, len(scores)), key=lambda row: -scores[row])
    for row in order:
        gain, window = worth[row]
        if window is None:
            changes.append((scores[row], gain))
        elif window not in best:
            best[window] = gain
            changes.append((scores[row], gain + FALSE_NEGATIVE))
        elif gain > best[window]:
            changes.append((scores[row], gain - best[window]))
            best[window] = gain
    return changes


def best_threshold(all_steps):
    """The threshold with the greatest sum over the corpus, and that gain over a detector that says nothing."""
    changes = sorted((step for steps_ in all_steps for step in steps_), key=lambda step: -step[0])
    best, best_at, total = 0.0, math.inf, 0.0
    for at, (threshold, change) in enumerate(changes):
        total += change
        is_last = at + 1 == len(changes) or changes[at + 1][0] < threshold
        if is_last and total > best:
            best, best_at = total, threshold
    return best_at, best


def gain_at(steps_, threshold):
    return sum(change for at, change in steps_ if at >= threshold)


def evaluate(all_series, all_scores):
    """Normalised score with a bootstrap interval over series (the threshold stays), and the parts of each series."""
    all_steps = [steps(series, scores) for series, scores in zip(all_series, all_scores)]
    threshold, _ = best_threshold(all_steps)
    parts = [(gain_at(steps_, threshold), len(series.windows)) for series, steps_ in zip(all_series, all_steps)]
    dice = random.Random(7)
    resampled = sorted(normalised(dice.choices(parts, k=len(parts))) for _ in range(BOOTSTRAPS))
    return {
        "score": normalised(parts),
        "ci": [resampled[int(0.025 * BOOTSTRAPS)], resampled[int(0.975 * BOOTSTRAPS)]],
        "threshold": threshold,
        "series": {series.name: gain for series, (gain, _) in zip(all_series, parts)},
    }


def normalised(parts):
    perfect = sum(windows for _, windows in parts) * (TRUE_POSITIVE + FALSE_NEGATIVE)
    return 100.0 * sum(gain for gain, _ in parts) / perfect if perfect else 0.0


def windowed_gaussian(values, window=6400, step=100):
    """The benchmark's own: the tail of a normal distribution fitted to the values before, sliding in steps once full."""
    scores, start, end = [], 0, 0
    middle = values[0]
    total = squares = 0.0
    for row, value in enumerate(values):
        count = end - start
        mean = total / count if count else 0.0
        deviation = math.sqrt(max(squares / count - mean * mean, 0.0)) or 1e-6 if count else 1e-6
        scores.append(1.0 - normal_tail(value - middle, mean, deviation) if count else 0.0)
        if count < window or row + 1 - end == step:
            leaving = [old - middle for old in values[start : start + max(count + row + 1 - end - window, 0)]]
            coming = [new - middle for new in values[end : row + 1]]
            total += sum(coming) - sum(leaving)
            squares += sum(x * x for x in coming) - sum(x * x for x in leaving)
            start, end = start + len(leaving), row + 1
    return scores


def normal_tail(value, mean, deviation):
    return 0.5 * math.erfc(abs(value - mean) / deviation / math.sqrt(2.0))


def dice(values, seed):
    source = random.Random(seed)
    return [source.random() for _ in values]


def run(bench):
    """The suite `nab` of `make bench rca`."""
    begun = time.monotonic()
    all_series = corpus(bench.shared / "data" / "incidents" / "nab")
    ours, cpu = [], 0.0
    for series in all_series:
        text, seconds, _ = bench.run("anomalies", series.path, "--output", "json")
        ours.append([point["score"] for point in json.loads(text)["points"]])
        cpu += seconds
    dice_scores = [evaluate(all_series, [dice(s.values, f"{turn} {s.name}") for s in all_series]) for turn in range(DICE_TURNS)]
    results = {
        "culprit": evaluate(all_series, ours),
        "windowed Gaussian": evaluate(all_series, [windowed_gaussian(series.values) for series in all_series]),
        "random (best of 5)": max(dice_scores, key=lambda result: result["score"]),
    }
    rows = []
    for name, result in results.items():
        low, high = result["ci"]
        wanted = "10 above the better" if name == "culprit" else ""
        rows.append([name, f"{result['score']:.1f} [{low:.1f}, {high:.1f}]", f"{result['threshold']:.3f}", wanted])
    points = sum(len(series.values) for series in all_series)
    title = f"nab: {len(all_series)} series, {points} points, standard profile, {cpu:.1f} CPU-s"
    bench.table(title, ["detector", "score [95 %]", "threshold", "wanted"], rows)
    bench.table("nab: cost of a point", ["points", "CPU µs per point"], [[n, f"{cost(bench, n):.2f}"] for n in (10**4, 10**6)])
    print(f"{time.monotonic() - begun:.0f} s")


def cost(bench, points):
    """CPU microseconds per point of a generated series, without those of starting the program."""
    path = bench.cache / "incidents" / f"points-{points}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    source = random.Random(points)
    lines = (f"{1_700_000_000 + 60 * row},{source.gauss(50.0, 5.0):.3f}\n" for row in range(points))
    path.write_text("timestamp,value\n" + "".join(lines))
    floor, _ = bench.floor()
    _, seconds, _ = bench.run("anomalies", path, "--output", "csv")
    return max(seconds - floor, 0.0) * 1e6 / points


def main():
    """Scores any program's CSV output on any folder of the benchmark's form; `make bench rca` calls `run`."""
    from harness import Bench

    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--culprit", required=True)
    arguments.add_argument("--cache", type=Path, required=True)
    given = arguments.parse_args()
    run(Bench(given.culprit, given.shared, given.cache))


if __name__ == "__main__":
    main()
