"""How soon something can be read: the provisional reports of `POST /api/explain` and the exact one, over segments of a million rows."""

import json
import statistics
import time
import urllib.request

from server import STORE, serving

WANTED = {1: "≤ 50", 2: "≤ 200", 3: "≤ 1000"}
REPEATS = 9


def run(bench):
    made, _ = bench.generated("bad", 1_000_000, 12, 2, 0.0, 7)
    with serving(bench.culprit, made) as server:
        streams = [streamed(server, {}) for _ in range(REPEATS)]
        hurried = [streamed(server, {"budget_ms": 1}) for _ in range(REPEATS)]
        memory = server.resident_peak_mib()
    lines = []
    for order, parts in enumerate(zip(*streams), 1):
        milliseconds = [part[0] for part in parts]
        told = parts[-1][1]
        kind = f"order {order}, provisional" if told["provisional"] else "final"
        lines.append([kind, f"{statistics.median(milliseconds):.0f}", f"{max(milliseconds):.0f}", len(told["explanations"]), WANTED.get(order, "")])
    milliseconds = [parts[-1][0] for parts in hurried]
    last = hurried[-1][-1][1]
    lines.append(["a budget of 1 ms", f"{statistics.median(milliseconds):.0f}", f"{max(milliseconds):.0f}", len(last.get("explanations", [])), ""])
    columns = ["report", "median ms", "longest ms", "explanations", "wanted ms"]
    bench.table(f"anytime: 1,000,000 rows of 12 columns in segments, {REPEATS} questions, {memory:.0f} MiB at its peak", columns, lines)
    print("of the budget of 1 ms:", *last.get("cuts", [last.get("error")]), sep="\n  ")


def streamed(server, more):
    """Milliseconds and report of each line."""
    body = json.dumps({"store": STORE, "where": "bad", "unit": "request_id", **more}).encode()
    headers = {"content-type": "application/json", "accept": "application/x-ndjson"}
    began = time.monotonic()
    with urllib.request.urlopen(urllib.request.Request(server.address + "/api/explain", body, headers)) as answer:
        return [((time.monotonic() - began) * 1e3, json.loads(line)) for line in answer]
