import { describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { defineTool, type Principal, type ToolContext } from '#access'
import { SluiceError } from '#lib/errors'
import { openOwn } from '../../../src/mcp/own/own.ts'
import { holdsSecret } from '../../../src/mcp/own/sensitive.ts'

const add = defineTool({
  name: 'add',
  title: 'Add',
  description: 'Adds numbers',
  input: z.strictObject({ a: z.int(), b: z.int().default(1), at: z.string().transform(Number).optional() }),
  ...{ scope: 'read', readOnly: true },
  async run({ a, b }, { progress }) {
    progress(1, 2, 'half')
    return a + b
  },
})
const fail = defineTool({
  name: 'fail',
  title: 'Fail',
  description: 'Fails',
  input: z.strictObject({ how: z.enum(['said', 'broken']) }),
  ...{ scope: 'admin', readOnly: false },
  sensitive: true,
  async run({ how }) {
    throw how === 'said'
      ? new SluiceError(404, 'not-found', 'There is no such thing')
      : new Error('password=hunter2')
  },
})

const told: unknown[] = []
const own = openOwn([fail, add], (_, error) => told.push(error))

async function call(name: string, args: string, scopes: Principal['scopes'] = new Set(['admin'])) {
  const seen: unknown[] = []
  const principal: Principal = { tenant: 'a', keyId: null, scopes, capture: 'full', tags: [] }
  const context: ToolContext = {
    ...{ principal, signal: new AbortController().signal, exchange: 'x' },
    progress: (...step) => void seen.push(step),
  }
  const answer = await own.call(name, args, context)
  return { ...('result' in answer ? JSON.parse(answer.result) : answer), seen }
}

describe('own tools', () => {
  test('are listed by name, with the schema of what a client sends', () => {
    expect(own.list.map(({ name, scope, readOnly }) => [name, scope, readOnly])).toEqual([
      ['add', 'read', true],
      ['fail', 'admin', false],
    ])
    expect(JSON.parse(own.list[0]?.json ?? '')).toEqual({
      ...{ name: 'add', title: 'Add', description: 'Adds numbers' },
      inputSchema: {
        type: 'object',
        properties: {
          a: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
          b: { type: 'integer', default: 1, minimum: -9007199254740991, maximum: 9007199254740991 },
          at: { type: 'string' },
        },
        required: ['a'],
        additionalProperties: false,
      },
      annotations: { title: 'Add', readOnlyHint: true, openWorldHint: false },
    })
  })

  test('answer with an object and as text, and tell of their progress', async () => {
    const answer = await call('add', '{"a":2}')
    expect(answer.structuredContent).toEqual({ value: 3 })
    expect(JSON.parse(answer.content[0].text)).toEqual({ value: 3 })
    expect(answer.seen).toEqual([[1, 2, 'half']])
  })

  test('name the argument that is wrong', async () => {
    for (const [args, what] of [
      ['{"a":"2"}', 'a: Invalid input: expected number, received string'],
      ['{}', 'a: Invalid input'],
      ['', 'a: Invalid input'],
      ['null', 'a: Invalid input'],
      ['{"a":1,"c":2}', 'c: not known here'],
      ['[1]', 'the arguments: Invalid input'],
    ] as const) {
      const answer = await call('add', args)
      expect(answer.isError).toBe(true)
      expect(answer.content[0].text).toContain(what)
    }
  })

  test('say what a caller can mend, and of all else nothing', async () => {
    expect((await call('fail', '{"how":"said"}')).content[0].text).toBe('fail: There is no such thing')
    const broken = await call('fail', '{"how":"broken"}')
    expect(JSON.stringify(broken)).not.toContain('hunter2')
    expect(told).toHaveLength(1)
  })

  test('need their scope, and their name', async () => {
    expect((await call('fail', '{"how":"said"}', new Set(['read']))).content[0].text).toContain(
      'needs the scope admin',
    )
    expect((await call('none', '{}')).error).toMatchObject({ code: -32602 })
  })

  test('that take secrets are known by name, also inside call_tool', () => {
    const secret = (params: object) => holdsSecret('tools/call', JSON.stringify(params), own.sensitive)
    expect(secret({ name: 'fail', arguments: {} })).toBe(true)
    expect(secret({ name: 'add' })).toBe(false)
    expect(secret({ name: 'call_tool', arguments: { name: 'fail', arguments: {} } })).toBe(true)
    expect(secret({ name: 'call_tool', arguments: { name: 'add' } })).toBe(false)
    expect(holdsSecret('prompts/get', '{"name":"fail"}', own.sensitive)).toBe(false)
  })
})
