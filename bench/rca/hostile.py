"""Tables that nobody meant to be explained: each wants an answer or a clear refusal, in bounded time and memory."""

import json
import pathlib
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

SAID_MAX = 90


def run(bench):
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, extension, table, flags in cases():
            made = pathlib.Path(folder) / f"case.{extension}"
            write(table(), made)
            ended = bench.measured("explain", made, *flags, "--output", "json")
            lines.append([f"{name}, {extension}", said(ended), f"{ended.wall:.2f}", f"{ended.resident_peak_mib:.0f}"])
            made.unlink()
        made, _ = bench.generated("bad", 1_000_000, 12, 2, 0.0, 7)
        ended = bench.measured("explain", made, "--where", "bad", "--budget", "1ms", "--output", "json")
        lines.append(["a budget of 1 ms, 1,000,000 rows, parquet", said(ended), f"{ended.wall:.2f}", f"{ended.resident_peak_mib:.0f}"])
    bench.table("hostile", ["table", "answer", "wall s", "peak MiB"], lines)


def said(ended):
    """The refusal, or how many explanations there are and the first; then what was cut."""
    if ended.code != 0:
        return shortened(f"refused: {ended.trouble.removeprefix('error: ')}")
    report = json.loads(ended.out)
    first = " and ".join(item["condition"] for item in report["explanations"][0]["items"]) if report["explanations"] else "nothing"
    cut = "" if report["exact"] else f"; cut: {report['cuts'][0]}"
    return shortened(f"{first} ({len(report['explanations'])} in all){cut}")


def shortened(text):
    return text if len(text) <= SAID_MAX else text[: SAID_MAX - 1] + "…"


def write(table, made):
    if made.suffix == ".csv":
        pyarrow.csv.write_csv(table, made)
    else:
        pyarrow.parquet.write_table(table, made)


def cases():
    where = ["--where", "bad"]
    yield "one row", "csv", lambda: pa.table({"bad": [True], "host": ["h1"]}), where
    yield "no other row", "csv", lambda: pa.table({"bad": [True] * 500, "host": ["h1", "h2"] * 250}), where
    yield "no row at all", "csv", lambda: pa.table({"bad": [False] * 500, "host": ["h1", "h2"] * 250}), where
    yield "all columns constant", "csv", constant, where
    for extension in ("csv", "parquet"):
        yield "2,000 columns", extension, lambda: wide(2_000), where
        yield "10,000 columns", extension, lambda: wide(10_000), where
    yield "10,000,000 distinct values", "parquet", distinct, where
    yield "a measure that is no number", "parquet", lambda: measured(np.nan), ["--measure", "ms"]
    yield "a measure that is seldom a number", "parquet", lambda: measured(20.0), ["--measure", "ms"]


def constant():
    rows = 1_000
    return pa.table({"bad": np.arange(rows) % 10 == 0, **{f"c{at}": ["x"] * rows for at in range(20)}})


def wide(columns, rows=3_000):
    """Texts, integers and floats; the last text is the culprit."""
    draw = np.random.default_rng(5)
    bad = draw.random(rows) < 0.15
    made = {"bad": bad}
    for at in range(columns):
        codes = draw.integers(0, 4, rows)
        if at >= columns - 3 and at % 3 == 2:
            codes = np.where(bad & (draw.random(rows) < 0.9), 7, codes)
        made[f"c{at}"] = (codes, draw.random(rows), np.char.add("v", codes.astype(str)))[at % 3]
    return pa.table(made)


def distinct(rows=10_000_000):
    draw = np.random.default_rng(6)
    bad = draw.random(rows) < 0.01
    number = draw.permutation(rows)
    host = np.where(bad & (draw.random(rows) < 0.7), 1, draw.integers(0, 4, rows))
    return pa.table({"bad": bad, "number": number, "session_id": number, "name": pa.array(number).cast(pa.string()), "host": host})


def measured(value, rows=10_000):
    """One value in a hundred is a number, if `value` is."""
    draw = np.random.default_rng(7)
    host = draw.integers(0, 7, rows)
    ms = np.where(draw.random(rows) < 0.01, value + host, np.nan)
    return pa.table({"ms": ms, "host": np.char.add("h", host.astype(str))})
