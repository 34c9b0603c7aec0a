import { expect, test } from 'bun:test'
import { headerValue } from '../../../../src/mcp/upstream/http/header-value.ts'
import { annotationsOf, headersFor } from '../../../../src/mcp/upstream/http/tool-headers.ts'

/** The examples of the specification. */
test.each([
  ['us-west1', 'us-west1'],
  ['us west 1', 'us west 1'],
  ['', ''],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
])('the value %j travels as %j', (value, header) => {
  expect(headerValue(value)).toBe(header)
})

test('annotated arguments become headers, where they have a value', () => {
  const annotations = annotationsOf({
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { type: 'object', properties: { on: { type: 'boolean', 'x-mcp-header': 'Deep-On' } } },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      query: { type: 'string' },
    },
  })
  expect(headersFor(annotations, { region: 'é', deep: { on: false }, count: null, query: 'q' })).toEqual([
    ['Mcp-Param-Region', '=?base64?w6k=?='],
    ['Mcp-Param-Deep-On', 'false'],
  ])
  expect(headersFor(annotations, { deep: 'none' })).toEqual([])
})

const annotated = { type: 'string', 'x-mcp-header': 'Name' }

test.each([
  ['an empty name', { properties: { a: { ...annotated, 'x-mcp-header': '' } } }],
  ['a name that is no token', { properties: { a: { ...annotated, 'x-mcp-header': 'a b' } } }],
  ['a name with a line break', { properties: { a: { ...annotated, 'x-mcp-header': 'a\r\nb' } } }],
  ['a name that is no text', { properties: { a: { ...annotated, 'x-mcp-header': 5 } } }],
  ['one name twice', { properties: { a: annotated, b: { ...annotated, 'x-mcp-header': 'NAME' } } }],
  ['a number', { properties: { a: { ...annotated, type: 'number' } } }],
  ['an object', { properties: { a: { ...annotated, type: 'object' } } }],
  ['elements of a list', { properties: { a: { type: 'array', items: annotated } } }],
  ['a choice', { oneOf: [{ properties: { a: annotated } }] }],
  ['a condition', { if: { properties: { a: annotated } } }],
  ['a definition', { $defs: { a: annotated } }],
  ['the root', annotated],
])('a tool is not shown for %s', (_what, schema) => {
  expect(() => annotationsOf(schema)).toThrow('x-mcp-header')
})
