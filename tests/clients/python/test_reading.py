"""Cursors and pulls: dense cursors, exact ends, every compression, times of receipt."""

import base64
import json
import os
import tempfile
import time
import unittest

from aliyun.log.compress import Compressor

from world import Case, wait_for


def of(number):
    return base64.b64encode(str(number).encode()).decode()


class Reading(Case):
    shards = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = int(time.time())
        for i in range(10):
            cls.put(cls, [{'group': str(i), 'log': str(log)} for log in range(3)])
        cls.after = int(time.time())

    def pull(self, cursor, **named):
        return self.client.pull_logs(self.project, self.store, 0, cursor, **named)

    def test_cursors_are_dense(self):
        begin = int(base64.b64decode(self.cursor('begin')))
        self.assertEqual(self.cursor('begin'), of(begin))
        self.assertEqual(self.cursor('end'), of(begin + 10))
        for i in range(10):
            pull = self.pull(of(begin + i), count=1)
            self.assertEqual((pull.get_loggroup_count(), pull.get_next_cursor()), (1, of(begin + i + 1)))
            self.assertEqual([(log['group'], log['log']) for log in pull.get_flatten_logs_json()],
                             [(str(i), str(log)) for log in range(3)])

    def test_loops_of_any_size_see_everything_once(self):
        expected = [(str(i), str(log)) for i in range(10) for log in range(3)]
        for size in (1, 3, 1000):
            with self.subTest(size):
                pulls = self.client.pull_log(self.project, self.store, 0, 'begin', 'end', batch_size=size)
                logs = [(log['group'], log['log']) for pull in pulls for log in pull.get_flatten_logs_json()]
                self.assertEqual(logs, expected)

    def test_an_end_is_exclusive_and_exact(self):
        begin = int(base64.b64decode(self.cursor('begin')))
        pull = self.pull(of(begin), count=1000, end_cursor=of(begin + 4))
        self.assertEqual((pull.get_loggroup_count(), pull.get_next_cursor()), (4, of(begin + 4)))
        pull = self.pull(of(begin + 4), count=1000, end_cursor=of(begin + 4))
        self.assertEqual((pull.get_loggroup_count(), pull.get_next_cursor()), (0, of(begin + 4)))

    def test_at_the_tail_there_is_nothing(self):
        end = self.cursor('end')
        pull = self.pull(end)
        self.assertEqual((pull.get_loggroup_count(), pull.get_next_cursor(), pull.get_raw_size()), (0, end, 0))
        self.assertEqual(pull.get_log_count(), 0)

    def test_each_compression(self):
        expected = self.pull(self.cursor('begin'), compress=False).get_flatten_logs_json()
        self.assertEqual(len(expected), 30)
        for name in ('lz4', 'zstd', 'deflate'):
            with self.subTest(name):
                pull = self.pull(self.cursor('begin'), accept_compress_type=name)
                self.assertEqual(pull.get_header('x-log-compresstype'), name)
                self.assertEqual(pull.get_flatten_logs_json(), expected)

    def test_as_the_go_client_asks(self):
        parameters = {'type': 'logs', 'cursor': self.cursor('begin'), 'count': '2'}
        headers = {'Accept-Encoding': 'lz4', 'Accept': 'application/x-protobuf'}
        path = f'/logstores/{self.store}/shards/0'
        body, headers = self.client._send('GET', self.project, None, path, parameters, headers, 'binary')
        self.assertEqual(headers['x-log-count'], '2')
        self.assertEqual(len(Compressor.decompress_response(headers, body)), int(headers['x-log-bodyrawsize']))

    def test_a_cursor_by_the_time_of_receipt(self):
        self.assertEqual(self.cursor(self.before - 1000), self.cursor('begin'))
        self.assertEqual(self.cursor(self.after + 1000), self.cursor('end'))
        self.assertEqual(self.cursor(str(self.before)), self.cursor('begin'))

    def test_a_time_between_two_writes(self):
        store = self.new_store('timed')
        # Log time is not what counts.
        self.put([{'n': 'first'}], store=store, at=1_000_000_000)
        first = int(time.time())
        wait_for('the next second', lambda: int(time.time()) > first)
        second = int(time.time())
        self.put([{'n': 'second'}], store=store, at=1_000_000_000)
        cursor = self.cursor(second, store=store)
        self.assertEqual(int(base64.b64decode(cursor)), int(base64.b64decode(self.cursor('begin', store=store))) + 1)
        pulls = self.client.pull_log(self.project, store, 0, second, 'end')
        self.assertEqual([log['n'] for pull in pulls for log in pull.get_flatten_logs_json()], ['second'])

    def test_times_of_cursors(self):
        times = [self.client.get_cursor_time(self.project, self.store, 0, cursor).get_cursor_time()
                 for cursor in (self.cursor('begin'), self.cursor('end'))]
        self.assertTrue(self.before <= times[0] <= self.after, (self.before, times, self.after))
        self.assertGreaterEqual(times[1], times[0])
        previous = self.client.get_previous_cursor_time(self.project, self.store, 0, self.cursor('end'))
        self.assertTrue(self.before <= previous.get_cursor_time() <= self.after)
        # One before the first: the SDK asks for the first one then.
        previous = self.client.get_previous_cursor_time(self.project, self.store, 0, self.cursor('begin'))
        self.assertTrue(self.before <= previous.get_cursor_time() <= self.after)

    def test_cursors_that_nobody_gave(self):
        end = int(base64.b64decode(self.cursor('end')))
        for cursor in ['garbage', of(end + 1), of(-1), of('1x'), base64.b64encode(b'\xff\xfe').decode(), '']:
            with self.subTest(cursor):
                self.refused(400, 'InvalidCursor', self.pull, cursor)
        self.refused(400, 'InvalidCursor', self.client.get_cursor_time, self.project, self.store, 0, 'garbage')
        self.refused(404, 'ShardNotExist', self.client.get_begin_cursor, self.project, self.store, 9)
        self.refused(404, 'LogStoreNotExist', self.client.get_begin_cursor, self.project, 'nowhere', 0)

    def test_a_dump_of_all_shards(self):
        store = self.new_store('dumped', shards=2)
        for i in range(6):
            self.put([{'n': str(i)}], store=store, hashKey=f'{i * 0x2aaaaaaa:08x}'.ljust(32, '0'))
        with tempfile.TemporaryDirectory() as folder:
            self.client.pull_log_dump(self.project, store, 'begin', 'end', os.path.join(folder, 'dump_{}.log'))
            lines = [json.loads(line) for name in os.listdir(folder) for line in open(os.path.join(folder, name))]
        self.assertEqual(sorted(line['n'] for line in lines), [str(i) for i in range(6)])


if __name__ == '__main__':
    unittest.main()
