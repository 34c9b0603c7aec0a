import { expect, test } from 'bun:test'
import { readFrame, requestFrame, responseFrame } from '../../../src/mcp/wire/frame.ts'

test('a message is read with its payload untouched', () => {
  expect(readFrame('{"result":{"n":12345678901234567890},"jsonrpc":"2.0","id":7}')).toEqual({
    kind: 'response',
    id: 7,
    answer: { result: '{"n":12345678901234567890}' },
  })
  expect(readFrame('{"jsonrpc":"2.0","error":{"code":-32700,"message":"no","data":{"a" :1}}}')).toEqual({
    kind: 'response',
    id: null,
    answer: { error: { code: -32700, message: 'no', data: '{"a" :1}' } },
  })
  expect(readFrame('{"jsonrpc":"2.0","method":"ping","id":"x"}')).toEqual({
    kind: 'request',
    id: 'x',
    method: 'ping',
    params: '{}',
  })
})

test('what is no JSON-RPC 2.0 message is none', () => {
  const texts = ['', '[]', '1', '{}', '{"jsonrpc":"1.0","id":1,"result":{}}', '{"jsonrpc":"2.0","id":1}']
  texts.push('{"jsonrpc":"2.0","method":"x","id":null}', '{"jsonrpc":"2.0","result":{}}', '{"jsonrpc":')
  // Of these ids a double would make others.
  for (const id of ['9007199254740993', '12345678901234567890', '1e400'])
    texts.push(`{"jsonrpc":"2.0","method":"x","id":${id}}`)
  for (const text of texts) expect(readFrame(text)).toBeNull()
})

test('a message is written on one line', () => {
  expect(requestFrame(1, 'a', '{\n"b": "\\n"\r\n}')).toBe(
    '{"jsonrpc":"2.0","id":1,"method":"a","params":{ "b": "\\n"  }}',
  )
  expect(responseFrame('x', { error: { code: 1, message: 'é', data: '[\n]' } })).toBe(
    '{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"é","data":[ ]}}',
  )
})
