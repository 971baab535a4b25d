"""Loads each target alone, then asks all of them the same: processor time, disk and memory per target, and every query with its ratio to VictoriaMetrics."""

import contextlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import targets

# Always the same samples. Not on a minute: there the steps of a subquery would lie on the edges of its windows, which are closed in Prometheus 2 and not in 3.
START = 1_790_000_000 // 3600 * 3600 + 37


def main():
    sender = pathlib.Path(sys.argv[1])
    if not sender.is_file():
        sys.exit(f"{sender} is not there, though CULPRIT_SHARED is set")
    names = [name for name in targets.COMMANDS if shutil.which(targets.program(name))]
    for name in targets.COMMANDS.keys() - set(names):
        print(f"not installed, so not compared: {name}")
    for size in os.environ.get("PROMQL_SIZES", "100x24 2000x1").split():
        instances, hours = size.split("x")
        measure(sender, names, ["--instances", instances, "--hours", hours, "--start", str(START)])


def measure(sender, names, size):
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: pathlib.Path(folder) / name for name in names}
        loads = {name: load(sender, name, folders[name], size) for name in names}
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(targets.serving(name, folders[name])) for name in names]
            asked = ask(sender, running, [*size, "--skip-load", "--runs", "5"])
    print_loads(asked, loads)
    print_queries(asked["queries"], names)


def load(sender, name, folder, size):
    with targets.serving(name, folder) as target:
        loaded = ask(sender, [target], [*size, "--runs", "1"])
    return {**loaded["targets"][name], "disk": targets.disk(folder)}


def ask(sender, running, arguments):
    named = [part for target in running for part in ("--target", f"{target.name}={target.address},pid={target.pid}")]
    answer = subprocess.run([sys.executable, sender, *named, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(answer.stdout)


def print_loads(asked, loads):
    samples = asked["samples"]
    print(f"promql: {asked['series']} series, {samples} samples")
    for name, load in loads.items():
        print(f"  {name:<16} {load['load_cpu_s']:8.1f} CPU-s to load, {load['disk'] / samples:6.2f} bytes per sample, {load['peak_rss_mb']:6} MB at the peak")


def print_queries(queries, names):
    print(f"  {'hot, in ms; × Prometheus; × VictoriaMetrics':<72}" + "".join(f"{name:>17}" for name in names))
    ratios = {"prometheus": [], "victoria-metrics": []}
    for query, row in queries.items():
        ours = row["culprit"]
        against = [ratio(ours, row.get(peer), ratios[peer]) for peer in ratios]
        differs = "" if ours.get("same_as_" + names[0]) else "  ANSWERS DIFFER"
        print(f"  {query[:72]:<72}" + "".join(f"{row[name].get('hot_ms', row[name].get('error', '')):>17}" for name in names) + "".join(against) + differs)
    for peer, all_of in ratios.items():
        if all_of:
            print(f"  geometric mean against {peer}: {math.exp(sum(map(math.log, all_of)) / len(all_of)):.2f}, highest {max(all_of):.2f}")


def ratio(ours, theirs, all_of):
    if not theirs or "error" in theirs or "error" in ours:
        return "       -"
    all_of.append(ours["hot_ms"] / theirs["hot_ms"])
    return f"{all_of[-1]:8.2f}"


main()
