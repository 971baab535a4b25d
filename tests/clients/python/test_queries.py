"""Index, logs, analysis, histograms, context, topics and the SQL of a project, against rows that are counted here."""

import time
import unittest

from aliyun.log import (GetHistogramsRequest, GetLogsRequest, GetProjectLogsRequest, IndexConfig, IndexKeyConfig,
                        IndexLineConfig, ListTopicsRequest)

from world import Case

ROWS = 250
METHODS = ['GET', 'POST', 'PUT']
TOKENS = [' ', ',', '/', ':', '"', '=']


def row(i):
    return {'method': METHODS[i % 3], 'status': str(200 if i % 10 else 500), 'latency': str(i), 'ratio': str(i / 4),
            'message': f'request {i} of user-{i % 7} was ' + ('refused' if i % 10 == 0 else 'served')}


def count(wanted):
    return sum(1 for i in range(ROWS) if wanted(i))


def index(keys):
    return IndexConfig(line_config=IndexLineConfig(TOKENS, case_sensitive=False), key_config_list=keys)


class Queries(Case):
    shards = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        keys = {'method': IndexKeyConfig(TOKENS, index_type='text', doc_value=True),
                'status': IndexKeyConfig(index_type='long', doc_value=True),
                'latency': IndexKeyConfig(index_type='long', doc_value=True),
                'ratio': IndexKeyConfig(index_type='double', doc_value=True),
                'message': IndexKeyConfig(TOKENS, index_type='text', doc_value=True)}
        cls.client.create_index(cls.project, cls.store, index(keys))
        # Whole minutes, so that histograms are even.
        cls.begin = int(time.time()) // 60 * 60 - 3600
        for i in range(ROWS):
            if i % 50 == 0:
                cls.put(cls, [row(j) for j in range(i, i + 50)], at=cls.begin + i, topic=f'topic-{i // 50}',
                        source=f'10.0.0.{i // 50}')
        cls.end = cls.begin + ROWS

    def ask(self, query, **named):
        answer = self.client.get_log(self.project, self.store, self.begin, self.end, query=query, **named)
        self.assertTrue(answer.is_completed())
        return [log.get_contents() for log in answer.get_logs()]

    def test_an_index_from_its_beginning_to_its_end(self):
        store = self.new_store('indexed')
        self.refused(400, 'IndexConfigNotExist', self.client.get_index_config, self.project, store)
        keys = {'a': IndexKeyConfig(TOKENS, index_type='text', doc_value=True, alias='b')}
        self.client.create_index(self.project, store, index(keys))
        self.refused(400, 'IndexAlreadyExist', self.client.create_index, self.project, store, index(keys))
        found = self.client.get_index_config(self.project, store).get_index_config()
        self.assertEqual((found.line_config.token_list, list(found.key_config_list)), (TOKENS, ['a']))
        self.assertEqual((found.key_config_list['a'].index_type, found.key_config_list['a'].alias), ('text', 'b'))
        keys = {'n': IndexKeyConfig(index_type='long', doc_value=True)}
        self.client.update_index(self.project, store, index(keys))
        found = self.client.get_index_config(self.project, store).get_index_config()
        self.assertEqual({name: key.index_type for name, key in found.key_config_list.items()}, {'n': 'long'})
        self.client.delete_index(self.project, store)
        self.refused(400, 'IndexConfigNotExist', self.client.get_index_config, self.project, store)

    def test_search(self):
        for query, wanted in [('*', lambda i: True), ('status: 500', lambda i: i % 10 == 0),
                              ('method: GET and refused', lambda i: i % 3 == 0 and i % 10 == 0),
                              ('method: GET or method: PUT', lambda i: i % 3 != 1),
                              ('not served', lambda i: i % 10 == 0), ('"user-3 was"', lambda i: i % 7 == 3),
                              ('latency >= 100 and latency < 130', lambda i: 100 <= i < 130),
                              ('latency in [100 130)', lambda i: 100 <= i < 130),
                              ('nothing-like-this', lambda i: False)]:
            with self.subTest(query):
                found = self.ask(query, size=-1)
                self.assertEqual(sorted(int(log['latency']) for log in found), [i for i in range(ROWS) if wanted(i)])

    def test_logs_have_their_header(self):
        answer = self.client.get_log(self.project, self.store, self.begin, self.end, query='latency: 120')
        [log] = answer.get_logs()
        self.assertEqual((log.get_time(), log.get_source(), log.get_contents()['__topic__']),
                         (self.begin + 100, '10.0.0.2', 'topic-2'))
        expected = row(120)
        self.assertEqual({key: log.get_contents()[key] for key in expected}, expected)

    def test_pages_and_directions(self):
        newest = self.ask('*', size=100, reverse=True)
        self.assertEqual(len(newest), 100)
        self.assertEqual({log['__topic__'] for log in newest}, {'topic-4', 'topic-3'})
        oldest = self.ask('*', size=100)
        self.assertEqual({log['__topic__'] for log in oldest}, {'topic-0', 'topic-1'})
        pages = [self.ask('*', size=40, offset=offset) for offset in range(0, 280, 40)]
        self.assertEqual([len(page) for page in pages], [40] * 6 + [10])
        self.assertEqual(sorted(int(log['latency']) for page in pages for log in page), list(range(ROWS)))
        everything = self.client.get_log_all(self.project, self.store, self.begin, self.end, query='*')
        self.assertEqual(sum(answer.get_count() for answer in everything), ROWS)

    def test_a_topic_and_a_time_alone(self):
        found = self.ask('*', topic='topic-3', size=100)
        self.assertEqual(sorted(int(log['latency']) for log in found), list(range(150, 200)))
        answer = self.client.get_log(self.project, self.store, self.begin + 50, self.begin + 101, query='*', size=-1)
        self.assertEqual({log.get_contents()['__topic__'] for log in answer.get_logs()}, {'topic-1', 'topic-2'})
        self.assertEqual(self.client.get_log(self.project, self.store, 1, 2, query='*').get_count(), 0)

    def test_analysis(self):
        found = self.ask('* | select method, count(*) as n, sum(latency) as total from log group by method order by method')
        expected = [{'method': method, 'n': str(count(lambda i: METHODS[i % 3] == method)),
                     'total': str(sum(i for i in range(ROWS) if METHODS[i % 3] == method))} for method in METHODS]
        self.assertEqual(found, expected)
        [one] = self.ask('status: 500 | select count(1) as n, max(latency) as worst')
        self.assertEqual(one, {'n': '25', 'worst': '240'})
        [one] = self.ask('* | select avg(ratio) as mean')
        self.assertAlmostEqual(float(one['mean']), sum(i / 4 for i in range(ROWS)) / ROWS)
        answer = self.client.get_log(self.project, self.store, self.begin, self.end, query='* | select count(*) as n')
        meta = answer.get_meta()
        self.assertTrue(answer.get_has_sql())
        self.assertEqual((meta.get_keys(), answer.get_where_query()), (['n'], '*'))
        self.assertIn('count', answer.get_agg_query())
        [one] = self.client.execute_logstore_sql(self.project, self.store, self.begin, self.end,
                                                 '* | select count(distinct method) as n', False).get_logs()
        self.assertEqual(one.get_contents()['n'], '3')

    def test_the_old_call(self):
        from world import connect
        client = connect()
        client._get_logs_v2_enabled = False
        request = GetLogsRequest(self.project, self.store, self.begin, self.end, query='status: 500', line=10,
                                 reverse=True)
        answer = client.get_logs(request)
        self.assertTrue(answer.is_completed())
        self.assertEqual((answer.get_count(), answer.get_has_sql()), (10, False))
        self.assertEqual({log.get_contents()['status'] for log in answer.get_logs()}, {'500'})
        answer = client.get_log(self.project, self.store, self.begin, self.end, query='* | select count(*) as n')
        self.assertEqual([log.get_contents() for log in answer.get_logs()], [{'n': str(ROWS)}])
        self.assertTrue(answer.get_has_sql())

    def test_histograms(self):
        for query, wanted in [('*', lambda i: True), ('status: 500', lambda i: i % 10 == 0)]:
            request = GetHistogramsRequest(self.project, self.store, self.begin, self.begin + 300, query=query)
            answer = self.client.get_histograms(request)
            self.assertTrue(answer.is_completed())
            self.assertEqual(answer.get_total_count(), count(wanted))
            bars = answer.get_histograms()
            self.assertEqual((bars[0].get_from(), bars[-1].get_to()), (self.begin, self.begin + 300))
            for left, right in zip(bars, bars[1:]):
                self.assertEqual(left.get_to(), right.get_from())
            for bar in bars:
                in_bar = count(lambda i: wanted(i) and bar.get_from() <= self.begin + i // 50 * 50 < bar.get_to())
                self.assertEqual(bar.get_count(), in_bar)
        request = GetHistogramsRequest(self.project, self.store, self.begin, self.begin + 300, topic='topic-2')
        self.assertEqual(self.client.get_histograms(request).get_total_count(), 50)

    def test_topics(self):
        names = [f'topic-{i}' for i in range(5)]
        answer = self.client.list_topics(ListTopicsRequest(self.project, self.store, line=100))
        self.assertEqual((sorted(answer.get_topics()), int(answer.get_count())), (names, 5))
        found, token = [], None
        for _ in range(5):
            answer = self.client.list_topics(ListTopicsRequest(self.project, self.store, token, 2))
            found += answer.get_topics()
            token = answer.get_next_token()
            if not token:
                break
        self.assertEqual(sorted(found), names)

    def test_what_was_around_a_log(self):
        store = self.new_store('context')
        self.client.create_index(self.project, store, index({}))
        for pack in range(3):
            logs = [{'n': str(pack * 10 + i)} for i in range(10)]
            self.put(logs, store=store, source='10.0.0.1', logtags=[('__pack_id__', f'5F3A-{pack:X}')])
            self.put([{'n': 'a stranger'}], store=store, source='10.0.0.2', logtags=[('__pack_id__', f'77-{pack:X}')])
        now = int(time.time())
        found = self.client.get_log(self.project, store, now - 600, now + 60, query='n: 15 | with_pack_meta')
        [log] = found.get_logs()
        pack_id, pack_meta = log.get_contents()['__tag__:__pack_id__'], log.get_contents()['__pack_meta__']
        self.assertEqual(pack_id, '5F3A-1')
        answer = self.client.get_context_logs(self.project, store, pack_id, pack_meta, 8, 7)
        self.assertTrue(answer.is_completed())
        self.assertEqual((answer.get_back_lines(), answer.get_forward_lines(), answer.get_total_lines()), (8, 7, 16))
        self.assertEqual([log.get_contents()['n'] for log in answer.get_logs()], [str(n) for n in range(7, 23)])

    def test_sql_of_a_project(self):
        bounds = f'__time__ >= {self.begin} and __time__ < {self.end}'
        sql = f'select method, count(*) as n from {self.store} where {bounds} group by method order by method'
        for answer in (self.client.get_project_logs(GetProjectLogsRequest(self.project, sql)),
                       self.client.execute_project_sql(self.project, sql, False)):
            self.assertEqual([log.get_contents() for log in answer.get_logs()],
                             [{'method': method, 'n': str(count(lambda i: METHODS[i % 3] == method))}
                              for method in METHODS])

    def test_questions_that_have_no_answer(self):
        self.refused(400, 'InvalidQueryString', self.ask, '* | select nonsense from where')
        self.refused(400, 'InvalidTimeRange', self.client.get_log, self.project, self.store, self.end, self.begin)
        self.refused(404, 'LogStoreNotExist', self.client.get_log, self.project, 'nowhere', self.begin, self.end)


if __name__ == '__main__':
    unittest.main()
