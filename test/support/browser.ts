import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Debian's; also by its other name. Not the driver's own, which it would fetch from elsewhere. */
const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync) ?? Bun.which('chromium')

/** Why there can be no browser here; undefined where there can. In CI a missing one is a failure, not a skip. */
export function browserMissing(): string | undefined {
  if (program !== null) return undefined
  if (Bun.env.CI === 'true') throw new Error('chromium is not installed, and CI=true')
  return 'chromium is not installed'
}

export type TestBrowser = {
  /** A page in a context of its own: no cookie of another's. */
  page(options?: BrowserContextOptions): Promise<TestPage>
  close(): Promise<void>
}

export type TestPage = {
  page: Page
  /** What the console had to complain of, errors of the page among it. */
  complaints: string[]
  /** Requests that went anywhere but to this machine. */
  strays: string[]
}

const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export async function openBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: program ?? '', args: flags })
  return {
    async page(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      context.setDefaultTimeout(15_000)
      const page = await context.newPage()
      const opened: TestPage = { page, complaints: [], strays: [] }
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') opened.complaints.push(message.text())
      })
      page.on('response', (response) => {
        if (response.status() >= 500) opened.complaints.push(`${response.status()} of ${response.url()}`)
      })
      page.on('pageerror', (error) => opened.complaints.push(String(error)))
      page.on('request', (request) => {
        const { protocol, hostname } = new URL(request.url())
        if (/^http/.test(protocol) && hostname !== '127.0.0.1') opened.strays.push(request.url())
      })
      return opened
    },
    close: () => browser.close(),
  }
}
