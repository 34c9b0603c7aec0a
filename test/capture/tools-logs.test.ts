import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { upkeepHandler } from '../../src/capture/consumers.ts'
import { quiet } from './store-support.ts'
import { openToolFixture, principalOf, type ToolFixture } from './tools-support.ts'

let on: ToolFixture
beforeAll(async () => {
  on = await openToolFixture()
})
afterAll(() => on.release())

describe('startup contexts', () => {
  const set = (name: string, more: object = {}) =>
    on.call('dewey_set_startup_context', { name, content: `content of ${name}`, ...more })

  test('at most one is active, whoever sets them at once', async () => {
    expect((await on.call('dewey_get_startup_context')).text).toContain('No startup context is active')
    await Promise.all(Array.from({ length: 8 }, (_, n) => set(`context-${n}`, { set_active: true })))
    const { value } = await on.call('dewey_list_startup_contexts')
    const active = value.contexts.filter((one: { is_active: boolean }) => one.is_active)
    expect(value.contexts).toHaveLength(8)
    expect(active).toHaveLength(1)
    const twice = on.database.sql`update startup_contexts set is_active = true`
    await expect(twice.execute()).rejects.toThrow(/startup_contexts_one_active/)
    const got = await on.call('dewey_get_startup_context')
    expect(got.value).toMatchObject({ name: active[0].name, content: `content of ${active[0].name}` })
  })

  test('an active one stays so when its text is replaced, and belongs to one tenant', async () => {
    await set('mine', { set_active: true })
    await on.call('dewey_set_startup_context', { name: 'mine', content: 'new' })
    expect((await on.call('dewey_get_startup_context')).value).toMatchObject({ name: 'mine', content: 'new' })
    const other = await on.call('dewey_get_startup_context', { name: 'mine' }, principalOf('b'))
    expect(other.ok).toBe(false)
  })

  test('one is deleted only with force', async () => {
    await set('old')
    const asked = await on.call('dewey_delete_startup_context', { name: 'old' })
    expect(asked.text).toContain('nothing was deleted')
    expect((await on.call('dewey_delete_startup_context', { name: 'old', force: true })).value.deleted).toBe(
      true,
    )
    expect((await on.call('dewey_delete_startup_context', { name: 'old', force: true })).ok).toBe(false)
  })
})

describe('logs', () => {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  const store = (logs: object[], tenant = 'a') =>
    on.call('dewey_store_logs_batch', { logs }, principalOf(tenant))

  test('are found by level, component, trace, time and words', async () => {
    await store([
      { level: 'ERROR', component: 'relay', message: 'connection lost', trace_id: 't-1', data: { tries: 3 } },
      { level: 'warn', component: 'relay', message: 'connection slow', trace_id: 't-1' },
      { level: 'DEBUG', component: 'gate', message: 'opened the connection', created_at: ago(3_600_000) },
    ])
    const query = async (args: object) =>
      (await on.call('dewey_query_logs', args)).value.logs.map((log: { message: string }) => log.message)
    expect(await query({ level: 'WARN' })).toEqual(['connection slow', 'connection lost'].sort().toReversed())
    expect(await query({ component: 'gate' })).toEqual(['opened the connection'])
    expect(await query({ trace_id: 't-1', level: 'ERROR' })).toEqual(['connection lost'])
    expect(await query({ search: 'connection -slow', component: 'relay' })).toEqual(['connection lost'])
    expect(await query({ end_time: ago(60_000) })).toEqual(['opened the connection'])
    const [first] = (await on.call('dewey_query_logs', { trace_id: 't-1', level: 'ERROR' })).value.logs
    expect(first).toMatchObject({ level: 'ERROR', data: { tries: 3 } })
    expect((await on.call('dewey_query_logs', {}, principalOf('b'))).value.logs).toEqual([])
    const { value } = await on.call('dewey_get_log_stats')
    expect(value).toMatchObject({ total_count: 3, count_by_level: { ERROR: 1, WARN: 1, DEBUG: 1 } })
  })

  test('are stored all or none, and a wrong one is named', async () => {
    const bad = await store([
      { level: 'INFO', component: 'x', message: 'kept?' },
      { level: 'LOUD', component: 'x', message: 'no' },
    ])
    expect(bad.text).toContain('logs.1.level: must be ERROR, WARN, INFO, DEBUG or TRACE')
    expect((await on.call('dewey_query_logs', { search: 'kept' })).value.logs).toEqual([])
  })

  test('are cleared by age, and go by count and age with upkeep', async () => {
    const logs = Array.from({ length: 30 }, (_, n) => ({
      level: 'INFO',
      component: 'c',
      message: `log ${n}`,
    }))
    await store(
      [...logs, { level: 'INFO', component: 'c', message: 'ancient', created_at: ago(9 * 86_400_000) }],
      'b',
    )
    const b = principalOf('b')
    expect((await on.call('dewey_clear_logs', { component: 'c' }, b)).value.deleted_count).toBe(1)
    const { sql } = on.database
    await upkeepHandler({ sql, log: quiet, logs: { count: 10 } })({ v: 1, task: 'retention' }, {} as never)
    expect((await on.call('dewey_query_logs', {}, b)).value.count).toBe(10)
    expect((await on.call('dewey_query_logs', {})).value.count).toBe(3)
    await store([{ level: 'INFO', component: 'c', message: 'old', created_at: ago(3 * 86_400_000) }], 'b')
    await upkeepHandler({ sql, log: quiet, logs: { days: 2 } })({ v: 1, task: 'retention' }, {} as never)
    expect((await on.call('dewey_query_logs', { search: 'old' }, b)).value.count).toBe(0)
  })
})
