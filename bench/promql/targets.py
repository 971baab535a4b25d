"""What is measured: culprit and its peers, each on a folder of its own."""

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

# Prometheus comes first: its answers are what the others are compared with.
COMMANDS = {
    "prometheus": ["prometheus", "--config.file={folder}/empty.yml", "--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:{port}",
                   "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y"],
    "victoria-metrics": ["victoria-metrics", "-storageDataPath={folder}/data", "-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
                         "-search.latencyOffset=0s"],
    "culprit": ["{culprit}", "serve", "--data", "{folder}/data", "--http", "127.0.0.1:{port}", "--config", "{folder}/culprit.toml"],
}
HEALTH = {"prometheus": "/-/ready", "victoria-metrics": "/health", "culprit": "/readyz"}
# Quotas out of the way, and no samples of its own between those that are measured.
CONFIGURATION = """[quota]
project_write_bytes = 100000000000
project_write_requests = 100000000
project_read_bytes = 100000000000
project_read_requests = 100000000
shard_write_bytes = 100000000000
shard_write_requests = 100000000
shard_read_bytes = 100000000000
shard_read_requests = 100000000
[telemetry]
scrape_interval = "0s"
"""


@dataclasses.dataclass
class Target:
    name: str
    address: str
    pid: int


def program(name):
    return COMMANDS[name][0].format(culprit=os.environ["CULPRIT_BIN"])


@contextlib.contextmanager
def serving(name, folder):
    folder.mkdir(exist_ok=True)
    (folder / "empty.yml").write_text("{}\n")
    (folder / "culprit.toml").write_text(CONFIGURATION)
    port = free_port()
    command = [part.format(culprit=os.environ["CULPRIT_BIN"], folder=folder, port=port) for part in COMMANDS[name]]
    with open(folder / "output", "a") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until_ready(name, process, f"http://127.0.0.1:{port}", folder)
        yield Target(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(name, process, address, folder):
    while True:
        try:
            with urllib.request.urlopen(address + HEALTH[name], timeout=5):
                return
        except OSError as error:
            if process.poll() is not None:
                raise RuntimeError(f"{name} has ended: {(folder / 'output').read_text()}") from error
            time.sleep(0.1)


def disk(folder):
    """Bytes of what it keeps."""
    return sum(file.stat().st_size for file in pathlib.Path(folder / "data").rglob("*") if file.is_file())
