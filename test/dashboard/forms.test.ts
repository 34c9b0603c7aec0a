import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { Webhook } from 'standardwebhooks'
import { browserMissing } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { type Browsing, mocked, openBrowsing } from './browsing.ts'
import { plantJob } from './rows.ts'
import type { Site } from './site.ts'

const missing = browserMissing()

/** What the browser says of a save that is meant to be refused. */
const expects = /status of 422/

describe.skipIf(missing !== undefined)(`forms in Chromium${missing ? ` (${missing})` : ''}`, () => {
  let browsing: Browsing
  let site: Site

  beforeAll(async () => {
    browsing = await openBrowsing()
    site = browsing.site
  }, 90_000)

  afterAll(() => browsing.close(), 30_000)

  const cursorOn = (page: Page) => page.evaluate<string>('document.activeElement.tagName')
  const deeds = async (of: string) => {
    const rows = await site.sql<{ action: string }[]>`
      select action from audit_log where starts_with(action, ${of}) order by id`
    return rows.map(({ action }) => action)
  }
  const schedules = async () => (await site.ask<{ items: Schedule[] }>('GET', '/api/schedules')).items
  type Schedule = { name: string; cron: string; time_zone: string; enabled: boolean; upcoming: string[] }

  test('a schedule is made with the keyboard alone; refused, it keeps what was typed and says where it is wrong', async () => {
    const page = await browsing.visit('/queues/schedules', { expects })
    await page.getByRole('button', { name: 'New schedule' }).focus()
    await page.keyboard.press('Enter')
    await page.getByLabel('Name').waitFor()
    await page.getByLabel('Name').focus()
    await page.keyboard.type('Nightly')
    await page.getByLabel('Cron', { exact: true }).fill('99 3 * * *')
    await page.getByLabel('Time zone').fill('Asia/Tokyo')
    await page.locator('.times', { hasText: 'expected range 0-59' }).waitFor()
    await page.getByLabel('Kind of job').selectOption('http-request')
    await page.getByLabel('Input, as JSON').fill('{"path": 5}')
    await page.getByLabel('Name').focus()
    await page.keyboard.press('Enter')
    const wrong = page.locator('[aria-invalid=true]')
    await wrong.waitFor()
    const cursor = () => page.evaluate<string>('document.activeElement.name')
    expect([await wrong.getAttribute('name'), await cursor()]).toEqual(['cron', 'cron'])
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('15 3 * * *')
    expect(await wrong.count()).toBe(0)
    await page.locator('.times li', { hasText: '03:15:00' }).nth(4).waitFor()
    await page.keyboard.press('Enter')
    await until('the input has the cursor', async () => (await cursor()) === 'job/input')
    expect(await page.locator('.wrong').textContent()).toContain('path: ')
    expect(await page.getByLabel('Name').inputValue()).toBe('Nightly')
    // A number that no double holds: it goes as it was typed, and the server says so.
    const input = JSON.stringify(mocked).replace('"max_tokens":20', '"max_tokens":12345678901234567890')
    await page.getByLabel('Input, as JSON').fill(input)
    await page.getByRole('button', { name: 'Schedule it' }).press('Enter')
    await page.locator('.wrong', { hasText: 'max_tokens' }).waitFor()
    await page.getByLabel('Input, as JSON').fill(JSON.stringify(mocked))
    await page.getByRole('button', { name: 'Schedule it' }).press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('New schedule')
    const [made] = await schedules()
    expect(made).toMatchObject({
      name: 'Nightly',
      cron: '15 3 * * *',
      time_zone: 'Asia/Tokyo',
      enabled: true,
    })
    expect(made?.upcoming[0]).toEndWith('T18:15:00.000Z')
    await page.context().close()
  }, 60_000)

  test('it is changed, paused, run now and removed', async () => {
    const page = await browsing.visit('/queues/schedules')
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    await button('Edit').click()
    expect(await page.getByLabel('Cron', { exact: true }).inputValue()).toBe('15 3 * * *')
    await page.getByLabel('Cron', { exact: true }).fill('@hourly')
    await button('Save').click()
    await page.locator('td.wide', { hasText: '@hourly, Asia/Tokyo' }).waitFor()
    await button('Pause').click()
    await page.locator('.s-paused').waitFor()
    expect((await schedules())[0]).toMatchObject({ cron: '@hourly', enabled: false })
    await button('Run now').click()
    await page.waitForURL(/\/queues\/jobs\/.+/)
    await page.locator('.head .s-succeeded').waitFor()
    await page.goto(`${site.url}/queues/schedules`)
    await button('Remove').click()
    await button('Cancel').click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Remove')
    await button('Remove').press('Enter')
    await button('Remove it').click()
    await page.getByText('Nothing is scheduled').waitFor()
    // The button that had the cursor is no more.
    await until('the page has the cursor', async () => (await cursorOn(page)) === 'MAIN')
    expect(await deeds('schedule.')).toEqual([
      ...['schedule.create', 'schedule.change', 'schedule.change', 'schedule.run', 'schedule.delete'],
    ])
    await page.context().close()
  }, 60_000)

  test('a rule is made, changed, tried with a real webhook and removed', async () => {
    const told: { headers: Headers; body: string }[] = []
    await using receiver = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        told.push({ headers: request.headers, body: await request.text() })
        return new Response(null, { status: request.url.endsWith('/gone') ? 410 : 204 })
      },
    })
    const page = await browsing.visit('/queues/alerts', { expects })
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    await button('New rule').click()
    const webhook = page.getByLabel('Webhook, if any')
    await webhook.fill('http://somebody:secret@example.org/')
    await button('Watch').click()
    await page.locator('[name=webhook_url][aria-invalid=true]').waitFor()
    await webhook.fill(`${receiver.url}told`)
    await button('Watch').click()
    const secret = (await page.locator('dialog pre').textContent()) ?? ''
    await button('Close').click()
    await button('Test').click()
    await page.getByText('its receiver has taken it').waitFor()
    const [first] = told
    const sent = new Webhook(secret).verify(first?.body ?? '', Object.fromEntries(first?.headers ?? []))
    expect(sent).toMatchObject({ type: 'queue.alert.test', data: { queue: 'jobs', measure: 'backlog' } })
    await button('Edit').click()
    await page.getByLabel('Jobs', { exact: true }).fill('7')
    await webhook.fill(`${receiver.url}gone`)
    await button('Save').click()
    await button('Close').click()
    await page.getByText('more than 7 wait').waitFor()
    await button('Test').click()
    await page.getByText('the receiver answered 410').waitFor()
    await button('Remove').click()
    await button('Remove it').click()
    await page.getByText('No rule yet').waitFor()
    expect(await deeds('alert.')).toEqual([
      ...['alert.create', 'alert.test', 'alert.change', 'alert.test', 'alert.delete'],
    ])
    await page.context().close()
  }, 60_000)

  test('who may only read sees all of it, and no button that changes anything', async () => {
    const job = { kind: 'http-request', input: mocked }
    await site.ask('POST', '/api/schedules', { name: 'seen', every: 3_600, enabled: false, job })
    await site.ask('POST', '/api/queues/alerts', { queue: 'jobs', measure: 'backlog', threshold: 5 })
    const page = await browsing.visit('/queues/schedules', { key: await site.keyWith(['read']) })
    await page.locator('td.wide', { hasText: 'every 1 h' }).waitFor()
    expect(await page.locator('main button').count()).toBe(0)
    await page.keyboard.press('5')
    await page.getByText('more than 5 wait').waitFor()
    expect(await page.locator('main button').count()).toBe(0)
    await page.context().close()
  }, 60_000)

  test('an operator who may not call is offered nothing that needs it, and is told so', async () => {
    const id = await plantJob(site.sql, { state: 'failed', error: 'a reason', input: { a: 1 } })
    const page = await browsing.visit(`/queues/jobs/${id}`, { key: await site.keyWith(['read', 'operator']) })
    await page.getByRole('button', { name: 'Remove' }).waitFor()
    expect(await page.locator('main button').count()).toBe(1)
    await page.goto(`${site.url}/queues/schedules`)
    await page.getByText('lacks the scope call').waitFor()
    expect(await page.locator('main button').count()).toBe(0)
    await page.goto(`${site.url}/queues/nowhere`)
    await page.getByText('There is no such page').waitFor()
    await page.context().close()
  }, 60_000)
})
