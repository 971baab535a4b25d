"""PutLogs in all its ways; what was written is pulled back as it was."""

import time
import unittest

from aliyun.log import LogItem, PutLogsRequest
from aliyun.log.compress import CompressType, Compressor
from aliyun.log.proto import LogGroupRaw as LogGroup

from world import Case, SOURCE

PROTOBUF = {'Content-Type': 'application/x-protobuf'}


def group_of(contents, topic='topic', tags=()):
    group = LogGroup()
    group.Topic = topic
    group.Source = SOURCE
    for key, value in tags:
        tag = group.LogTags.add()
        tag.Key, tag.Value = key, value
    for pairs in contents:
        log = group.Logs.add()
        log.Time = int(time.time())
        for key, value in pairs.items():
            content = log.Contents.add()
            content.Key, content.Value = key, value.encode()
    return group


def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def package_list(groups):
    """SlsLogPackageList by hand: the SDK has no message for it."""
    packages = b''
    for group in groups:
        raw = group.SerializeToString()
        data = Compressor.compress(raw, CompressType.LZ4)
        package = b'\x0a' + varint(len(data)) + data + b'\x10' + varint(len(raw))
        packages += b'\x0a' + varint(len(package)) + package
    return packages


class Writing(Case):
    def groups(self, store):
        """Everything that the store's only shard has, as log groups."""
        pulls = self.client.pull_log(self.project, store, 0, 'begin', 'end')
        return [group for pull in pulls for group in pull.get_loggroup_list().LogGroups]

    def assert_holds(self, store, contents):
        logs = [{content.Key: content.Value for content in log.Contents}
                for group in self.groups(store) for log in group.Logs]
        self.assertEqual(logs, contents)

    def test_every_part_of_a_group_comes_back(self):
        store = self.new_store('whole')
        at = int(time.time()) - 100
        contents = [[('path', '/a'), ('empty', ''), ('words', 'ünïcode 数据 \U0001f600')],
                    [('path', '/b'), ('line', 'one\ntwo\x00three'), ('__odd key__', '1')],
                    [('alone', 'x' * 10_000)]]
        items = [LogItem(at + i, pairs, 1 + i) for i, pairs in enumerate(contents)]
        tags = [('host', 'h1'), ('__pack_id__', 'ABCDEF-1')]
        request = PutLogsRequest(self.project, store, topic='the topic', source='10.9.8.7', logitems=items, logtags=tags)
        self.client.put_logs(request)
        [group] = self.groups(store)
        self.assertEqual((group.Topic, group.Source), ('the topic', '10.9.8.7'))
        self.assertEqual({tag.Key: tag.Value for tag in group.LogTags}, dict(tags))
        self.assertEqual([(log.Time, log.Time_ns) for log in group.Logs], [(at + i, 1 + i) for i in range(3)])
        pulled = [{content.Key: content.Value for content in log.Contents} for log in group.Logs]
        self.assertEqual(pulled, [dict(pairs) for pairs in contents])

    def test_each_compression(self):
        for name, named in [('lz4', {'compress_type': 'lz4'}), ('zstd', {'compress_type': 'zstd'}),
                            ('none', {'compress': False})]:
            with self.subTest(name):
                store = self.new_store(f'compressed-{name}')
                contents = [{'n': str(i), 'message': f'message {i} of many alike'} for i in range(200)]
                self.put(contents, store=store, **named)
                self.assert_holds(store, contents)

    def test_zlib_and_gzip(self):
        import gzip
        import zlib
        raw = group_of([{'a': '1'}, {'a': '2'}]).SerializeToString()
        for name, body in [('deflate', zlib.compress(raw)), ('gzip', gzip.compress(raw))]:
            with self.subTest(name):
                store = self.new_store(f'compressed-{name}')
                headers = {**PROTOBUF, 'x-log-bodyrawsize': str(len(raw)), 'x-log-compresstype': name}
                self.client._send('POST', self.project, body, f'/logstores/{store}/shards/lb', {}, headers)
                self.assert_holds(store, [{'a': '1'}, {'a': '2'}])

    def test_the_plain_path_and_the_raw_call(self):
        store = self.new_store('plain')
        raw = group_of([{'by': 'the plain path'}]).SerializeToString()
        headers = {**PROTOBUF, 'x-log-bodyrawsize': str(len(raw)), 'x-log-compresstype': 'lz4'}
        body = Compressor.compress(raw, CompressType.LZ4)
        self.client._send('POST', self.project, body, f'/logstores/{store}', {}, headers)
        self.client.put_log_raw(self.project, store, group_of([{'by': 'the raw call'}]))
        self.client.put_log_raw(self.project, store, group_of([{'by': 'the raw call, large'}]), compress=False)
        self.assert_holds(store, [{'by': 'the plain path'}, {'by': 'the raw call'}, {'by': 'the raw call, large'}])

    def test_a_hash_key_finds_its_shard(self):
        store = self.new_store('keyed', shards=4)
        shards = self.client.list_shards(self.project, store).get_shards_info()
        for shard in shards:
            last = f"{int(shard['exclusiveEndKey'], 16) - 1:032x}"
            for key in (shard['inclusiveBeginKey'], last):
                self.put([{'key': key}], store=store, hashKey=key)
        self.put([{'key': 'f' * 32}], store=store, hashKey='f' * 32)
        for shard in shards:
            begin, end = shard['inclusiveBeginKey'], shard['exclusiveEndKey']
            expected = [begin, f'{int(end, 16) - 1:032x}'] + (['f' * 32] if end == 'f' * 32 else [])
            self.assertEqual([log['key'] for log in self.pulled(shard['shardID'], store)], expected)

    def test_order_within_a_key(self):
        store = self.new_store('ordered', shards=4)
        for i in range(40):
            self.put([{'n': str(i)}], store=store, hashKey='3' * 32)
        self.assertEqual([log['n'] for log in self.pulled_everywhere(store)], [str(i) for i in range(40)])

    def test_a_list_of_packages(self):
        store = self.new_store('packages')
        body = package_list([group_of([{'n': '1'}, {'n': '2'}], tags=[('host', 'a')]), group_of([{'n': '3'}])])
        headers = {**PROTOBUF, 'x-log-mode': 'batch_group', 'x-log-compresstype': 'lz4',
                   'x-log-bodyrawsize': str(len(body))}
        self.client._send('POST', self.project, body, f'/logstores/{store}/shards/lb', {}, headers)
        self.assert_holds(store, [{'n': '1'}, {'n': '2'}, {'n': '3'}])

    def test_a_group_without_logs(self):
        store = self.new_store('empty')
        self.client.put_log_raw(self.project, store, group_of([]))
        self.assert_holds(store, [])

    def test_keys_that_no_shard_has(self):
        store = self.new_store('wrong-key')
        for key in ['xyz', 'f' * 33, '1 2']:
            with self.subTest(key):
                self.refused(400, 'InvalidKey', self.put, [{'a': '1'}], store=store, hashKey=key)


if __name__ == '__main__':
    unittest.main()
