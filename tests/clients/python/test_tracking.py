"""Web tracking: rows from browsers, without a signature, into stores that allow it."""

import unittest

import requests

from world import Case


class Tracking(Case):
    def track(self, store, **named):
        url = f'http://{self.project}.sls.local/logstores/{store}/track'
        return requests.request(url=url, timeout=60, **named)

    def test_rows_of_a_browser(self):
        store = self.new_store('tracked', enable_tracking=True)
        parameters = {'APIVersion': '0.6.0', '__topic__': 'clicks', 'page': '/a b', 'who': 'ünï'}
        answer = self.track(store, method='GET', params=parameters)
        self.assertEqual((answer.status_code, answer.text), (200, ''))
        rows = [{'page': '/b', 'n': '1'}, {'page': '/c', 'n': '2'}]
        body = {'__topic__': 'clicks', '__source__': 'browser', '__tags__': {'site': 's1'}, '__logs__': rows}
        answer = self.track(store, method='POST', json=body, headers={'x-log-apiversion': '0.6.0'})
        self.assertEqual((answer.status_code, answer.text), (200, ''))
        first, second, third = self.pulled(store=store)
        self.assertEqual((first['page'], first['who'], first['__topic__']), ('/a b', 'ünï', 'clicks'))
        self.assertNotIn('APIVersion', first)
        self.assertEqual([(log['page'], log['n'], log['__topic__'], log['__source__'], log['__tag__:site'])
                          for log in (second, third)],
                         [('/b', '1', 'clicks', 'browser', 's1'), ('/c', '2', 'clicks', 'browser', 's1')])

    def test_only_where_it_was_allowed(self):
        store = self.new_store('untracked')
        for named in [{'method': 'GET', 'params': {'APIVersion': '0.6.0', 'a': '1'}},
                      {'method': 'POST', 'json': {'__logs__': [{'a': '1'}]}}]:
            answer = self.track(store, **named)
            self.assertIn(answer.status_code, (401, 403), answer.text)
            self.assertEqual(set(answer.json()), {'errorCode', 'errorMessage'})
        self.assertEqual(self.pulled(store=store), [])
        store = self.new_store('allowed', enable_tracking=True)
        answer = self.track(store, method='POST', data='{"__logs__": [')
        self.assertEqual((answer.status_code, answer.json()['errorCode']), (400, 'PostBodyInvalid'))


if __name__ == '__main__':
    unittest.main()
