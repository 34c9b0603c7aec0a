import { expect, test } from 'bun:test'
import { sessionTokens } from '../../../src/mcp/session/token.ts'

const claims = {
  ...{ tenant: 'acme', keyId: null, portal: 'docs', version: '2025-11-25' },
  info: '{"name":"x","version":"1"}',
  capabilities: '{"sampling":{}}',
}

test('what a session is can be read back from its id, by whoever has the secret', () => {
  const { token, claims: issued } = sessionTokens('secret').issue(claims)
  expect(token).toMatch(/^[\x21-\x7e]+$/)
  expect(sessionTokens('secret').read(token)).toEqual(issued)
  expect(sessionTokens('another').read(token)).toBeNull()
})

test('an id that was changed is none', () => {
  const tokens = sessionTokens('secret')
  const { token } = tokens.issue(claims)
  for (const changed of [
    token.slice(1),
    `${token}x`,
    token.replace('.', ''),
    '',
    '.',
    'a.b',
    token.slice(0, -1),
  ])
    expect(tokens.read(changed)).toBeNull()
})

test('a client that says much of itself gets an id that still fits into a header', () => {
  const info = JSON.stringify({
    name: 'x',
    version: '1',
    icons: ['y'.repeat(10_000)],
    title: 'z'.repeat(9_000),
  })
  const capabilities = JSON.stringify({
    sampling: {},
    roots: { listChanged: true },
    experimental: { a: 'x'.repeat(9_000) },
  })
  const { token, claims: issued } = sessionTokens('secret').issue({ ...claims, info, capabilities })
  expect(token.length).toBeLessThan(6_000)
  expect(JSON.parse(issued.capabilities)).toMatchObject({ sampling: {}, roots: {} })
  expect(JSON.parse(issued.info)).toMatchObject({ name: 'x', version: '1' })
})
