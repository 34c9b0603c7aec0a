import { expect, test } from 'bun:test'
import { interpretMcp } from '#mcp'
import type { RecordedExchange } from '../../../src/capture/exchange.ts'
import { identityOf } from '../../../src/mcp/record/identity.ts'
import { toolCall } from './support.ts'

test.each([
  [
    'Claude Code',
    { 'claudecode/toolUseId': 'toolu_1', progressToken: 2 },
    [['X-Claude-Code-Session-Id', 's-1']],
    { toolUse: 'toolu_1', client: 'claude-code', session: 's-1', agent: null },
  ],
  [
    'Codex, in its main thread',
    { callId: 'call_1', threadId: 't-1', sessionId: 't-1', itemId: 'fc_1' },
    [],
    { toolUse: 'call_1', client: 'codex', session: 't-1', agent: null },
  ],
  [
    'Codex, in a thread of a sub-agent',
    { callId: 'call_1', threadId: 't-2', sessionId: 't-1' },
    [],
    { toolUse: 'call_1', client: 'codex', session: 't-1', agent: 't-2' },
  ],
  [
    'an older Codex',
    { 'x-codex-turn-metadata': '{"session_id":"t-1","thread_id":"t-1","turn_id":"7"}' },
    [],
    { toolUse: null, client: 'codex', session: 't-1', agent: null },
  ],
  [
    'OpenCode',
    { 'ai.opencode/sessionID': 'ses_1' },
    [],
    { toolUse: null, client: 'opencode', session: 'ses_1', agent: null },
  ],
  [
    'anybody',
    { toolUseId: 'u-1' },
    [['sluice-conversation', 'mine']],
    { toolUse: 'u-1', client: 'sluice', session: 'mine', agent: null },
  ],
  ['nobody', { callId: 7 }, [], { toolUse: null, client: null, session: null, agent: null }],
] as const)('%s is known by what it sends', (_, meta, headers, expected) => {
  expect(identityOf(JSON.stringify(meta), headers)).toEqual(expected)
})

test('meta that is no JSON names nobody', () => {
  for (const meta of [null, '', '[', '7', '"x"', 'null']) {
    expect(identityOf(meta, [])).toEqual({ toolUse: null, client: null, session: null, agent: null })
  }
})

/** A tool call whose answer travelled as these bytes. */
function answered(response: string): RecordedExchange {
  return { ...toolCall(), response: Buffer.from(response) }
}

const progress =
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":1}}'
const result = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"found"}]}}'
const spied = (text: string) => JSON.stringify({ n: 1, at: 2, from: 'server', text })

test.each([
  ['one JSON body', result],
  ['lines', `${progress}\n${result}\n`],
  ['a batch', `[${progress},${result}]`],
  [
    'events',
    `id: x_1\ndata: ${progress}\n\n: still here\n\nevent: message\r\nid: x_2\r\ndata: ${result}\r\n\r\n`,
  ],
  [
    'an event over several lines',
    `data: {"jsonrpc":"2.0","id":7,\ndata: "result":{"content":[{"type":"text","text":"found"}]}}\n\n`,
  ],
  ['the lines of a spy', `${spied(progress)}\n${spied(result)}\n`],
])('an answer is read that travelled as %s', (_, response) => {
  expect(interpretMcp(answered(response)).history).toMatchObject([
    { role: 'tool', text: 'github__search({"q":"bees"})\nfound' },
  ])
})

test('each call of a batch is a turn, with its own answer', () => {
  const ask = (id: number, q: string) => ({
    ...{ jsonrpc: '2.0', id, method: 'tools/call' },
    params: { name: 'dig', arguments: { q } },
  })
  const say = (id: number, text: string) => ({
    jsonrpc: '2.0',
    id,
    result: { content: [{ type: 'text', text }] },
  })
  const read = interpretMcp({
    ...toolCall(),
    request: Buffer.from(
      JSON.stringify([ask(1, 'a'), ask(2, 'a'), { jsonrpc: '2.0', method: 'notifications/x' }]),
    ),
    response: Buffer.from(JSON.stringify([say(2, 'two'), say(1, 'one')])),
  })
  expect(read.history.map(({ text }) => text)).toEqual(['dig({"q":"a"})\none', 'dig({"q":"a"})\ntwo'])
  expect(new Set(read.history.map(({ digest }) => digest)).size).toBe(2)
})

test('an answer that broke off leaves the question', () => {
  for (const response of [
    '',
    `data: ${progress}\n\ndata: {"jsonrpc":"2.0","id":7,"resu`,
    '{"jsonrpc"',
    '\u0000\u0001',
  ]) {
    const { history, error } = interpretMcp(answered(response))
    expect({ history: history.map(({ text }) => text), error }).toEqual({
      history: ['github__search({"q":"bees"})'],
      error: null,
    })
  }
})

test.each([
  [
    {
      content: [
        { type: 'image', data: 'AA==' },
        { type: 'text', text: 'a hive' },
      ],
    },
    '[image]\na hive',
  ],
  [{ content: [], structuredContent: { hives: 3 } }, '{"hives":3}'],
  [{ content: [{ type: 'resource_link', uri: 'file:///a' }] }, '[file:///a]'],
  [{ content: [{ type: 'resource', resource: { uri: 'file:///a', text: 'inside' } }] }, 'inside'],
  [{ contents: [{ uri: 'file:///a', blob: 'AA==' }] }, '[file:///a]'],
  [{ messages: [{ role: 'user', content: { type: 'text', text: 'say' } }] }, 'say'],
  [{ resultType: 'input_required', inputRequests: {} }, '[input required]'],
  [{}, ''],
])('the text of a result is what people can read: %j', (given, text) => {
  const response = JSON.stringify({ jsonrpc: '2.0', id: 7, result: given })
  expect(interpretMcp(answered(response)).history[0]?.text).toBe(`github__search({"q":"bees"})\n${text}`)
})

test('whatever the bytes are, they are read or passed over, as text that a database takes', () => {
  const strange = [
    '{"jsonrpc":"2.0","id":7,"result":"x"}',
    '[1,null,"x"]',
    '{"jsonrpc":"2.0","id":7,"error":7}',
    '\ufeff{}',
  ]
  const named = {
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: 'a\u0000\ud800', _meta: { callId: '\u0000' } },
  }
  for (const response of strange) {
    const read = interpretMcp({ ...answered(response), request: Buffer.from(JSON.stringify(named)) })
    expect(JSON.stringify(read)).not.toMatch(/\\u0000|\\ud800/)
  }
})
