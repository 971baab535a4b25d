"""A worker of a consumer group, by the SDK's consumer library: CONSUMER PROJECT STORE GROUP FILE.

What it processed goes to FILE, a line of JSON per step, before the checkpoint is saved. SIGTERM lets it leave in order.
"""

import json
import os
import signal
import sys
import threading
import time

from aliyun.log.consumer import ConsumerProcessorBase, ConsumerWorker, CursorPosition, LogHubConfig

CONSUMER, PROJECT, STORE, GROUP, FILE = sys.argv[1:]
# Unbuffered and in one call per line: a kill leaves whole lines.
journal = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(**step):
    os.write(journal, (json.dumps({'at': time.time_ns(), **step}) + '\n').encode())


class Processor(ConsumerProcessorBase):
    def process(self, log_groups, check_point_tracker):
        logs = [{content.Key: content.Value for content in log.Contents}
                for group in log_groups.LogGroups for log in group.Logs]
        note(shard=self.shard_id, logs=[[log['key'], int(log['n'])] for log in logs])
        check_point_tracker.save_check_point(True)
        note(shard=self.shard_id, saved=True)


def main():
    key_id, secret = os.environ['ADMIN_KEY'].split(':', 1)
    config = LogHubConfig('http://sls.local', key_id, secret, PROJECT, STORE, GROUP, CONSUMER, in_order=True,
                          cursor_position=CursorPosition.BEGIN_CURSOR, heartbeat_interval=1, data_fetch_interval=0.1,
                          # Small steps, so that hand-overs and kills come in the middle of something.
                          max_fetch_log_group_size=20)
    worker = ConsumerWorker(Processor, config)
    leave = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leave.set())
    worker.start()
    note(started=True)
    leave.wait()
    worker.shutdown()
    worker.join()
    note(left=True)


if __name__ == '__main__':
    main()
