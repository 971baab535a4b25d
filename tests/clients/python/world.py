"""The server under test as the SDK sees it: HTTP_PROXY leads every request to it, so that no name has to resolve."""

import os
import time
import unittest
import uuid

from aliyun.log import LogClient, LogException, LogItem, PutLogsRequest

ENDPOINT = 'http://sls.local'
KEY_ID, KEY_SECRET = os.environ['ADMIN_KEY'].split(':', 1)
SIGNATURE = os.environ.get('SIGNATURE', 'v1')
SOURCE = '10.1.2.3'


def connect(key_id=KEY_ID, secret=KEY_SECRET):
    return LogClient(ENDPOINT, key_id, secret, source=SOURCE, auth_version=SIGNATURE, region='local')


def unique(name):
    return f'{name}-{SIGNATURE}-{uuid.uuid4().hex[:8]}'


def wait_for(what, answer, patience=60):
    """Asks until there is an answer."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = answer()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f'waited {patience} s in vain for {what}')


class Case(unittest.TestCase):
    """Tests with a project of their own, and `store` in it where `shards` says of how many."""

    shards = 0
    store = 'store'
    # Long differences are what a failure is about.
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.client = connect()
        cls.project = unique(cls.__name__.lower())
        cls.client.create_project(cls.project, 'made by a test')
        if cls.shards:
            cls.client.create_logstore(cls.project, cls.store, ttl=3, shard_count=cls.shards)

    @classmethod
    def tearDownClass(cls):
        cls.client.delete_project(cls.project)

    def refused(self, status, code, call, *arguments, **named):
        with self.assertRaises(LogException) as caught:
            call(*arguments, **named)
        refusal = caught.exception
        self.assertEqual((refusal.get_resp_status(), refusal.get_error_code()), (status, code), str(refusal))
        self.assertTrue(refusal.get_error_message())
        self.assertTrue(refusal.get_request_id())
        return refusal.get_error_message()

    def new_store(self, name, shards=1, **named):
        self.client.create_logstore(self.project, name, shard_count=shards, **named)
        return name

    def put(self, contents, store=None, at=None, **named):
        """One log group of these dictionaries, all of one time."""
        at = at or int(time.time())
        items = [LogItem(at, list(content.items())) for content in contents]
        named = {'topic': 'topic', 'source': SOURCE, **named}
        return self.client.put_logs(PutLogsRequest(self.project, store or self.store, logitems=items, **named))

    def split(self, store, shard, **parameters):
        """Newer clients leave the key to the server, or ask for many parts."""
        path = f'/logstores/{store}/shards/{shard}'
        return self.client._send('POST', self.project, None, path, {'action': 'split', **parameters}, {})[0]

    def shard_ids(self, store=None, status=None):
        shards = self.client.list_shards(self.project, store or self.store).get_shards_info()
        return [shard['shardID'] for shard in shards if status in (None, shard['status'])]

    def cursor(self, at, shard=0, store=None):
        return self.client.get_cursor(self.project, store or self.store, shard, at).get_cursor()

    def pulled(self, shard=0, store=None):
        """All logs of a shard, from its beginning to its present end."""
        store = store or self.store
        pulls = self.client.pull_log(self.project, store, shard, 'begin', 'end')
        return [log for pull in pulls for log in pull.get_flatten_logs_json()]

    def pulled_everywhere(self, store=None):
        return [log for shard in self.shard_ids(store) for log in self.pulled(shard, store)]
