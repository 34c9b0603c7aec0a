import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listConversations } from '../../src/capture/reading/conversations.ts'
import { rebuild } from '../../src/capture/storing/rebuild.ts'
import { until } from '../support/until.ts'
import { called, interpretCall, quiet } from './store-support.ts'
import { openToolFixture, principalOf, type ToolFixture } from './tools-support.ts'

let on: ToolFixture
beforeAll(async () => {
  on = await openToolFixture()
})
afterAll(() => on.release())

async function begun(session?: string): Promise<string> {
  const { value } = await on.call('dewey_begin_conversation', { session_id: session })
  return value.conversation_id
}

const say = (conversation_id: string, content: unknown, more: object = {}) =>
  on.call('dewey_store_message', { conversation_id, role: 'user', content, ...more })

describe('a conversation that an agent keeps', () => {
  test('is told back message by message, with metadata', async () => {
    const { value } = await on.call('dewey_begin_conversation', {
      session_id: 's-1',
      metadata: { why: 'test' },
    })
    const id = value.conversation_id
    expect((await say(id, 'Is the pelican in?', { metadata: { n: 1 } })).value).toMatchObject({
      turn_number: 1,
    })
    await say(
      id,
      [
        { type: 'text', text: 'Yes,' },
        { type: 'text', text: 'in the boat.' },
      ],
      { role: 'assistant' },
    )
    const got = await on.call('dewey_get_conversation', { conversation_id: id })
    expect(got.value).toMatchObject({
      session_id: 's-1',
      metadata: { why: 'test' },
      message_count: 2,
      truncated: false,
    })
    expect(got.value.messages).toMatchObject([
      { turn: 1, role: 'user', content: 'Is the pelican in?', metadata: { n: 1 } },
      { turn: 2, role: 'assistant', content: 'Yes,\nin the boat.', metadata: null },
    ])
  })

  test('is listed, found and isolated like a recorded one', async () => {
    const id = await begun('s-2')
    await say(id, 'A zeppelin over the harbour')
    const found = await on.call('dewey_search', { query: 'zeppelin', session_id: 's-2' })
    expect(found.value.results).toMatchObject([{ conversation_id: id, turn: 1, role: 'user' }])
    const listed = await on.call('dewey_list_conversations', { session_id: 's-2', sort_by: 'created_at' })
    expect(listed.value).toMatchObject({
      total: 1,
      conversations: [{ id, session_id: 's-2', message_count: 1 }],
    })
    const api = await on.reading.read((sql) =>
      listConversations(sql, { tenant: 'a', session: 's-2' }, { limit: 5 }),
    )
    expect(api.items.map((item) => item.id)).toEqual([id])

    const other = principalOf('b')
    expect((await on.call('dewey_search', { query: 'zeppelin' }, other)).value.results).toEqual([])
    for (const [name, more] of [
      ['dewey_get_conversation', {}],
      ['dewey_store_message', { role: 'user', content: 'x' }],
      ['dewey_delete_conversation', { force: true }],
    ] as const) {
      const refused = await on.call(name, { conversation_id: id, ...more }, other)
      expect([refused.ok, refused.text]).toEqual([false, `${name}: There is no such conversation`])
    }
  })

  test('is found, too, where the search stops at its budget and goes on from a cursor', async () => {
    const old = called({ messages: ['user: an ancient coelacanth'], reply: null })
    // An hour is read first; what is looked for is in the next.
    const end_date = new Date(old.open.started_at + 1.5 * 3_600_000).toISOString()
    await on.store([{ ...old, open: { ...old.open, tenant: 'a' } }])
    const { sql } = on.database
    const found = await sql.begin(async (holder) => {
      await holder`lock table turn_words in access exclusive mode`
      const asked = on.call('dewey_search', { query: 'coelacanth', end_date })
      await until('the search has waited for longer than its budget', async () => {
        const [row] = await sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            and query like '%join turns%' and query_start < clock_timestamp() - interval '200 milliseconds'`
        return row !== undefined
      })
      return { asked }
    })
    const { value } = await found.asked
    expect(value.results).toMatchObject([{ content: 'an ancient coelacanth' }])
  })

  test('has each turn number once, however many store at once', async () => {
    const id = await begun()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => say(id, `message ${n}`)))
    const numbers = answers.map(({ value }) => value.turn_number).sort((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
    expect((await say(id, 'again', { turn_number: 7 })).text).toContain('has a turn 7 already')
    expect((await say(id, 'later', { turn_number: 40 })).value.turn_number).toBe(40)
    expect((await say(id, 'next')).value.turn_number).toBe(41)
  })

  test('takes many messages or none', async () => {
    const bad = [
      { role: 'user', content: 'one', turn_number: 1 },
      { role: 'user', content: 'two', turn_number: 1 },
    ]
    const id = await begun()
    const refused = await on.call('dewey_store_messages_bulk', { conversation_id: id, messages: bad })
    expect(refused.ok).toBe(false)
    expect((await on.call('dewey_get_conversation', { conversation_id: id })).value.messages).toEqual([])
    const messages = Array.from({ length: 100 }, (_, n) => ({ role: 'user', content: `bulk quokka ${n}` }))
    const stored = await on.call('dewey_store_messages_bulk', { messages, session_id: 's-bulk' })
    expect(stored.value).toMatchObject({ stored: 100, first_turn: 1, last_turn: 100 })
    const found = await on.call('dewey_search', { query: 'quokka', limit: 100 })
    expect(found.value.results).toHaveLength(100)
  })

  test('is kept by a rebuild, which cannot derive it again', async () => {
    const id = await begun('s-rebuild')
    await say(id, 'nobody resends this', { turn_number: 3 })
    await say(id, 'nor this')
    await rebuild({ sql: on.database.sql, interpret: interpretCall, log: quiet })
    const { value } = await on.call('dewey_get_conversation', { conversation_id: id })
    expect(value.messages.map((one: { turn: number }) => one.turn)).toEqual([3, 4])
  })

  test('may be one of recorded traffic, which goes on beside it', async () => {
    const exchange = called({ messages: ['user: hello'], session: 'mixed' })
    await on.store([{ ...exchange, open: { ...exchange.open, tenant: 'a' } }])
    const listed = await on.call('dewey_list_conversations', { session_id: 'mixed' })
    const [{ id }] = listed.value.conversations
    expect((await say(id, 'a note of the agent')).value.turn_number).toBe(3)
    await rebuild({ sql: on.database.sql, interpret: interpretCall, log: quiet })
    const { value } = await on.call('dewey_get_conversation', { conversation_id: id })
    expect(value.messages.map((one: { content: string }) => one.content)).toContain('a note of the agent')
  })

  test('is not kept for a key that records no content', async () => {
    const bare = principalOf('a', ['call'], 'metadata')
    const refused = await on.call('dewey_begin_conversation', {}, bare)
    expect(refused.text).toContain('records no content')
  })
})

describe('messages of a file', () => {
  test('come from JSON, JSON lines and sessions of Claude Code', async () => {
    await mkdir(join(on.folder, 'a'), { recursive: true })
    await writeFile(join(on.folder, 'a', 'plain.json'), JSON.stringify([{ role: 'user', content: 'one' }]))
    const line = (role: string, text: string) =>
      JSON.stringify({
        type: role,
        uuid: 'u',
        message: { role, content: text },
        timestamp: '2026-01-01T00:00:00Z',
      })
    await writeFile(
      join(on.folder, 'a', 'session.jsonl'),
      ['{"type":"summary","summary":"x"}', line('user', 'hi'), line('assistant', 'ho'), ''].join('\n'),
    )
    expect((await on.call('dewey_store_messages_bulk', { file: 'plain.json' })).value.stored).toBe(1)
    const session = await on.call('dewey_store_messages_bulk', { file: 'session.jsonl' })
    const { value } = await on.call('dewey_get_conversation', {
      conversation_id: session.value.conversation_id,
    })
    expect(value.messages).toMatchObject([
      { role: 'user', content: 'hi', metadata: { timestamp: '2026-01-01T00:00:00Z' } },
      { role: 'assistant', content: 'ho' },
    ])
  })

  test.each([
    '../b/secret.json',
    '/etc/passwd',
    'link.json',
    '../../etc/hostname',
    'dir',
    'none.json',
    'a\0b',
  ])('are not read from %p', async (file) => {
    await mkdir(join(on.folder, 'a', 'dir'), { recursive: true })
    await mkdir(join(on.folder, 'b'), { recursive: true })
    await writeFile(join(on.folder, 'b', 'secret.json'), '[{"role":"user","content":"secret"}]')
    await symlink('../b/secret.json', join(on.folder, 'a', 'link.json')).catch(() => {})
    const refused = await on.call('dewey_store_messages_bulk', { file })
    expect(refused.ok).toBe(false)
    expect(refused.text).toMatch(/only files in|reading "/)
  })
})
