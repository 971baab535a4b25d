"""Shards: ranges of the hash keys, split, merged, deleted; no log is lost or moved by it."""

import unittest

from world import Case

KEYS = 1 << 128


def number(key):
    return int(key, 16)


class Shards(Case):
    def listed(self, store):
        return {shard['shardID']: shard for shard in self.client.list_shards(self.project, store).get_shards_info()}

    def assert_covered(self, shards):
        """The writable ranges are the whole space of keys, each key once."""
        writable = [shard for shard in shards.values() if shard['status'] == 'readwrite']
        writable.sort(key=lambda shard: number(shard['inclusiveBeginKey']))
        at = 0
        for shard in writable:
            self.assertEqual(len(shard['inclusiveBeginKey']), 32)
            self.assertEqual(number(shard['inclusiveBeginKey']), at)
            at = number(shard['exclusiveEndKey'])
            self.assertGreater(at, number(shard['inclusiveBeginKey']))
        self.assertEqual(writable[-1]['exclusiveEndKey'], 'f' * 32)
        return [shard['shardID'] for shard in writable]

    def put_at(self, store, key, content):
        self.put([content], store=store, hashKey=f'{key:032x}')

    def test_ranges_of_a_new_store(self):
        shards = self.listed(self.new_store('fresh', shards=3))
        self.assertEqual(sorted(shards), [0, 1, 2])
        self.assertEqual(self.assert_covered(shards), [0, 1, 2])
        self.assertTrue(all(shard['createTime'] > 0 for shard in shards.values()))

    def test_split_by_key(self):
        store = self.new_store('split')
        key = KEYS // 3
        self.put_at(store, 5, {'when': 'before'})
        parts = self.client.split_shard(self.project, store, 0, f'{key:032x}').get_shards_info()
        self.assertEqual(sorted((shard['shardID'], shard['status']) for shard in parts),
                         [(0, 'readonly'), (1, 'readwrite'), (2, 'readwrite')])
        shards = self.listed(store)
        self.assertEqual(len(self.assert_covered(shards)), 2)
        self.assertEqual({number(shards[shard]['inclusiveBeginKey']) for shard in (1, 2)}, {0, key})
        low = next(shard for shard in (1, 2) if number(shards[shard]['inclusiveBeginKey']) == 0)
        self.put_at(store, key - 1, {'when': 'after, low'})
        self.put_at(store, key, {'when': 'after, high'})
        self.assertEqual([log['when'] for log in self.pulled(0, store)], ['before'])
        self.assertEqual([log['when'] for log in self.pulled(low, store)], ['after, low'])
        self.assertEqual([log['when'] for log in self.pulled(3 - low, store)], ['after, high'])

    def test_split_in_the_middle_and_into_many(self):
        store = self.new_store('parts')
        self.split(store, 0)
        shards = self.listed(store)
        self.assertEqual([number(shards[shard]['inclusiveBeginKey']) for shard in self.assert_covered(shards)],
                         [0, KEYS // 2])
        self.assertEqual(len(self.split(store, 1, shardCount='4')), 5)
        self.assertEqual(len(self.assert_covered(self.listed(store))), 5)

    def test_arranged_to_a_number(self):
        store = self.new_store('arranged')
        self.client.arrange_shard(self.project, store, 7)
        self.assertEqual(len(self.assert_covered(self.listed(store))), 7)

    def test_merge_of_neighbours(self):
        store = self.new_store('merged', shards=4)
        self.put_at(store, KEYS // 4, {'when': 'before, left'})
        self.put_at(store, KEYS // 2, {'when': 'before, right'})
        parts = self.client.merge_shard(self.project, store, 1).get_shards_info()
        self.assertEqual(sorted((shard['shardID'], shard['status']) for shard in parts),
                         [(1, 'readonly'), (2, 'readonly'), (4, 'readwrite')])
        self.assertEqual(self.assert_covered(self.listed(store)), [0, 4, 3])
        self.put_at(store, KEYS // 4, {'when': 'after, left'})
        self.put_at(store, KEYS // 2, {'when': 'after, right'})
        self.assertEqual([[log['when'] for log in self.pulled(shard, store)] for shard in (1, 2, 4)],
                         [['before, left'], ['before, right'], ['after, left', 'after, right']])
        last = self.assert_covered(self.listed(store))[-1]
        self.refused(400, 'ParameterInvalid', self.client.merge_shard, self.project, store, last)

    def test_deletion_of_what_nobody_writes_to(self):
        store = self.new_store('deleted', shards=2)
        self.put_at(store, 0, {'in': 'the parent'})
        self.refused(400, 'ParameterInvalid', self.client.delete_shard, self.project, store, 0)
        self.split(store, 0)
        self.client.delete_shard(self.project, store, 0)
        self.assertNotIn(0, self.listed(store))
        self.assertEqual(len(self.assert_covered(self.listed(store))), 3)
        self.refused(404, 'ShardNotExist', self.client.delete_shard, self.project, store, 0)
        self.refused(404, 'ShardNotExist', self.client.get_begin_cursor, self.project, store, 0)

    def test_what_cannot_be_split(self):
        store = self.new_store('refused', shards=2)
        outside = f'{KEYS // 2 + 5:032x}'
        self.refused(400, 'ParameterInvalid', self.client.split_shard, self.project, store, 0, outside)
        self.refused(404, 'ShardNotExist', self.split, store, 77)
        for key in ['xyz', 'f' * 33]:
            with self.subTest(key), self.assertRaises(Exception) as caught:
                self.split(store, 0, key=key)
            self.assertEqual(caught.exception.get_resp_status(), 400, str(caught.exception))
        self.split(store, 0)
        self.refused(400, 'ParameterInvalid', self.split, store, 0)
        self.assertEqual(len(self.assert_covered(self.listed(store))), 3)


if __name__ == '__main__':
    unittest.main()
