"""What is refused, and with which code: agents decide by it whether they try again."""

import datetime
import unittest

import requests

from aliyun.log import LogException

from world import Case, KEY_SECRET, connect


class Refusals(Case):
    shards = 1

    def test_who_is_not_known(self):
        self.refused(401, 'SignatureNotMatch', connect(secret=KEY_SECRET + 'x').get_project, self.project)
        self.refused(401, 'InvalidAccessKeyId', connect(key_id='nobody').get_project, self.project)
        self.refused(401, 'SignatureNotMatch', connect(secret='wrong').delete_project, self.project)
        self.assertEqual(self.client.get_project(self.project).get_projectname(), self.project)
        answer = requests.get(f'http://{self.project}.sls.local/', headers={'x-log-apiversion': '0.6.0'}, timeout=60)
        self.assertEqual(answer.status_code, 401, answer.text)
        self.assertEqual(set(answer.json()), {'errorCode', 'errorMessage'})
        self.assertTrue(answer.headers['x-log-requestid'])

    def test_clocks_that_are_off(self):
        import aliyun.log.auth as auth
        real = auth.datetime
        for minutes in (-20, 20):
            class Skewed(datetime.datetime):
                @classmethod
                def utcnow(cls, minutes=minutes):
                    return real.utcnow() + datetime.timedelta(minutes=minutes)
            auth.datetime = Skewed
            try:
                with self.subTest(minutes=minutes):
                    self.refused(400, 'RequestTimeExpired', self.client.get_project, self.project)
            finally:
                auth.datetime = real
        self.client.get_project(self.project)

    def test_a_signature_covers_what_is_sent(self):
        """Everything between signing and sending may be changed by somebody else."""
        def changed(change):
            client = connect()
            send = client._getHttpResponse
            client._getHttpResponse = lambda *request: send(*change(*request))
            return client

        def another_value(method, url, params, body, headers):
            return method, url, {**params, 'size': '7'}, body, headers

        def another_path(method, url, params, body, headers):
            return method, url + '2', params, body, headers

        def another_method(method, url, params, body, headers):
            return 'DELETE', url, params, body, headers

        def another_header(method, url, params, body, headers):
            return method, url, params, body, {**headers, 'x-log-bodyrawsize': '1'}

        with self.subTest('another_value'):
            self.refused(401, 'SignatureNotMatch', changed(another_value).list_logstore, self.project)
        for change in (another_path, another_method, another_header):
            with self.subTest(change.__name__):
                self.refused(401, 'SignatureNotMatch', changed(change).get_logstore, self.project, self.store)

        def another_body(method, url, params, body, headers):
            return method, url, params, body.replace(b'first', b'other'), headers

        with self.subTest('another_body'), self.assertRaises(LogException) as caught:
            changed(another_body).update_project(self.project, 'first')
        self.assertIn(caught.exception.get_resp_status(), (400, 401), str(caught.exception))
        self.assertNotEqual(self.client.get_project(self.project).get_description(), 'other')

    def test_what_is_not_there(self):
        for code, call in [('ProjectNotExist', lambda: self.client.list_logstore('no-such-project')),
                           ('ProjectNotExist', lambda: self.client.create_logstore('no-such-project', 'store')),
                           ('LogStoreNotExist', lambda: self.put([{'a': '1'}], store='nowhere')),
                           ('LogStoreNotExist', lambda: self.client.list_shards(self.project, 'nowhere')),
                           ('LogStoreNotExist', lambda: self.client.list_consumer_group(self.project, 'nowhere')),
                           ('LogStoreNotExist', lambda: self.client.get_index_config(self.project, 'nowhere')),
                           ('LogStoreNotExist', lambda: self.client.update_logstore(self.project, 'nowhere', ttl=3)),
                           ('ShardNotExist', lambda: self.cursor('begin', shard=5))]:
            self.refused(404, code, call)

    def test_parameters_that_make_no_sense(self):
        send = self.client._send
        path = f'/logstores/{self.store}'
        for code, parameters in [('ParameterInvalid', {'type': 'nonsense'}),
                                 ('InvalidParameter', {'type': 'log', 'from': 'x', 'to': '2'}),
                                 ('InvalidCursor', {'type': 'log', 'cursor': '!!', 'count': '1'})]:
            target = path + '/shards/0' if 'cursor' in parameters else path
            with self.subTest(parameters), self.assertRaises(LogException) as caught:
                send('GET', self.project, None, target, parameters, {})
            self.assertEqual(caught.exception.get_resp_status(), 400, str(caught.exception))
            if code == 'InvalidCursor':
                self.assertEqual(caught.exception.get_error_code(), code)
        for method, target in [('PUT', path + '/shards/lb'), ('DELETE', path + '/shards')]:
            with self.subTest(method=method), self.assertRaises(LogException) as caught:
                send(method, self.project, None, target, {}, {})
            self.assertIn(caught.exception.get_resp_status(), (400, 404, 405), str(caught.exception))

    def test_what_is_not_offered(self):
        """Not a 5xx: the SDK would ask ten times, the command line for ever."""
        for call in (lambda: self.client.list_machine_group(self.project),
                     lambda: self.client.list_external_store(self.project)):
            self.refused(400, 'NotSupported', call)


if __name__ == '__main__':
    unittest.main()
