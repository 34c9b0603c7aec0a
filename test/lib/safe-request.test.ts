import { expect, test } from 'bun:test'
import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { checkedUrl, isPrivate, safeRequest } from '#lib/safe-request'

test.each([
  ...['127.0.0.1', '0x7f.1', '2130706433', '10.1.2.3', '169.254.169.254', '[::1]', '[::]', '[fd00::1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:10.0.0.1]', '[fe80::1]', 'localhost', 'a.localhost', 'localhost.'],
])('http://%s/ is an address of this machine or its network', (host) => {
  expect(() => checkedUrl(`http://${host}/`, false)).toThrow('PRIVATE_ADDRESSES')
  expect(checkedUrl(`http://${host}/`, true).protocol).toBe('http:')
})

test('addresses of the Internet pass', () => {
  for (const host of ['8.8.8.8', '[2606:4700::1111]', '[::ffff:8.8.8.8]', 'example.com'])
    expect(checkedUrl(`https://${host}/`, false).protocol).toBe('https:')
})

/** A name of this machine that nothing but asking for its address gives away. */
const own = await lookup(hostname()).then(
  ({ address }) => (isPrivate(address) ? hostname() : null),
  () => null,
)

test.skipIf(own === null)(
  'a name that leads to this machine is refused before anything is sent',
  async () => {
    let asked = 0
    const server = Bun.serve({
      port: 0,
      fetch() {
        asked += 1
        return new Response('here')
      },
    })
    const request = { url: `http://${own}:${server.port}/`, method: 'GET' as const }
    await expect(safeRequest({ ...request, allowPrivate: false })).rejects.toThrow('PRIVATE_ADDRESSES')
    expect(asked).toBe(0)
    expect((await safeRequest({ ...request, allowPrivate: true })).text).toBe('here')
    await server.stop(true)
  },
)
