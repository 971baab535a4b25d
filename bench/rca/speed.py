"""How long an exact answer takes, from files and from segments of our own, beside engines that count the same rows.

PEERS=no leaves the other engines out, SIZES=1000000x12,10000000x12 names the sets.
"""

import json
import os
import pathlib
import subprocess
import sys

import duckdb

from server import STORE, serving

SIZES = "1000000x12,1000000x30,10000000x12"
WANTED = {"1000000x12": "≤ 0.3 CPU s", "1000000x30": "≤ 0.6 CPU s", "10000000x12": "≤ 1 s wall"}
# What takes minutes is run for the smallest set alone: 30 columns have 4,525 grouping sets.
PEERS = {"1000000x12": ("pyfim", "duckdb", "chdb"), "1000000x30": ("pyfim",)}
REPEATS = 5


def run(bench):
    lines, wrong = [], []
    for size in os.environ.get("SIZES", SIZES).split(","):
        rows, columns = map(int, size.split("x"))
        made, _ = bench.generated("bad", rows, columns, 2, 0.0, 7)
        of_files = repeated(lambda: of_file(bench, made))
        wrong += differences(made, of_files["report"])
        with serving(bench.culprit, made) as server:
            of_segments = repeated(lambda: of_store(server))
            wrong += differences(made, of_segments["report"])
            memory = f"{server.resident_peak_mib():.0f} MiB at its peak"
        sets = sum(of_files["report"].get("counted", []))
        lines.append([size, "culprit, Parquet file", sets, *seconds(of_files), "", WANTED.get(size, "")])
        lines.append([size, "culprit, segments", sum(of_segments["report"].get("counted", [])), *seconds(of_segments), memory, WANTED.get(size, "")])
        if os.environ.get("PEERS") != "no":
            for engine in PEERS.get(size, ()):
                peer = of_peer(engine, made)
                ratio = f"{peer['cpu'] / of_segments['cpu']:.0f} × the CPU of culprit on segments"
                lines.append([size, engine, peer["sets"], f"{peer['cpu']:.2f}", f"{peer['wall']:.2f}", ratio, ""])
    bench.table(f"speed: least of {REPEATS} runs", ["rows x columns", "engine", "sets", "CPU s", "wall s", "", "wanted"], lines)
    print(f"counts that differ from DuckDB's: {len(wrong)}", *wrong, sep="\n  ")


def seconds(measured):
    return f"{measured['cpu']:.3f}", f"{measured['wall']:.3f}"


def repeated(measure):
    runs = [measure() for _ in range(REPEATS)]
    return {"report": runs[0][0], "cpu": min(cpu for _, cpu, _ in runs), "wall": min(wall for *_, wall in runs)}


def of_file(bench, made):
    return bench.explain(made, "--where", "bad", "--unit", "request_id")


def of_store(server):
    before = server.cpu()
    report = server.post("/api/explain", {"store": STORE, "where": "bad", "unit": "request_id"})
    return report, server.cpu() - before, report["elapsed_ms"] / 1e3


def of_peer(engine, made):
    script = pathlib.Path(__file__).with_name("peers.py")
    return json.loads(subprocess.run([sys.executable, script, engine, made], check=True, capture_output=True).stdout)


def differences(made, report):
    """Every set that the report names, counted again by DuckDB."""
    told = [evidence for explanation in report["explanations"] for evidence in (explanation, *explanation["alternates"])]
    told += report["ranked"] + report.get("vanished", [])
    wrong = []
    for evidence in told:
        condition = " AND ".join(condition_of(item) for item in evidence["items"])
        query = f"SELECT count(*) FILTER (bad), count(*) FILTER (NOT bad) FROM read_parquet('{made}') WHERE {condition}"
        counted = duckdb.execute(query).fetchone()
        if counted != (evidence["rows_a"], evidence["rows_b"]):
            wrong.append(f"{condition}: {evidence['rows_a']} and {evidence['rows_b']}, counted {counted[0]} and {counted[1]}")
    return wrong


def condition_of(item):
    name, value = f'"{item["dimension"]}"', item["value"]
    if value == "NULL" and item["condition"].endswith("IS NULL"):
        return f"{name} IS NULL"
    if value.startswith("["):
        least, beyond = value.strip("[)").split(", ")
        return f"{name} >= {least} AND {name} < {beyond}"
    if value.startswith((">= ", "< ")):
        return f"{name} {value}"
    return f"{name} = '{value}'"
