"""Consumer groups by their calls: created, balanced by heartbeats, checkpointed, deleted."""

import base64
import unittest

from world import Case, unique, wait_for


class Groups(Case):
    shards = 4

    def group(self, timeout=30, in_order=False):
        name = unique('group')
        self.client.create_consumer_group(self.project, self.store, name, timeout, in_order)
        return name

    def beat(self, group, consumer, held=()):
        return sorted(self.client.heart_beat(self.project, self.store, group, consumer, list(held)).get_shards())

    def save(self, group, shard, cursor, consumer='', force=True):
        self.client.update_check_point(self.project, self.store, group, shard, cursor, consumer, force)

    def saved(self, group, shard=-1):
        answer = self.client.get_check_point(self.project, self.store, group, shard)
        return {entry['shard']: entry for entry in answer.get_consumer_group_check_points()}

    def listed(self):
        groups = self.client.list_consumer_group(self.project, self.store).get_consumer_groups()
        return {group.get_consumer_group_name(): (group.get_timeout(), group.is_in_order()) for group in groups}

    def test_a_group_from_its_beginning_to_its_end(self):
        group = self.group(timeout=30)
        self.refused(400, 'ConsumerGroupAlreadyExist', self.client.create_consumer_group, self.project, self.store,
                     group, 30)
        self.assertEqual(self.listed()[group], (30, False))
        self.client.update_consumer_group(self.project, self.store, group, timeout=60, in_order=True)
        self.assertEqual(self.listed()[group], (60, True))
        self.client.update_consumer_group(self.project, self.store, group, timeout=45)
        self.assertEqual(self.listed()[group], (45, True))
        self.client.delete_consumer_group(self.project, self.store, group)
        self.assertNotIn(group, self.listed())
        for call in (lambda: self.beat(group, 'c'), lambda: self.saved(group),
                     lambda: self.client.delete_consumer_group(self.project, self.store, group),
                     lambda: self.client.update_consumer_group(self.project, self.store, group, timeout=9),
                     lambda: self.save(group, 0, self.cursor('begin'))):
            self.refused(404, 'ConsumerGroupNotExist', call)

    def test_a_shard_passes_on_when_it_was_let_go(self):
        group = self.group()
        self.assertEqual(self.beat(group, 'a'), [0, 1, 2, 3])
        self.assertEqual(self.beat(group, 'b'), [], 'a holds all of them')
        kept = self.beat(group, 'a', [0, 1, 2, 3])
        self.assertEqual(len(kept), 2, 'half is for b')
        self.assertEqual(self.beat(group, 'b'), [], 'a still holds all of them')
        self.assertEqual(self.beat(group, 'a', kept), kept)
        taken = self.beat(group, 'b')
        self.assertEqual(sorted(kept + taken), [0, 1, 2, 3])
        self.assertEqual(self.beat(group, 'b', taken), taken)
        self.assertEqual(self.beat(group, 'a', kept), kept, 'the assignment is at rest')

    def test_a_silent_consumer_loses_its_shards(self):
        group = self.group(timeout=1)
        self.assertEqual(self.beat(group, 'silent'), [0, 1, 2, 3])
        found = wait_for('the shards of the silent one', lambda: len(self.beat(group, 'live')) == 4, patience=20)
        self.assertTrue(found)

    def test_checkpoints(self):
        group = self.group()
        self.assertEqual(sorted(self.saved(group)), [0, 1, 2, 3], 'workers want an entry for every shard')
        self.assertEqual({entry['checkpoint'] for entry in self.saved(group).values()}, {''})
        self.assertEqual(list(self.saved(group, 2)), [2])
        self.put([{'n': '1'}], hashKey='0' * 32)
        end = self.cursor('end', 0)
        self.assertEqual(self.beat(group, 'c'), [0, 1, 2, 3])
        self.save(group, 0, end, 'c', force=False)
        entry = self.saved(group)[0]
        self.assertEqual((entry['checkpoint'], entry['consumer']), (end, 'c'))
        self.assertGreater(entry['updateTime'], 1_000_000_000_000_000, 'microseconds')
        self.save(group, 1, self.cursor('begin', 1))
        fixed = self.client.get_check_point_fixed(self.project, self.store, group, 0).get_consumer_group_check_points()
        self.assertGreater(fixed[0]['checkpoint_previous_cursor_time'], 0)

    def test_checkpoints_that_nobody_may_save(self):
        group = self.group()
        self.assertEqual(self.beat(group, 'owner'), [0, 1, 2, 3])
        self.refused(400, 'ConsumerNotMatch', self.save, group, 0, self.cursor('begin'), 'stranger', force=False)
        self.save(group, 0, self.cursor('begin'), 'stranger', force=True)
        beyond = base64.b64encode(str(int(base64.b64decode(self.cursor('end'))) + 5).encode()).decode()
        self.refused(400, 'InvalidCursor', self.save, group, 0, beyond)
        self.refused(400, 'InvalidCursor', self.save, group, 0, 'garbage')
        self.refused(404, 'ShardNotExist', self.save, group, 77, self.cursor('begin'))
        self.refused(404, 'LogStoreNotExist', self.client.create_consumer_group, self.project, 'nowhere', 'g', 30)

    def test_children_come_after_their_parent(self):
        for in_order in (True, False):
            with self.subTest(in_order=in_order):
                self.store = self.new_store(f'split-{in_order}'.lower(), shards=1)
                self.put([{'n': '1'}])
                group = self.group(in_order=in_order)
                self.assertEqual(self.beat(group, 'c'), [0])
                self.split(self.store, 0)
                expected = [0] if in_order else [0, 1, 2]
                self.assertEqual(self.beat(group, 'c', [0]), expected)
                self.save(group, 0, self.cursor('end', 0), 'c')
                self.assertEqual([shard for shard in self.beat(group, 'c', [0]) if shard], [1, 2])
        self.store = Case.store

    def test_an_empty_parent_holds_nobody_back(self):
        self.store = self.new_store('split-empty', shards=1)
        group = self.group(in_order=True)
        self.assertEqual(self.beat(group, 'c'), [0])
        self.split(self.store, 0)
        self.assertEqual([shard for shard in self.beat(group, 'c', [0]) if shard], [1, 2])
        self.store = Case.store


if __name__ == '__main__':
    unittest.main()
