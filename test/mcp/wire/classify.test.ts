import { expect, test } from 'bun:test'
import { classify } from '../../../src/mcp/wire/classify.ts'
import { readFrame } from '../../../src/mcp/wire/frame.ts'
import { headerValue } from '../../../src/mcp/wire/header-value.ts'

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

function era(message: object, headers: Record<string, string> | null) {
  const read = readFrame(JSON.stringify({ jsonrpc: '2.0', ...message }))
  if (read === null) throw new Error('no message')
  return classify(read, headers === null ? null : new Headers(headers)).era
}

test('the body decides of which era a message is', () => {
  const modern = { id: 1, method: 'tools/list', params: { _meta: meta } }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  expect(era(modern, headers)).toBe('modern')
  expect(era({ id: 1, method: 'tools/list' }, {})).toBe('legacy')
  expect(era({ id: 1, method: 'tools/list' }, { 'mcp-protocol-version': '2025-06-18' })).toBe('legacy')
  expect(era({ id: 1, method: 'initialize', params: {} }, {})).toBe('legacy')
  expect(era({ id: 1, result: {} }, {})).toBe('legacy')
})

test('where there are no headers, as on a WebSocket, none are missing', () => {
  expect(era({ id: 1, method: 'tools/list', params: { _meta: meta } }, null)).toBe('modern')
  expect(era({ id: 1, method: 'initialize', params: { _meta: meta } }, null)).toBe('modern')
})

test('a notification without _meta is of the era that its header names', () => {
  const notification = { method: 'notifications/initialized' }
  expect(era(notification, { 'mcp-protocol-version': '2026-07-28' })).toBe('modern')
  expect(era(notification, {})).toBe('legacy')
})

test('header values are plain, or Base64 between marks', () => {
  expect(headerValue('us-west1')).toBe('us-west1')
  expect(headerValue('=?base64?SGVsbG8sIOS4lueVjA==?=')).toBe('Hello, 世界')
  expect(headerValue('=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=')).toBe('=?base64?literal?=')
  expect(headerValue('=?BASE64?SGVsbG8=?=')).toBe('=?BASE64?SGVsbG8=?=')
  for (const bad of ['=?base64?SGVsbG8?=', '=?base64?SGVs!!!bG8=?=', '=?base64?/w==?='])
    expect(headerValue(bad)).toBeNull()
})
