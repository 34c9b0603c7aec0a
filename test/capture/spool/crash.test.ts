import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/until.ts'
import { spoolIn, storeIn } from './opening.ts'
import { addsUp, openFiles, scratch } from './support.ts'

const steps = [
  ['open:created', 3],
  ['open:appended', 9],
  ['fold:appended', 2],
  ['fold:emptied', 2],
  ['rotate:closed', 2],
  ['rotate:renamed', 2],
  ['adopt:renamed', 1],
  ['settle:counted', 2],
  ['settle:deleted', 2],
] as const

describe('a gateway killed with kill -9', () => {
  for (const [step, nth] of steps) {
    test(`R16: at ${step}: what it acknowledged is stored once, and the ledger adds up`, async () => {
      const dir = scratch()
      const acknowledged = await runUntilKilled(dir, step, nth)
      await recoversAll(dir, acknowledged)
    })
  }

  for (const step of ['recovery:sealed', 'recovery:moved', 'recovery:closed']) {
    test(`R16: and again at ${step}: what it acknowledged is stored once`, async () => {
      const dir = scratch()
      const acknowledged = await runUntilKilled(dir, 'open:appended', 12)
      await runUntilKilled(dir, step, 1)
      await recoversAll(dir, acknowledged)
    })
  }

  test('R2: at any moment, five times over: every acknowledged exchange is stored once, with equal hashes', async () => {
    const dir = scratch()
    const acknowledged = new Map<string, string>()
    for (const count of [60, 170, 30, 130, 240]) {
      for (const [id, hashes] of await runUntilKilled(dir, 'never', 1, count)) acknowledged.set(id, hashes)
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(630)
    await recoversAll(dir, acknowledged)
  }, 60_000)

  test('R16: is drained by a gateway beside it that lives on', async () => {
    const dir = scratch()
    const store = storeIn(dir)
    const beside: Awaited<ReturnType<typeof spoolIn>>[] = []
    const acknowledged = await runUntilKilled(dir, 'never', 1, 150, async () => {
      beside.push(await spoolIn(dir, store))
    })
    const missing = () => {
      const kept = new Set(store.kept().map((one) => one.id))
      return [...acknowledged.keys()].filter((id) => !kept.has(id)).length
    }
    await until(
      'all is stored',
      () => missing() === 0 && readdirSync(join(dir, 'spool/0/segments')).length === 0,
    )
    expect(readdirSync(join(dir, 'spool')).sort()).toEqual(['0', '1'])
    await beside[0]?.close()
    await recoversAll(dir, acknowledged)
  }, 30_000)

  test('R10: an exchange that was open is stored up to the last 100 ms, as gateway_crashed', async () => {
    const dir = scratch()
    await runUntilKilled(dir, 'open:appended', 12)
    const store = storeIn(dir)
    const spool = await spoolIn(dir, store)
    await spool.close()
    const crashed = store.kept().filter((kept) => kept.outcome === 'gateway_crashed')
    expect(crashed.length).toBeGreaterThan(0)
  })
})

/**
 * Runs the recording process on that folder until it kills itself at the step, or is killed once it has acknowledged
 * so many. Returns what it acknowledged: hashes by id.
 */
async function runUntilKilled(
  dir: string,
  step: string,
  nth: number,
  count = Number.POSITIVE_INFINITY,
  onStarted?: () => Promise<void>,
) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'child.ts'), dir, step, String(nth)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  // Should it never come to the step.
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const lines: string[] = []
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of child.stdout) {
    if (rest === '' && lines.length === 0) await onStarted?.()
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    if (lines.length >= count) child.kill('SIGKILL')
  }
  await child.exited
  clearTimeout(timer)
  expect(child.signalCode).toBe('SIGKILL')
  return new Map(lines.map((line) => [line.slice(0, 36), line.slice(37)]))
}

async function recoversAll(dir: string, acknowledged: Map<string, string>): Promise<void> {
  const store = storeIn(dir)
  const spool = await spoolIn(dir, store)
  addsUp(spool.ledger())
  await spool.close(20_000)
  const kept = store.kept()
  const stored = new Map(kept.map((one) => [one.id, `${one.request} ${one.response}`]))
  for (const [id, hashes] of acknowledged) expect(`${id} ${stored.get(id)}`).toBe(`${id} ${hashes}`)
  expect(kept.length).toBe(stored.size)
  expect(kept.filter((one) => !acknowledged.has(one.id)).length).toBeLessThan(20)
  const ledger = spool.ledger()
  addsUp(ledger)
  expect(ledger).toMatchObject({ stored: kept.length, spooled: 0, queued: 0, quarantined: 0, dropped: 0 })
  expect(new Set(kept.map((one) => one.seq)).size).toBe(kept.length)
  expect(openFiles(dir)).toEqual([])
  expect(readdirSync(join(dir, 'spool/0/segments'))).toEqual([])
  expect(existsSync(join(dir, 'spool/0/quarantine'))).toBe(false)
}
