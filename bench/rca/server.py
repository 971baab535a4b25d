"""A server with the rows of a generated set in segments of its own, and its processor time."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

import duckdb

STORE = "incident"


class Server:
    def __init__(self, process, address):
        self.process = process
        self.address = address

    def post(self, route, body):
        request = urllib.request.Request(self.address + route, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def cpu(self):
        # The fields are counted behind the command's name, which may hold blanks.
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+)", status).group(1)) / 1024

    def quiet(self):
        """Waits until the server has nothing more to do of its own, such as compaction."""
        calm = 0
        while calm < 3:
            before = self.cpu()
            time.sleep(1)
            calm = calm + 1 if self.cpu() - before < 0.05 else 0


@contextlib.contextmanager
def serving(culprit, made):
    """The rows are imported, and the server is started again, so that all of them are read from segments."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rows = folder / "rows.ndjson"
        duckdb.execute(f"COPY (SELECT * EXCLUDE (time), epoch_ms(time) AS _time FROM read_parquet('{made}')) TO '{rows}' (FORMAT json)")
        with _started(culprit, folder) as server:
            subprocess.run([culprit, "import", rows, "--server", server.address, "--store", STORE, "--format", "ndjson"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows.unlink()
        with _started(culprit, folder) as server:
            server.quiet()
            yield server


@contextlib.contextmanager
def _started(culprit, folder):
    with open(folder / "server.err", "a") as trouble:
        command = [culprit, "serve", "--data", folder / "data", "--http", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=trouble, text=True)
    try:
        listening = re.search(r"http:\S+", process.stdout.readline())
        if not listening:
            raise RuntimeError(f"the server does not listen: {(folder / 'server.err').read_text()}")
        yield Server(process, listening.group(0))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
