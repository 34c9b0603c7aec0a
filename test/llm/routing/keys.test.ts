import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { newId } from '#lib/ids'
import { openVault } from '#lib/vault'
import { insertKey } from '../../../src/llm/routing/queries.ts'
import { keyContext } from '../../../src/llm/routing/routing.ts'
import type { Reply, Seen } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway, said } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway
afterEach(() => gateway?.stop())

const call = () => fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: said })
const keysOf = (seen: readonly Seen[] = []) => seen.map((one) => one.header('x-api-key'))

/** Lets in who does not carry a key that begins so. */
const refusing = (bad: string, status: number) => (reply: Reply, seen: Seen) =>
  seen.header('x-api-key')?.startsWith(bad) ? reply.answer(status, {}, '{}') : reply.answer(200, {}, '{}')

test.each([429, 401])(
  'after %d the next key of the same provider is used, and the first rests',
  async (status) => {
    gateway = await routedGateway([refusing('x', 500), refusing('bad', status)])
    const { sql } = gateway.database
    for (const key of ['bad-key-of-one', 'good-key-of-one']) await plant('one', key)
    await gateway.route('one', { candidates: [{ provider: 'one' }] })
    const ring = gateway.providers.find('one')?.keys
    expect(ring?.size).toBe(3)
    for (let n = 0; n < 6; n += 1) expect((await call()).status).toBe(200)
    const used = keysOf(gateway.others[0]?.seen)
    expect(used.filter((key) => key === 'bad-key-of-one')).toHaveLength(1)
    expect(new Set(used)).toEqual(new Set(['sk-one', 'bad-key-of-one', 'good-key-of-one']))
    const resting = ring?.view().filter(({ resting_until }) => resting_until !== null)
    expect(resting).toMatchObject([{ reason: `HTTP ${status}`, source: 'database' }])
    expect(await sql`select 1 from provider_keys where sealed like '%key-of-one%'`).toHaveLength(0)
  },
)

async function plant(provider: string, key: string): Promise<void> {
  const id = newId()
  const sealed = gateway.vault.seal(key, keyContext(provider, id))
  await insertKey(gateway.database.sql, { id, provider, name: '', last4: key.slice(-4), sealed })
  await gateway.routing.refresh()
}

test('a key that another secret sealed is said, and does no harm', async () => {
  gateway = await routedGateway([refusing('x', 500), refusing('x', 500)])
  const id = newId()
  const sealed = openVault('another secret altogether, long enough too').seal(
    'k-123456',
    keyContext('one', id),
  )
  await insertKey(gateway.database.sql, { id, provider: 'one', name: '', last4: '3456', sealed })
  await gateway.route('one', { candidates: [{ provider: 'one' }] })
  expect(gateway.routing.unreadableKeys()).toEqual([{ provider: 'one', id }])
  expect((await call()).status).toBe(200)
})

test('a vault opens only what it sealed, for whom it was sealed', () => {
  const vault = openVault('one secret, which is long enough for a vault')
  const sealed = vault.seal('sk-123', 'openai/1')
  expect(vault.open(sealed, 'openai/1')).toBe('sk-123')
  expect(sealed).not.toContain('sk-123')
  expect(vault.seal('sk-123', 'openai/1')).not.toBe(sealed)
  expect(() => vault.open(sealed, 'openai/2')).toThrow()
  expect(() => vault.open(`${sealed.slice(0, -2)}xx`, 'openai/1')).toThrow()
  expect(() => openVault('two').open(sealed, 'openai/1')).toThrow()
})

test('who has no Sluice key does not spend the gateway’s own, unless the rule says so', async () => {
  gateway = await routedGateway([refusing('x', 500), refusing('x', 500)], { passThrough: true })
  await gateway.route('all', { candidates: [{ provider: 'one' }] })
  const refused = await call()
  expect(refused.status).toBe(401)
  expect(await refused.text()).toContain('send a Sluice key')
  await gateway.route('all', { candidates: [{ provider: 'one' }], guests: true })
  expect((await call()).status).toBe(200)
})
