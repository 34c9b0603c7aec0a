import { expect } from 'bun:test'
import type { Page } from 'playwright-core'
import { openBrowser, type TestBrowser, type TestPage } from '../support/browser.ts'
import { type Site, startSite } from './site.ts'

export type Browsing = {
  site: Site
  browser: TestBrowser
  /** A page after its login, by default as the administrator. `expects`: complaints of the console that are meant. */
  visit(path: string, options?: Parameters<TestBrowser['page']>[0] & Visiting): Promise<Page>
  /** @returns the id */
  submit(job: unknown): Promise<string>
  /** Fails where a page complained of something, the gateway failed, or another host was asked for anything. */
  close(): Promise<void>
}

type Visiting = { key?: string; expects?: RegExp }

/** Input of an `http-request` that works, and of one that does not. */
export const mocked = {
  path: '/p/mock/v1/messages',
  body: { model: 'mock', max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] },
}
export const broken = { path: '/p/nowhere/v1/messages' }

/** `env`: of its processes, beside what they need. */
export async function openBrowsing(env: Record<string, string> = {}): Promise<Browsing> {
  const site = await startSite(['jobs', 'upkeep', 'webhooks'], env)
  const browser = await openBrowser()
  const opened: (TestPage & Visiting)[] = []
  return {
    ...{ site, browser },
    async visit(path, options = {}) {
      const { key = site.adminKey, expects = /^$/, ...context } = options
      const one = await browser.page(context)
      opened.push({ ...one, expects })
      await one.page.goto(`${site.url}${path}`)
      await one.page.fill('input[name=key]', key)
      await one.page.click('button[type=submit]')
      await one.page.waitForSelector('main')
      return one.page
    },
    submit: async (job) => (await site.ask<{ id: string }>('POST', '/api/jobs', job)).id,
    async close() {
      await browser.close()
      await site.stop()
      const failures = site.lines().filter((line) => /"level":"?(error|50)/.test(line))
      const complaints = opened.flatMap(({ complaints, strays, expects = /^$/ }) => [
        ...complaints.filter((text) => !expects.test(text)),
        ...strays,
      ])
      expect({ failures, complaints }).toEqual({ failures: [], complaints: [] })
    },
  }
}
