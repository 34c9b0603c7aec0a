import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { browserMissing } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { type Browsing, openBrowsing } from './browsing.ts'

const missing = browserMissing()

/** What such a page would do: with a session it would be an operator's doing. */
const attack = (url: string) => `
  fetch('${url}/api/keys', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"scopes":["admin"]}' })
  fetch('${url}/api/keys', { credentials: 'include' }).then((answer) => answer.text()).then((text) => {
    document.title = text
  }, () => {})`

describe.skipIf(missing !== undefined)(
  `an upstream's pages in Chromium${missing ? ` (${missing})` : ''}`,
  () => {
    let browsing: Browsing
    let upstream: ReturnType<typeof Bun.serve>
    let url: string

    beforeAll(async () => {
      upstream = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch(request) {
          const { pathname } = new URL(request.url)
          const [type, body] = pathname.endsWith('.js')
            ? ['text/javascript', `document.title = 'taken'; self.taken = true`]
            : ['text/html', `<title>theirs</title><h1>theirs</h1><script>${attack(url)}</script>`]
          return new Response(body, { headers: { 'content-type': type } })
        },
      })
      browsing = await openBrowsing({ EVIL_BASE_URL: upstream.url.origin, EVIL_API_KEY: 'theirs' })
      url = browsing.site.url
    }, 90_000)

    afterAll(async () => {
      await browsing.close()
      await upstream.stop(true)
    }, 30_000)

    const expects = /sandboxed|403|CORS|blocked|Failed to|MIME|register a ServiceWorker/
    const login = () => browsing.visit('/queues', { expects })
    const askedOfApi = (page: Page) => {
      const statuses: Promise<number>[] = []
      page.on('request', (request) => {
        if (!new URL(request.url()).pathname.startsWith('/api/keys')) return
        statuses.push(request.response().then((answer) => answer?.status() ?? 0))
      })
      return statuses
    }
    const keys = async () => (await browsing.site.ask<{ items: unknown[] }>('GET', '/api/keys')).items.length

    test('opened with a session, it runs nothing and is of no origin', async () => {
      const page = await login()
      const asked = askedOfApi(page)
      const before = await keys()
      await page.goto(`${url}/p/evil/page`)
      await page.getByRole('heading', { name: 'theirs' }).waitFor()
      expect(await page.title()).toBe('theirs')
      expect(await page.evaluate('self.origin')).toBe('null')
      expect([asked.length, await keys()]).toEqual([0, before])
      await page.context().close()
    }, 60_000)

    test('from its own origin, of the same site, its calls with credentials are refused', async () => {
      const page = await login()
      const asked = askedOfApi(page)
      const before = await keys()
      await page.goto(`${upstream.url.origin}/page`)
      await until('both were asked', () => asked.length === 2)
      // 0: the browser keeps from the page even that it was refused.
      expect((await Promise.all(asked)).sort()).toEqual([0, 403])
      expect([await page.title(), await keys()]).toEqual(['theirs', before])
      await page.context().close()
    }, 60_000)

    test('no page of ours takes its scripts, nor a service worker', async () => {
      const page = await login()
      await page.locator('h1').waitFor()
      await expect(page.addScriptTag({ url: '/p/evil/x.js' })).rejects.toThrow()
      const registered = page.evaluate(
        `navigator.serviceWorker.register('/p/evil/sw.js', { scope: '/p/evil/' })`,
      )
      await expect(registered).rejects.toThrow()
      expect(await page.evaluate('self.taken')).toBeUndefined()
      await page.context().close()
    }, 60_000)
  },
)
