import { expect, test } from 'bun:test'
import { readRelaySettings } from '../../../src/mcp/relay/settings.ts'

const none = { url: undefined, key: undefined, clientSession: undefined }

test('an address without a path is that of everything, and words win over variables', () => {
  expect(readRelaySettings([], none).url).toBe('http://127.0.0.1:8080/mcp')
  const env = { url: 'https://sluice.example', key: 'sk-sluice-a', clientSession: 's' }
  expect(readRelaySettings([], env)).toEqual({
    ...{ url: 'https://sluice.example/mcp', key: 'sk-sluice-a', clientSession: 's', patienceMs: 30_000 },
  })
  const words = ['--url=http://h:1/mcp/docs', '--patience', '5']
  expect(readRelaySettings(words, env)).toMatchObject({ url: 'http://h:1/mcp/docs', patienceMs: 5_000 })
})

test.each([
  [['--nope'], '--nope: not known here'],
  [['--url'], '--url: needs a value'],
  [['--url', 'ftp://x'], 'must be http or https'],
  [['--patience', 'long'], 'must be 0 to 3600'],
])('%p is told to be wrong', (words, why) => {
  expect(() => readRelaySettings(words, none)).toThrow(why)
})
