import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { browserMissing } from '../support/browser.ts'
import { type Browsing, openBrowsing } from './browsing.ts'
import type { Site } from './site.ts'

const missing = browserMissing()

describe.skipIf(missing !== undefined)(`sessions in Chromium${missing ? ` (${missing})` : ''}`, () => {
  let browsing: Browsing
  let site: Site

  beforeAll(async () => {
    browsing = await openBrowsing()
    site = browsing.site
  }, 90_000)

  afterAll(() => browsing.close(), 30_000)

  /** What the browser says of answers that are meant to be errors. */
  const expected = /401|Failed to load resource|ERR_/

  test('Q8: who is logged out cannot go on with a copy of the cookie', async () => {
    const page = await browsing.visit('/queues')
    const [cookie] = await page.context().cookies()
    const read = () =>
      fetch(`${site.url}/api/queues`, { headers: { cookie: `${cookie?.name}=${cookie?.value}` } })
    expect((await read()).status).toBe(200)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.locator('input[name=key]').waitFor()
    expect((await read()).status).toBe(401)
    await page.context().close()
  }, 60_000)

  test('a page whose key was revoked says that its session is over', async () => {
    const { id, key } = await site.ask<{ id: string; key: string }>('POST', '/api/keys', { scopes: ['read'] })
    const opened = await browsing.browser.page()
    const { page } = opened
    await page.goto(`${site.url}/queues/jobs`)
    await page.fill('input[name=key]', key)
    await page.click('button[type=submit]')
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    await site.ask('DELETE', `/api/keys/${id}`)
    await page.getByText('The session is over').waitFor()
    expect(opened.complaints.filter((text) => !expected.test(text))).toEqual([])
    await page.context().close()
  }, 60_000)

  test('a page that cannot reach the gateway says so, and goes on when it can', async () => {
    const opened = await browsing.browser.page()
    const { page } = opened
    await page.route('**/api/me', (route) => route.abort())
    await page.goto(`${site.url}/queues`)
    await page.getByText('The gateway does not answer').waitFor()
    await page.unroute('**/api/me')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('input[name=key]').waitFor()
    expect(opened.complaints.filter((text) => !expected.test(text))).toEqual([])
    await page.context().close()
  }, 60_000)

  test('a key that may not even look is told so, and can give way to another', async () => {
    const page = await browsing.visit('/queues', { key: await site.keyWith(['call']) })
    await page.getByText('This key lacks the scope read').waitFor()
    await page.getByRole('button', { name: 'Use another key' }).click()
    await page.locator('input[name=key]').waitFor()
    await page.context().close()
  }, 60_000)
})
