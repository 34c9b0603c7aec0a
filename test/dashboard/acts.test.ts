import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { browserMissing } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { type Browsing, broken, mocked, openBrowsing } from './browsing.ts'
import { plantJob } from './rows.ts'
import type { Site } from './site.ts'

const missing = browserMissing()

describe.skipIf(missing !== undefined)(
  `what is done on the pages, in Chromium${missing ? ` (${missing})` : ''}`,
  () => {
    let browsing: Browsing
    let site: Site

    beforeAll(async () => {
      browsing = await openBrowsing()
      site = browsing.site
    }, 90_000)

    afterAll(() => browsing.close(), 30_000)

    test('a failed job is among the dead letters, is tried again, and sent anew with another input', async () => {
      const id = await browsing.submit({ kind: 'http-request', input: broken, attempts: 1 })
      const page = await browsing.visit(`/queues/jobs/${id}`)
      await page.locator('.head .s-failed').waitFor()
      await page.locator('nav a[href="/queues/dead"]').click()
      await page.locator('td.bad').first().waitFor()
      await page.goto(`${site.url}/queues/jobs/${id}`)
      await page.getByRole('button', { name: 'Retry' }).click()
      await page.getByText('It runs again').waitFor()
      await until('it has run again', async () => {
        const [row] = await site.sql<
          { n: number }[]
        >`select count(*)::int as n from job_attempts where job_id = ${id}`
        return row?.n === 2
      })
      await page.getByRole('button', { name: 'Edit and resubmit' }).click()
      await page.getByLabel('Input').fill(JSON.stringify(mocked))
      await page.getByRole('button', { name: 'Submit', exact: true }).click()
      await page.waitForURL((url) => url.pathname.startsWith('/queues/jobs/') && !url.pathname.endsWith(id))
      await page.locator('.head .s-succeeded').waitFor()
      const made = page.url().split('/').at(-1)
      const deeds = await site.sql`
        select detail->>'as' as made from audit_log where action = 'job.resubmit' and subject = ${`job:${id}`}`
      expect([...deeds]).toEqual([{ made }])
      await page.context().close()
    }, 60_000)

    test('several jobs are marked and cancelled', async () => {
      for (const tag of ['later', 'later']) {
        await browsing.submit({ kind: 'http-request', input: mocked, delay: 3_600, tags: [tag] })
      }
      const page = await browsing.visit('/queues/jobs?tag=later')
      await page.getByLabel('Select all that are shown').check()
      await page.getByText('2 selected').waitFor()
      await page.getByRole('button', { name: 'Cancel jobs' }).click()
      await page.getByText('2 cancelled').waitFor()
      await until('both are', async () => (await page.locator('td .s-cancelled').count()) === 2)
      await page.context().close()
    }, 60_000)

    test('Q6: all that match a filter are cancelled at a rate, with progress', async () => {
      for (let n = 0; n < 60; n += 1) {
        await plantJob(site.sql, {
          state: 'scheduled',
          tags: ['many'],
          run_at: new Date(Date.now() + 3_600_000),
        })
      }
      const page = await browsing.visit('/queues/jobs?tag=many&state=scheduled')
      await page.getByLabel('Select all that are shown').check()
      await page.getByRole('button', { name: 'Select all 60 that match' }).click()
      await page.getByRole('button', { name: 'Cancel jobs' }).click()
      await page.getByLabel('Jobs a second').fill('20')
      await page.getByRole('button', { name: 'Cancel 60' }).click()
      await page.locator('.bulks progress').waitFor()
      await page.locator('.bulks').waitFor({ state: 'detached' })
      await page.getByText('No job is like that').waitFor()
      const [left] = await site.sql<{ n: number }[]>`
      select count(*)::int as n from jobs where tags = '{many}' and state = 'cancelled'`
      expect(left?.n).toBe(60)
      await page.context().close()
    }, 60_000)

    test('a queue is paused and limited by an operator, who is then on record', async () => {
      const page = await browsing.visit('/queues/q/webhooks')
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.locator('.head .s-paused').waitFor()
      await page.getByRole('button', { name: 'Limits' }).click()
      await page.getByLabel('At once, over all workers').fill('3')
      await page.getByRole('button', { name: 'Set' }).click()
      await page.getByText('3 at once').waitFor()
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.locator('.head .s-paused').waitFor({ state: 'detached' })
      await page.locator('nav a[href="/queues/audit"]').click()
      await page.getByRole('cell', { name: 'queue.limits' }).waitFor()
      await page.context().close()
    }, 60_000)

    test('Q8: who may only read is offered nothing to do', async () => {
      const [job] = await site.sql<{ id: string }[]>`select id from jobs order by id limit 1`
      const page = await browsing.visit('/queues/q/webhooks', { key: await site.keyWith(['read']) })
      await page.getByText('Read only').waitFor()
      for (const path of [
        '/queues/q/webhooks',
        '/queues/jobs',
        `/queues/jobs/${job?.id}`,
        '/queues/alerts',
      ]) {
        await page.goto(`${site.url}${path}`)
        await page.locator('main h1').waitFor()
        expect([path, await page.locator('main .actions button').count()]).toEqual([path, 0])
      }
      expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0)
      await page.context().close()
    }, 60_000)

    test('a schedule is paused, and goes on again', async () => {
      const job = { kind: 'http-request', input: mocked, tags: ['yearly'] }
      await site.ask('POST', '/api/schedules', { name: 'yearly', cron: '0 4 1 1 *', job })
      const page = await browsing.visit('/queues/schedules')
      await page.getByText('yearly').first().waitFor()
      await page.getByRole('button', { name: 'Pause', exact: true }).click()
      await page.locator('td .s-paused').waitFor()
      await page.getByRole('button', { name: 'Resume', exact: true }).click()
      await page.locator('td .s-paused').waitFor({ state: 'detached' })
      await page.context().close()
    }, 60_000)

    test('a webhook whose receiver is gone is shown so, and can be asked again', async () => {
      const rule = { queue: 'jobs', measure: 'backlog', threshold: 1e6, webhook_url: 'http://127.0.0.1:9/x' }
      const { id } = await site.ask<{ id: string }>('POST', '/api/queues/alerts', rule)
      await site.sql`update queue_alert_rules set webhook_error = 'it is gone' where id = ${id}`
      const page = await browsing.visit('/queues/alerts')
      await page.getByText('Webhook off: it is gone').waitFor()
      await page.getByRole('button', { name: 'Webhook on' }).click()
      await page.getByText('Webhook off: it is gone').waitFor({ state: 'detached' })
      await page.context().close()
    }, 60_000)
  },
)
