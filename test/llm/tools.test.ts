import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openReading, type Reading } from '#capture'
import { newId } from '#lib/ids'
import { llmTools } from '#tools/llm'
import { openOwn } from '../../src/mcp/own/own.ts'
import { callerOf, principalOf } from '../capture/tools-support.ts'
import { quiet } from './money/support.ts'
import { type OrchestraApp, openOrchestraApp } from './orchestra/support.ts'

let on: OrchestraApp
let reading: Reading
let call: ReturnType<typeof callerOf>
let tools: ReturnType<typeof llmTools>
const admin = principalOf('default', ['admin'])

beforeAll(async () => {
  on = await openOrchestraApp()
  reading = openReading(on.database.url, { log: quiet })
  const { sql } = on.database
  tools = llmTools({ sql, reading, orchestra: on.own.orchestra, filesFolder: on.folder })
  call = callerOf(tools)
})
afterAll(async () => {
  await reading.close()
  await on.close()
})

test('one prompt goes to many models, with files and progress, and one that fails leaves the others', async () => {
  await mkdir(join(on.folder, 'default'), { recursive: true })
  await writeFile(join(on.folder, 'default', 'notes.txt'), 'the notes')
  const steps: [number, number | undefined, string | undefined][] = []
  const own = openOwn(tools)
  const args = {
    prompt: 'Hello',
    files: ['notes.txt', { name: 'b.txt', text: 'inline' }],
    models: ['anthropic/mock-echo', 'openai/mock-error-500', 'gemini/mock-echo'],
  }
  const answer = await own.call('fiedler_send', JSON.stringify(args), {
    ...{ principal: principalOf('default'), signal: new AbortController().signal, exchange: newId() },
    progress: (...step) => void steps.push(step as (typeof steps)[0]),
  })
  const { structuredContent } = JSON.parse('result' in answer ? answer.result : '{}')
  const { results } = structuredContent as { results: { status: string; text: string | null }[] }
  expect(results.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded'])
  expect(results[0]?.text).toContain('the notes')
  expect(steps.map(([done, total]) => [done, total])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
    [3, 3],
  ])
  const outside = await call('fiedler_send', { ...args, files: ['../orchestra.json'] }, admin)
  expect(outside.text).toContain('only files in')
})

test('the eight tools have their names, and keys go in and never come out', async () => {
  const names = tools.map(({ name }) => name).filter((name) => name.startsWith('fiedler_'))
  expect(names.sort()).toEqual([
    ...['fiedler_delete_key', 'fiedler_get_config', 'fiedler_list_keys', 'fiedler_list_models'],
    ...['fiedler_send', 'fiedler_set_key', 'fiedler_set_models', 'fiedler_set_output'],
  ])
  const secret = 'sk-test-abcdefgh12345678'
  expect((await call('fiedler_set_key', { provider: 'openai', api_key: secret }, admin)).ok).toBe(true)
  const listed = await call('fiedler_list_keys', {}, admin)
  expect(listed.text).toContain('openai')
  expect(listed.text).not.toContain(secret.slice(3, 12))
  expect((await call('fiedler_delete_key', { provider: 'openai' }, admin)).ok).toBe(true)
  expect(
    (await call('fiedler_set_key', { provider: 'openai', api_key: secret }, principalOf('default'))).ok,
  ).toBe(false)
  expect(openOwn(tools).sensitive).toEqual(new Set(['fiedler_set_key']))
})

test('models and output are set and shown', async () => {
  const models = ['anthropic/mock', 'openai/mock']
  expect((await call('fiedler_set_models', { models }, admin)).value).toMatchObject({
    models,
    are_default: false,
  })
  expect((await call('fiedler_set_output', { output_dir: 'out' }, admin)).value).toMatchObject({
    folder: 'out',
  })
  expect((await call('fiedler_get_config', {}, admin)).value).toMatchObject({ models, folder: 'out' })
  const { value } = await call('fiedler_list_models', {}, admin)
  expect(value.models.filter((one: { selected: boolean }) => one.selected)).toHaveLength(2)
  expect((await call('fiedler_set_output', { output_dir: '../x' }, admin)).text).toContain(
    'output_dir: must be',
  )
})

test('usage, cost and budgets are told', async () => {
  expect((await call('get_token_stats', {}, admin)).value.total).toMatchObject({ calls: 0 })
  expect((await call('get_cost_report', { by: ['model', 'day'] }, admin)).value).toMatchObject({
    by: ['model', 'day'],
  })
  expect((await call('list_budgets', {}, admin)).value).toEqual({ items: [], has_more: false })
  expect((await call('get_cost_report', { by: ['moon'] }, admin)).text).toContain('by.0')
})
