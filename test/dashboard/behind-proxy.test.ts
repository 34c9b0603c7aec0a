import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Site, startSite } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await startSite(['upkeep'], { TRUSTED_PROXIES: '127.0.0.1' })
}, 60_000)
afterAll(() => site.stop(), 30_000)

/** As a balancer on this machine passes it on: what the client claims, and then who it is. */
const login = async (address: string, key: string, claims = '1.1.1.1') =>
  await fetch(`${site.url}/api/login`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
      'sluice-csrf': '1',
      'x-forwarded-for': `${claims}, ${address}`,
    },
    body: JSON.stringify({ key }),
  })

test('behind a balancer logins are counted by client, whatever it claims, and the audit has its address', async () => {
  for (let n = 0; n < 20; n += 1)
    expect((await login('203.0.113.5', 'sk-sluice-wrong', `1.1.1.${n}`)).status).toBe(401)
  expect((await login('203.0.113.5', site.adminKey, '9.9.9.9')).status).toBe(429)
  expect((await login('203.0.113.6', site.adminKey, '203.0.113.5')).status).toBe(200)
  const { items } = await site.ask<{ items: { action: string; address: string }[] }>('GET', '/api/audit')
  expect(items.find(({ action }) => action === 'login')?.address).toBe('203.0.113.6')
})
