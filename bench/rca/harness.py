"""What all suites share: the binary, its processor time, tables, bootstrap intervals, generated sets."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import typing

import numpy as np

RESAMPLES = 2000


class Bench:
    def __init__(self, culprit, shared, cache):
        self.culprit = culprit
        self.shared = pathlib.Path(shared)
        self.cache = pathlib.Path(cache)
        self.refusals = 0

    @classmethod
    def of_environment(cls):
        missing = [name for name in ("CULPRIT_BIN", "CULPRIT_SHARED", "CULPRIT_CACHE") if not os.environ.get(name)]
        if missing:
            sys.exit(f"{', '.join(missing)} must be set; `make bench rca` does it")
        return cls(*(os.environ[name] for name in ("CULPRIT_BIN", "CULPRIT_SHARED", "CULPRIT_CACHE")))

    def measured(self, *arguments):
        """How a command ended: standard output and error, and what it took."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as trouble:
            process = subprocess.Popen([self.culprit, *map(str, arguments)], stdout=out, stderr=trouble)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - began
            out.seek(0)
            trouble.seek(0)
            said = trouble.read().decode(errors="replace").strip()
            return Run(process.returncode, out.read(), said, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)

    def run(self, *arguments):
        """Standard output, and the seconds of processor and of wall time that the command took."""
        run = self.measured(*arguments)
        if run.code != 0:
            raise Refused(run.trouble)
        return run.out, run.cpu, run.wall

    def explain(self, files, *flags):
        """The report, processor seconds and wall seconds. A refusal counts as an answer that names nothing, and is printed."""
        files = [files] if isinstance(files, (str, pathlib.Path)) else files
        began = time.monotonic()
        try:
            text, cpu, wall = self.run("explain", *files, *flags, "--output", "json")
            return json.loads(text), cpu, wall
        except Refused as refused:
            self.refusals += 1
            print(f"refused: {' '.join(map(str, files))} {' '.join(flags)}: {refused}", file=sys.stderr)
            return {"explanations": [], "ranked": [], "elapsed_ms": 0.0}, 0.0, time.monotonic() - began

    def floor(self):
        """Processor and wall seconds of starting the binary and doing nothing, the least of ten."""
        times = [self.run("--version")[1:] for _ in range(10)]
        return min(cpu for cpu, _ in times), min(wall for _, wall in times)

    def generated(self, effect="bad", rows=1_000_000, columns=12, causes=2, noise=0.0, seed=1):
        """A set of gen_incident.py and its truth; made once, kept in the cache."""
        folder = self.cache / "incidents"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{effect}-{rows}x{columns}-c{causes}-n{round(noise * 100)}-s{seed}"
        made, truth = folder / f"{name}.parquet", folder / f"{name}.json"
        if not (made.exists() and truth.exists()):
            part = folder / f"part-{os.getpid()}-{name}.parquet"
            flags = {"rows": rows, "columns": columns, "causes": causes, "noise": noise, "effect": effect, "seed": seed}
            flags = [text for flag, value in flags.items() for text in (f"--{flag}", str(value))]
            generator = self.shared / "bench" / "gen_incident.py"
            subprocess.run([sys.executable, generator, part, *flags], check=True)
            part.with_suffix(".json").rename(truth)
            part.rename(made)
        return made, json.loads(truth.read_text())

    @staticmethod
    def interval(values, statistic=np.mean):
        """The statistic with its 95 % bootstrap interval; `values` may be an array of rows."""
        values = np.asarray(values, dtype=float)
        if len(values) == 0:
            return float("nan"), float("nan"), float("nan")
        draw = np.random.default_rng(7).integers(0, len(values), size=(RESAMPLES, len(values)))
        resampled = [statistic(values[rows]) for rows in draw] if statistic is not np.mean else values[draw].mean(axis=1)
        low, high = np.nanpercentile(resampled, [2.5, 97.5])
        return float(statistic(values)), float(low), float(high)

    @staticmethod
    def figure(interval, digits=3):
        value, low, high = interval
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    @staticmethod
    def table(title, columns, rows):
        rows = [[str(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(columns, *rows)]
        line = lambda cells: "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
        print(f"\n{title}\n{line(columns)}\n{line(['-' * width for width in widths])}")
        for row in rows:
            print(line(row))
        sys.stdout.flush()


class Refused(Exception):
    pass


class Run(typing.NamedTuple):
    code: int
    out: bytes
    trouble: str
    cpu: float
    wall: float
    resident_peak_mib: float
