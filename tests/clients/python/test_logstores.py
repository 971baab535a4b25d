"""Logstores: created, changed, listed, deleted; what the client gave comes back."""

import time
import unittest

from world import Case


class Logstores(Case):
    def test_a_logstore_from_its_beginning_to_its_end(self):
        before = int(time.time())
        self.client.create_logstore(self.project, 'whole', ttl=7, shard_count=3, enable_tracking=True, append_meta=True,
                                    auto_split=False, max_split_shard=9, hot_ttl=7, mode='query')
        self.refused(400, 'LogStoreAlreadyExist', self.client.create_logstore, self.project, 'whole')
        store = self.client.get_logstore(self.project, 'whole')
        self.assertEqual((store.logstore_name, store.ttl, store.shard_count, store.enable_tracking, store.append_meta,
                          store.auto_split, store.max_split_shard, store.hot_ttl, store.mode, store.telemetry_type),
                         ('whole', 7, 3, True, True, False, 9, 7, 'query', ''))
        body = store.get_body()
        self.assertGreaterEqual(body['createTime'], before - 1)
        self.assertGreaterEqual(body['lastModifyTime'], body['createTime'])
        self.client.update_logstore(self.project, 'whole', ttl=9, enable_tracking=False, auto_split=True,
                                    max_split_shard=12)
        store = self.client.get_logstore(self.project, 'whole')
        self.assertEqual((store.ttl, store.shard_count, store.enable_tracking, store.append_meta, store.auto_split,
                          store.max_split_shard), (9, 3, False, True, True, 12))
        self.client.update_logstore(self.project, 'whole', preserve_storage=True)
        self.assertTrue(self.client.get_logstore(self.project, 'whole').preserve_storage)
        self.client.delete_logstore(self.project, 'whole')
        self.refused(404, 'LogStoreNotExist', self.client.get_logstore, self.project, 'whole')
        self.refused(404, 'LogStoreNotExist', self.client.delete_logstore, self.project, 'whole')

    def test_a_name_that_was_deleted_begins_empty(self):
        name = self.new_store('phoenix')
        self.put([{'from': 'the first life'}], store=name)
        self.client.delete_logstore(self.project, name)
        self.new_store(name, shards=2)
        self.assertEqual(self.pulled_everywhere(name), [])
        self.put([{'from': 'the second life'}], store=name)
        self.assertEqual([log['from'] for log in self.pulled_everywhere(name)], ['the second life'])

    def test_logstores_are_listed_by_pages_and_by_name(self):
        names = [f'listed-{i}' for i in range(5)]
        for name in names:
            self.new_store(name)
        found = self.client.list_logstore(self.project, 'listed')
        self.assertEqual((sorted(found.get_logstores()), found.get_count(), found.get_total()), (names, 5, 5))
        pages = [self.client.list_logstore(self.project, 'listed', offset=offset, size=2) for offset in (0, 2, 4, 6)]
        self.assertEqual([page.get_count() for page in pages], [2, 2, 1, 0])
        self.assertEqual({page.get_total() for page in pages}, {5})
        self.assertEqual(sorted(name for page in pages for name in page.get_logstores()), names)
        self.assertLessEqual(set(names), set(self.client.list_logstore(self.project, size=-1).get_logstores()))

    def test_settings_that_no_logstore_has(self):
        for named in [{'ttl': 0}, {'ttl': -1}, {'shard_count': 0}, {'shard_count': 10_000}]:
            with self.subTest(named):
                with self.assertRaises(Exception) as caught:
                    self.client.create_logstore(self.project, 'impossible', **named)
                self.assertEqual(caught.exception.get_resp_status(), 400, str(caught.exception))
        for name in ['-begins', 'with space', 'x' * 129, 'ünïcode', 'a/b', '..', '']:
            with self.subTest(name):
                with self.assertRaises(Exception) as caught:
                    self.client.create_logstore(self.project, name, shard_count=1)
                self.assertEqual(caught.exception.get_resp_status(), 400, str(caught.exception))


if __name__ == '__main__':
    unittest.main()
