import { describe, expect, test } from 'bun:test'
import { parseRedisUrl } from '../../src/broker/redis-address.ts'

describe('a Redis URL', () => {
  test('names one server, with defaults', () => {
    const expected = { form: 'single', nodes: [{ host: 'cache', port: 6379 }], master: '', db: 0, tls: false }
    expect(parseRedisUrl('redis://cache')).toEqual({ ...expected, form: 'single' })
  })

  test('carries user, password, port, database and TLS', () => {
    expect(parseRedisUrl('rediss://us%40er:p%3Ass@[::1]:7000/3')).toEqual({
      form: 'single',
      nodes: [{ host: '::1', port: 7000 }],
      master: '',
      db: 3,
      tls: true,
      username: 'us@er',
      password: 'p:ss',
    })
  })

  test('names sentinels and their master', () => {
    const url = 'redis+sentinel://:pw@s1/mymaster/2?nodes=s2:26380,s3&nodes=s4&sentinel_password=other'
    expect(parseRedisUrl(url)).toEqual({
      form: 'sentinel',
      nodes: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
        { host: 's3', port: 26379 },
        { host: 's4', port: 26379 },
      ],
      master: 'mymaster',
      db: 2,
      tls: false,
      password: 'pw',
      sentinelPassword: 'other',
    })
  })

  test('names the nodes of a cluster', () => {
    const { form, nodes, tls } = parseRedisUrl('rediss+cluster://n1:7001?nodes=n2:7002')
    expect({ form, nodes, tls }).toEqual({
      form: 'cluster',
      nodes: [
        { host: 'n1', port: 7001 },
        { host: 'n2', port: 7002 },
      ],
      tls: true,
    })
  })

  test.each([
    ['mysql://h', 'must be redis://'],
    ['redis:///0', 'with a host'],
    ['redis+sentinel://h:26379', 'must name the master'],
    ['redis+cluster://h/1', 'no database but 0'],
    ['redis://h/one', '"one" is not a database number'],
    ['redis+cluster://h?nodes=a:b:c', '"a:b:c" is not host:port'],
  ])('%s is refused', (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason)
  })

  test('a refusal never shows the password', () => {
    expect(() => parseRedisUrl('redis://:hush@h/one')).not.toThrow('hush')
  })
})
