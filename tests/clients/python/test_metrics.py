"""A metric store, written to by log groups and asked in PromQL."""

import time
import unittest

import requests

from aliyun.log.compress import CompressType, Compressor

from test_writing import PROTOBUF, group_of
from world import Case, KEY_ID, KEY_SECRET


def sample(name, labels, nanos, value):
    joined = '|'.join(f'{key}#$#{labels[key]}' for key in sorted(labels))
    return {'__name__': name, '__labels__': joined, '__time_nano__': str(nanos), '__value__': str(value)}


class Metrics(Case):
    def ask(self, store, **parameters):
        url = f'http://sls.local/prometheus/{self.project}/{store}/api/v1/query'
        answer = requests.get(url, params=parameters, auth=(KEY_ID, KEY_SECRET), timeout=60)
        self.assertEqual(answer.status_code, 200, answer.text)
        return {tuple(sorted(series['metric'].items())): float(series['value'][1])
                for series in answer.json()['data']['result']}

    def test_samples_come_back_as_series(self):
        store = 'metrics'
        self.client.create_metric_store(self.project, store, ttl=7, shard_count=1)
        self.assertEqual(self.client.get_logstore(self.project, store).telemetry_type, 'Metrics')
        now = int(time.time())
        first = [sample('requests', {'host': host}, now * 10**9, value) for host, value in [('a', 1.5), ('b', 2.25)]]
        self.put(first, store=store)
        # As Go's client does when it is told that it writes to a metric store.
        raw = group_of([sample('requests', {'host': 'c'}, now * 10**9, 4)]).SerializeToString()
        headers = {**PROTOBUF, 'x-log-bodyrawsize': str(len(raw)), 'x-log-compresstype': 'lz4'}
        path = f'/prometheus/{self.project}/{store}/api/v1/write'
        self.client._send('POST', self.project, Compressor.compress(raw, CompressType.LZ4), path, {}, headers)
        series = self.ask(store, query='requests', time=now)
        self.assertEqual({dict(labels)['host']: value for labels, value in series.items()},
                         {'a': 1.5, 'b': 2.25, 'c': 4})
        self.assertEqual(self.ask(store, query='sum(requests)', time=now), {(): 7.75})
        self.client.delete_metric_store(self.project, store)
        self.refused(404, 'LogStoreNotExist', self.client.get_metric_store, self.project, store)


if __name__ == '__main__':
    unittest.main()
