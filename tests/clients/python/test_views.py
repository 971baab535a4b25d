"""Views: stores of several projects, consumed and asked as one."""

import time
import unittest

from aliyun.log.store_view import StoreView, StoreViewStore

from world import Case, unique


class Views(Case):
    shards = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = unique('elsewhere')
        cls.client.create_project(cls.other, 'the other one')
        cls.client.create_logstore(cls.other, 'shop', shard_count=1)

    @classmethod
    def tearDownClass(cls):
        cls.client.delete_project(cls.other)
        super().tearDownClass()

    def view(self, name, *members):
        stores = [StoreViewStore(project, store) for project, store in members]
        self.client.create_store_view(self.project, StoreView(name, 'logstore', stores))
        return name

    def put_elsewhere(self, contents, **named):
        mine, self.project = self.project, self.other
        try:
            self.put(contents, store='shop', **named)
        finally:
            self.project = mine

    def test_a_view_from_its_beginning_to_its_end(self):
        name = self.view('whole', (self.project, self.store), (self.other, 'shop'))
        self.assertEqual(self.client.list_store_views(self.project).get_store_views(), [name])
        found = self.client.get_store_view(self.project, name).get_store_view()
        self.assertEqual([(store.project_name, store.store_name) for store in found.stores],
                         [(self.project, self.store), (self.other, 'shop')])
        only = StoreView(name, 'logstore', [StoreViewStore(self.other, 'shop')])
        self.client.update_store_view(self.project, name, only)
        found = self.client.get_store_view(self.project, name).get_store_view()
        self.assertEqual([store.project_name for store in found.stores], [self.other])
        self.client.delete_store_view(self.project, name)
        self.assertEqual(self.client.list_store_views(self.project).get_store_views(), [])

    def test_a_view_is_consumed_like_a_store(self):
        name = self.view('consumed', (self.project, self.store), (self.other, 'shop'))
        for i in range(4):
            self.put([{'here': str(i)}], hashKey=f'{i:x}' * 32)
        self.put_elsewhere([{'there': '1'}, {'there': '2'}])
        shards = self.shard_ids(name)
        self.assertEqual(len(set(shards)), 3)
        logs = self.pulled_everywhere(name)
        self.assertEqual(sorted(log['here'] for log in logs if 'here' in log), ['0', '1', '2', '3'])
        self.assertEqual([log['there'] for log in logs if 'there' in log], ['1', '2'])
        self.client.create_consumer_group(self.project, name, 'readers', 30)
        assigned = self.client.heart_beat(self.project, name, 'readers', 'c', []).get_shards()
        self.assertEqual(sorted(assigned), sorted(shards))
        end = self.cursor('end', shards[-1], name)
        self.client.update_check_point(self.project, name, 'readers', shards[-1], end, 'c')
        saved = self.client.get_check_point(self.project, name, 'readers').get_consumer_group_check_points()
        self.assertEqual({entry['shard']: entry['checkpoint'] for entry in saved},
                         {shard: end if shard == shards[-1] else '' for shard in shards})

    def test_a_view_is_asked_like_a_store(self):
        mine, name = self.new_store('asked'), 'asked-view'
        self.view(name, (self.project, mine), (self.other, 'shop'))
        now = int(time.time())
        self.put([{'k': 'a'}, {'k': 'b'}], store=mine, topic='asked')
        self.put_elsewhere([{'k': 'a'}], topic='asked')
        answer = self.client.get_log(self.project, name, now - 60, now + 60,
                                     query="__topic__: asked | select k, count(*) as n from log group by k order by k")
        self.assertEqual([log.get_contents() for log in answer.get_logs()], [{'k': 'a', 'n': '2'}, {'k': 'b', 'n': '1'}])


if __name__ == '__main__':
    unittest.main()
