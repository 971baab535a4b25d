// Every call of the Node SDK against the server at SLS_ENDPOINT, whose names of hosts the test that starts this has arranged.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Client from '@alicloud/log'

const [accessKeyId, accessKeySecret] = process.env.ADMIN_KEY.split(/:(.*)/s)
const client = new Client({ accessKeyId, accessKeySecret, endpoint: process.env.SLS_ENDPOINT })
const project = process.env.SLS_PROJECT
const store = 'shop'
// Its own three seconds are few for a machine that runs other tests beside.
const patience = { timeout: 60_000 }
const refused = (code) => (error) => {
  assert.equal(error.code, code, `${error.stack}`)
  return true
}

test('a project, its logstore, its index and its logs', async () => {
  await client.createProject(project, { description: 'by Node' }, patience)
  await assert.rejects(client.createProject(project, { description: '' }, patience), refused('ProjectAlreadyExist'))
  const found = await client.getProject(project, patience)
  assert.deepEqual([found.projectName, found.description, found.status], [project, 'by Node', 'Normal'])

  await logstores()
  await index()
  await logs()

  await client.deleteLogStore(project, store, patience)
  await assert.rejects(client.getLogStore(project, store, patience), refused('LogStoreNotExist'))
  await client.deleteProject(project, patience)
  await assert.rejects(client.getProject(project, patience), refused('ProjectNotExist'))
})

async function logstores () {
  await client.createLogStore(project, store, { ttl: 5, shardCount: 2 }, patience)
  await assert.rejects(client.createLogStore(project, store, { ttl: 5, shardCount: 2 }, patience), refused('LogStoreAlreadyExist'))
  await client.updateLogStore(project, store, { ttl: 8, shardCount: 2 }, patience)
  const found = await client.getLogStore(project, store, patience)
  assert.deepEqual([found.logstoreName, found.ttl, found.shardCount], [store, 8, 2])
  const listed = await client.listLogStore(project, {}, patience)
  assert.deepEqual([listed.logstores, listed.count, listed.total], [[store], 1, 1])
  const paged = await client.listLogStore(project, { logstoreName: 'sh', offset: 1, size: 5 }, patience)
  assert.deepEqual([paged.logstores, paged.count, paged.total], [[], 0, 1])
}

async function index () {
  const line = { token: [' ', ','], caseSensitive: false }
  const typed = (type) => ({ line, keys: { n: { type, doc_value: true } } })
  await assert.rejects(client.getIndexConfig(project, store, patience), refused('IndexConfigNotExist'))
  await client.createIndex(project, store, typed('text'), patience)
  await client.deleteIndex(project, store, patience)
  await assert.rejects(client.getIndexConfig(project, store, patience), refused('IndexConfigNotExist'))
  await client.createIndex(project, store, typed('text'), patience)
  await client.updateIndex(project, store, typed('long'), patience)
  const found = await client.getIndexConfig(project, store, patience)
  assert.deepEqual([found.line.token, found.keys.n.type], [[' ', ','], 'long'])
}

async function logs () {
  const now = Math.floor(Date.now() / 1000)
  const [from, to] = [new Date((now - 600) * 1000), new Date((now + 60) * 1000)]
  const row = (n) => ({ timestamp: now - 5, content: { n: `${n}`, message: `wörter ${n}` } })
  const group = { logs: Array.from({ length: 30 }, (_, n) => row(n)), topic: 'node', source: '10.7.7.7', tags: [{ host: 'h1' }] }
  // Its answer is empty: a promise of JSON in its header would break the client.
  assert.equal(await client.postLogStoreLogs(project, store, group, patience), '')
  await assert.rejects(client.postLogStoreLogs(project, 'nowhere', group, patience), refused('LogStoreNotExist'))

  const found = await client.getLogs(project, store, from, to, { query: 'n >= 28', line: 10, reverse: true }, patience)
  assert.deepEqual(found.map((log) => log.n).sort(), ['28', '29'])
  const log = found.find((log) => log.n === '28')
  assert.deepEqual([log.message, log.__topic__, log.__source__, log['__tag__:host'], log.__time__],
    ['wörter 28', 'node', '10.7.7.7', 'h1', `${now - 5}`])
  const counted = await client.getLogs(project, store, from, to, { query: '* | select count(*) as c, sum(n) as s' }, patience)
  assert.deepEqual(counted.map(({ c, s }) => ({ c, s })), [{ c: '30', s: '435' }])
  const bars = await client.getHistograms(project, store, from, to, { query: '*', topic: 'node' }, patience)
  assert.equal(bars.reduce((sum, bar) => sum + bar.count, 0), 30)
  const query = `select count(*) as c from ${store} where __time__ > ${now - 600} and __time__ < ${now + 60}`
  const overall = await client.getProjectLogs(project, { query }, patience)
  assert.deepEqual(overall.map(({ c }) => c), ['30'])
}

test('a secret that is not the right one', async () => {
  const stranger = new Client({ accessKeyId, accessKeySecret: `${accessKeySecret}x`, endpoint: process.env.SLS_ENDPOINT })
  await assert.rejects(stranger.getProject(project, patience), refused('SignatureNotMatch'))
})
