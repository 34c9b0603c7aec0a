import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { browserMissing } from '../support/browser.ts'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { type Browsing, mocked, openBrowsing } from './browsing.ts'
import { plantJob } from './rows.ts'
import type { Site } from './site.ts'

const missing = browserMissing()

describe.skipIf(missing !== undefined)(`the pages in Chromium${missing ? ` (${missing})` : ''}`, () => {
  let browsing: Browsing
  let site: Site

  beforeAll(async () => {
    browsing = await openBrowsing()
    site = browsing.site
  }, 90_000)

  afterAll(() => browsing.close(), 30_000)

  test('Q8: without a key there is nothing to see; with a wrong one there is the reason', async () => {
    const { page, complaints } = await browsing.browser.page()
    await page.goto(`${site.url}/queues/jobs`)
    await page.fill('input[name=key]', 'sk-sluice-wrong')
    await page.click('button[type=submit]')
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('does not exist')
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
    await page.fill('input[name=key]', site.adminKey)
    await page.click('button[type=submit]')
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.locator('input[name=key]').waitFor()
  }, 60_000)

  test('all queues are there, those of the system included, and open in a second and a half', async () => {
    const page = await browsing.visit('/queues')
    await page.getByRole('link', { name: /^upkeep/ }).waitFor()
    const names = await page.locator('.queues .name').allTextContents()
    expect(names).toEqual(['jobs', 'logging', 'classification', 'webhooks', 'upkeep'])
    await promptly('the page is open', 1_500, async () => {
      await page.reload()
      await page.getByRole('link', { name: /^upkeep/ }).waitFor()
    })
    await page.context().close()
  }, 60_000)

  test('a job is seen while it happens, with its result, its log and its exchange', async () => {
    const page = await browsing.visit('/queues/jobs')
    await page.getByText('No job yet').waitFor()
    const id = await browsing.submit({ kind: 'http-request', input: mocked, tags: ['shown'] })
    const link = page.locator(`a[href="/queues/jobs/${id}"]`)
    await link.waitFor()
    await link.click()
    await page.locator('.head .s-succeeded').waitFor()
    expect(await page.locator('.card', { hasText: 'Input' }).first().textContent()).toContain(
      '/p/mock/v1/messages',
    )
    expect(await page.locator('.card', { hasText: 'Result' }).last().textContent()).toContain('"status": 200')
    await page.locator('.timeline .s-succeeded').first().waitFor()
    await page.locator('.log .state').first().waitFor()
    await page.context().close()
  }, 60_000)

  test('filters are in the address, survive a reload, and find a job by its words', async () => {
    const id = await browsing.submit({
      kind: 'http-request',
      input: { ...mocked, headers: { 'x-request': 'findme-4711' } },
    })
    const page = await browsing.visit('/queues/jobs')
    await page.getByLabel('Search').fill('findme-4711')
    await page.waitForURL(/q=findme-4711/)
    await page.locator(`a[href="/queues/jobs/${id}"]`).waitFor()
    await until('the others are gone', async () => (await page.locator('tbody tr').count()) === 1)
    await page.getByRole('button', { name: 'failed', exact: true }).click()
    await page.waitForURL(/state=failed/)
    await page.getByText('No job is like that').waitFor()
    await page.reload()
    await page.getByText('No job is like that').waitFor()
    expect(await page.getByRole('button', { name: 'failed', exact: true }).getAttribute('aria-pressed')).toBe(
      'true',
    )
    await page.getByRole('button', { name: 'Clear' }).click()
    await until('the query is gone', () => !page.url().includes('?'))
    await page.context().close()
  }, 60_000)

  test('the keyboard goes everywhere', async () => {
    await browsing.submit({ kind: 'http-request', input: mocked })
    const page = await browsing.visit('/queues')
    await page.keyboard.press('2')
    await page.waitForURL(/\/queues\/jobs$/)
    await page.locator('tbody tr').first().waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    await page.keyboard.type('x')
    expect(await page.getByLabel('Search').inputValue()).toBe('x')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.locator('tr.on[data-row="0"]').waitFor()
    await page.keyboard.press('x')
    await page.getByText('1 selected').waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/queues\/jobs\/.+/)
    await page.locator('.head .badge').first().waitFor()
    await page.keyboard.press('Escape')
    await page.waitForURL(/\/queues\/jobs$/)
    await page.context().close()
  }, 60_000)

  test('Q7: a job of 5 MB opens with the beginning, and gives the whole as a download', async () => {
    const id = await plantJob(site.sql, { state: 'succeeded', input: { text: 'x'.repeat(5_000_000) } })
    const page = await browsing.visit(`/queues/jobs/${id}`)
    await page.getByText('the beginning is shown').waitFor()
    expect((await page.content()).length).toBeLessThan(150_000)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).first().click(),
    ])
    expect(download.suggestedFilename()).toBe(`${id}-input.json`)
    expect((await Bun.file(await download.path()).text()).length).toBe(5_000_011)
    await page.context().close()
  }, 60_000)

  test('dark, on a phone and on a desk, no page is wider than the screen', async () => {
    const phone = { width: 390, height: 844 }
    const page = await browsing.visit('/queues', { viewport: phone, colorScheme: 'dark' })
    const error = `a reason without any space in it: ${'x'.repeat(200)}`
    const id = await plantJob(site.sql, {
      state: 'failed',
      error,
      tags: [`nightly:${'t'.repeat(50)}`],
      input: { text: 'y'.repeat(500) },
      stack: error,
    })
    const job = { kind: 'http-request', input: mocked }
    const time_zone = 'America/Argentina/Buenos_Aires'
    await site.ask('POST', '/api/schedules', { name: 'z'.repeat(60), cron: '0 4 * * *', time_zone, job })
    await site.ask('POST', '/api/queues/alerts', {
      ...{ queue: 'jobs', measure: 'backlog', threshold: 1e6, name: 'مرحبا 🎉'.repeat(20) },
      webhook_url: `http://127.0.0.1:9/${'h'.repeat(150)}`,
    })
    for (const path of [
      '',
      '/q/jobs',
      '/q/webhooks',
      '/jobs',
      `/jobs/${id}`,
      '/dead',
      '/schedules',
      '/alerts',
      '/audit',
    ]) {
      await page.goto(`${site.url}/queues${path}`)
      await page.locator('main h1').waitFor()
      await page.locator('.loading').waitFor({ state: 'detached' })
      for (const size of [phone, { width: 1280, height: 800 }]) {
        await page.setViewportSize(size)
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
        expect([path, wide]).toEqual([path, size.width])
      }
    }
    await page.context().close()
  }, 60_000)

  test('Q8: ten tabs of one browser are all live, over one stream', async () => {
    const first = await browsing.visit('/queues/q/upkeep')
    const tabs = [first]
    for (let n = 1; n < 10; n += 1) {
      const tab = await first.context().newPage()
      await tab.goto(`${site.url}/queues/q/upkeep`)
      tabs.push(tab)
    }
    await first.getByRole('button', { name: 'Pause' }).click()
    for (const tab of tabs) await tab.locator('.head .s-paused').waitFor()
    await first.close()
    await tabs[1]?.getByRole('button', { name: 'Resume' }).click()
    for (const tab of tabs.slice(1)) await tab.locator('.head .s-paused').waitFor({ state: 'detached' })
    await tabs[1]?.context().close()
  }, 60_000)

  test('bull-board is there with the same session', async () => {
    const page = await browsing.visit('/queues')
    await page.goto(`${site.url}/queues/board`)
    await page.getByText('webhooks').first().waitFor()
    await page.context().close()
  }, 60_000)
})
