"""The Rust producer by its Python binding: PROJECT STORE LOGS. Prints what was delivered and what was not as JSON."""

import json
import os
import sys

from aliyun_log_producer import Producer, ProducerConfig

PROJECT, STORE, LOGS = sys.argv[1:]


def main():
    key_id, secret = os.environ['ADMIN_KEY'].split(':', 1)
    outcome = {'delivered': 0, 'failed': []}

    def delivered(error):
        if error is None:
            outcome['delivered'] += 1
        else:
            outcome['failed'].append([error.kind, error.http_status, error.error_code, error.message])

    for compression in ('zstd', 'lz4'):
        config = ProducerConfig(endpoint='http://sls.local', access_key_id=key_id, access_key_secret=secret,
                                compression=compression, linger=0.05, batch_count_threshold=50, max_attempts=3,
                                delivery_timeout=60.0)
        with Producer(config) as producer:
            writer = producer.writer(PROJECT, STORE)
            for i in range(int(LOGS)):
                writer.send({'n': str(i), 'compression': compression, 'message': f'log {i} of a producer'},
                            topic='produced', source='10.3.2.1', on_delivery=delivered)
            producer.flush()
    print(json.dumps(outcome))


if __name__ == '__main__':
    main()
