import { expect, test } from 'bun:test'
import { dialectNamed, dialectOfPath } from '../../../src/llm/dialects/dialects.ts'

test.each([
  ['/v1/messages', 'anthropic'],
  ['/v1/messages?beta=true', 'anthropic'],
  ['/v1/messages/count_tokens', 'anthropic'],
  ['/p/anthropic/v1/messages', 'anthropic'],
  ['/v1/chat/completions', 'openai-chat'],
  ['/openai/deployments/gpt/chat/completions?api-version=2026-01-01', 'openai-chat'],
  ['/v1/responses', 'openai-responses'],
  ['/v1/responses/compact', 'openai-responses'],
  ['/v1/embeddings', 'openai-embeddings'],
  ['/v1/models', 'openai-models'],
  ['/v1/models/gpt-5', 'openai-models'],
  ['/v1beta/models', 'gemini'],
  ['/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', 'gemini'],
  ['/p/vertex/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent', 'gemini'],
])('%s speaks %s', (path, name) => {
  expect(dialectOfPath(path)?.name).toBe(name)
  expect(dialectNamed(name)?.name).toBe(name)
})

test('an unknown path or name has no dialect', () => {
  expect(dialectOfPath('/v1/audio/speech')).toBeNull()
  expect(dialectNamed('morse')).toBeNull()
  expect(dialectNamed(null)).toBeNull()
})

test.each([
  ['anthropic', 413, { type: 'error', error: { type: 'request_too_large', message: 'too big' } }],
  ['anthropic', 529, { type: 'error', error: { type: 'overloaded_error', message: 'too big' } }],
  [
    'openai-chat',
    413,
    { error: { message: 'too big', type: 'invalid_request_error', param: null, code: 'body_too_large' } },
  ],
  [
    'openai-responses',
    502,
    { error: { message: 'too big', type: 'server_error', param: null, code: 'body_too_large' } },
  ],
])('%s has its own shape for an error %i', (name, status, shape) => {
  const error = { status, code: 'body-too-large', message: 'too big' }
  expect(dialectNamed(name)?.errorBody(error)).toEqual(shape)
})

test('gemini has its own shape for an error', () => {
  const error = { status: 429, code: 'rate-limited', message: 'slow down' }
  expect(dialectNamed('gemini')?.errorBody(error)).toMatchObject({
    error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' },
  })
})
