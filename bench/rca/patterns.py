"""Log patterns: grouping accuracy over the loghub systems, and lines per second.

Grouping accuracy as logparser defines it: a line is right when the lines of its predicted group are exactly the lines of
its true event. One configuration for all systems; the values of Drain were published with regular expressions made for each.
"""

import csv
import json
import resource
import subprocess
from collections import defaultdict
from pathlib import Path

# Mean of the published values over the ten systems that the corpus holds.
DRAIN_MEAN = 0.911
# Copies of all messages for the measure of speed.
COPIES = 50


def groups(labels):
    """The lines of each label."""
    lines = defaultdict(set)
    for line, label in enumerate(labels):
        lines[label].add(line)
    return lines


def right_lines(predicted, true):
    """Of each line whether its group is exactly that of its event."""
    truth = groups(true)
    right = [False] * len(true)
    for lines in groups(predicted).values():
        if truth[true[next(iter(lines))]] == lines:
            for line in lines:
                right[line] = True
    return right


def patterns_of(culprit, path, *flags):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [culprit, "patterns", str(path), "--output", "json", *flags]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=600).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return answer, cpu


def run(bench):
    rows, accuracies, contents = [], [], []
    for path in sorted(Path(bench.shared, "data/logs/loghub").glob("*_structured.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            true = list(csv.DictReader(file))
        contents += [row["Content"].replace("\n", " ") for row in true]
        answer, _ = patterns_of(bench.culprit, path, "--field", "Content")
        right = right_lines(answer["lines"], [row["EventId"] for row in true])
        accuracies.append(sum(right) / len(right))
        events = len({row["EventId"] for row in true})
        rows.append([path.name.split("_")[0], events, len(answer["patterns"]), f"{accuracies[-1]:.4f}"])
    mean, low, high = bench.interval(accuracies)
    rows.append(["mean", "", "", f"{mean:.4f} ({low:.4f} to {high:.4f}); Drain {DRAIN_MEAN}"])
    bench.table("patterns: grouping accuracy", ["system", "events", "patterns", "accuracy"], rows)

    big = Path(bench.cache, "patterns.log")
    big.write_text("\n".join(contents * COPIES) + "\n", encoding="utf-8")
    _, cpu = patterns_of(bench.culprit, big)
    lines = len(contents) * COPIES
    row = [lines, f"{cpu:.2f}", f"{lines / cpu:,.0f}"]
    bench.table("patterns: speed, reading and printing included", ["lines", "CPU s", "lines per CPU s"], [row])
