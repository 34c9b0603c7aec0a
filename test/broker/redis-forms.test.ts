import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { BrokerDownError } from '#broker'
import { SetupError } from '#lib/errors'
import { temporaryFolder } from '../support/folder.ts'
import { freePort } from '../support/port.ts'
import { redisMissing, type TestRedis, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { broker, ignore, note, noteQueue } from './server.ts'

describe.skipIf(redisMissing() !== undefined)('forms of Redis', () => {
  test('Q10: one that evicts keys is refused at the start, by name', async () => {
    await using redis = await server({ 'maxmemory-policy': 'allkeys-lru' })
    await using one = open(redis.url)
    await expect(one.verify()).rejects.toThrow('maxmemory-policy allkeys-lru: it must be noeviction')
    await expect(one.verify()).rejects.toBeInstanceOf(SetupError)
  })

  test('one that is too old is refused at the start, by its version', async () => {
    const info = 'redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\n'
    const old = Bun.listen({
      ...{ hostname: '127.0.0.1', port: 0 },
      socket: {
        data(socket, bytes) {
          for (const [, name] of bytes.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm))
            socket.write(name?.toLowerCase() === 'info' ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
        },
      },
    })
    await using one = open(`redis://127.0.0.1:${old.port}`)
    await expect(one.verify()).rejects.toThrow('Redis 5.0.14 is too old: 6.2 or newer is needed')
    old.stop(true)
  })

  test('a user who may not call CONFIG can work; one who may not even ask INFO gets a warning', async () => {
    await using redis = await server()
    acl(redis, 'jobs on >secret ~* &* +@all -config')
    acl(redis, 'blind on >secret ~* &* +@all -config -info')
    await using one = open(redis.url.replace('redis://', 'redis://jobs:secret@'))
    await one.verify()
    await runsOne(one)
    await using two = open(redis.url.replace('redis://', 'redis://blind:secret@'))
    await two.verify()
  })

  test('one that asks for a password says so', async () => {
    await using redis = await server({ requirepass: 'secret' })
    await using one = open(redis.url)
    await expect(one.verify()).rejects.toBeInstanceOf(BrokerDownError)
    await expect(one.verify()).rejects.toThrow('NOAUTH')
  })

  test('what was accepted survives kill -9 of Redis, with its append-only file', async () => {
    await using redis = await server()
    await using one = open(redis.url)
    const queue = noteQueue()
    const producer = one.producer(queue)
    const ids = Array.from({ length: 50 }, (_, n) => `job-${n}`)
    await Promise.all(ids.map((id) => producer.enqueue(note(id), { id })))
    const ran = new Set<string>()
    one.consume(queue, async (_, { id }) => void ran.add(id), { onError: ignore })
    for (let time = 0; time < 3; time += 1) {
      await redis.kill()
      await redis.restart()
    }
    await until('all have run', () => ran.size === 50, { ms: 25_000 })
  }, 40_000)

  test('a Redis that is full is an outage to producers, and workers do not spin on it', async () => {
    await using redis = await server({ maxmemory: '3mb' })
    await using one = open(redis.url)
    const queue = noteQueue()
    const told: unknown[] = []
    one.consume(queue, async () => {}, { onError: (error) => told.push(error) })
    const fill = async () => {
      for (let n = 0; ; n += 1) await one.producer(queue).enqueue(note('x'.repeat(100_000)), { id: `f-${n}` })
    }
    one.consume(noteQueue(), async () => {}, { onError: (error) => told.push(error) })
    await expect(fill()).rejects.toBeInstanceOf(BrokerDownError)
    await Bun.sleep(1_000) // what is told in a second is the thing tested
    expect(told.length).toBeLessThan(10)
  }, 20_000)

  test('a cluster', async () => {
    await using redis = await server({ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' })
    Bun.spawnSync(['redis-cli', '-p', `${redis.port}`, 'cluster', 'addslotsrange', '0', '16383'])
    await using one = open(redis.url.replace('redis:', 'redis+cluster:'))
    await until('the cluster is there', () => one.verify().then(yes, no))
    await runsOne(one)
  }, 20_000)

  test('sentinels', async () => {
    await using redis = await server()
    const port = freePort()
    const config = join(temporaryFolder(), 'sentinel.conf')
    await Bun.write(config, `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${redis.port} 1\n`)
    const sentinel = Bun.spawn(['redis-server', config, '--sentinel'], { stdout: 'ignore' })
    await using one = open(`redis+sentinel://127.0.0.1:${port}/main`)
    await until('the sentinel is there', () => one.verify().then(yes, no))
    await runsOne(one)
    sentinel.kill()
    await sentinel.exited
  }, 20_000)
})

function acl(redis: TestRedis, user: string): void {
  Bun.spawnSync(['redis-cli', '-p', `${redis.port}`, 'acl', 'setuser', ...user.split(' ')])
}

const yes = () => true
const no = () => false

async function runsOne(one: ReturnType<typeof open>): Promise<void> {
  const queue = noteQueue()
  const ran: string[] = []
  one.consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
  await one.producer(queue).enqueue(note('x'), { id: 'one' })
  await until('it has run', () => ran.length === 1)
}

function open(url: string) {
  const one = broker(url)
  return { ...one, [Symbol.asyncDispose]: () => one.close(100) }
}

async function server(settings: Record<string, string> = {}): Promise<TestRedis & AsyncDisposable> {
  const redis = await testRedis(settings)
  return Object.assign(redis, { [Symbol.asyncDispose]: () => redis.stop() })
}
