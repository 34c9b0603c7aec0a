import { expect, test } from 'bun:test'
import { shownArgs, shownUrl } from '../../../src/mcp/servers/shown.ts'

const uuid = '550e8400-e29b-41d4-a716-446655440000'

test.each([
  [['-y', '@modelcontextprotocol/server-filesystem', '/srv/a-folder-with-a-long-name-2025']],
  [['mcp-server-postgres-2025-11-25', '--stdio', '--keyboard', 'qwerty', '--max-tokens', '1000']],
  [['--header', 'Authorization:$AUTH', '--api-key', '$KEY']],
  [['https://mcp.example.com/sse', '--port=3000', '-e', 'NODE_ENV=production', '--token', '--verbose']],
])('what is no secret is shown: %j', (args) => {
  expect(shownArgs(args)).toEqual(args)
})

test.each([
  [
    ['--api-key', 'abc'],
    ['--api-key', '…'],
  ],
  [['--github-token=abc'], ['--github-token=…']],
  [
    ['-e', 'GITHUB_PERSONAL_ACCESS_TOKEN=abc'],
    ['-e', 'GITHUB_PERSONAL_ACCESS_TOKEN=…'],
  ],
  [
    ['-p', 'DB_PASSWORD=a=b'],
    ['-p', 'DB_PASSWORD=…'],
  ],
  [
    ['--header', 'X-Api-Key: abc'],
    ['--header', 'X-Api-Key: …'],
  ],
  [['postgres://me:secret@db/it'], ['postgres://…@db/it']],
  [['--db=postgresql://me:secret@db/it'], ['--db=postgresql://…@db/it']],
  [['https://mcp.example.com/sse?key=abc'], ['https://mcp.example.com/sse?key=…']],
  [
    ['ghp_16C7e42F292c6912E7710c838347Ae178B4a', uuid],
    ['…', '…'],
  ],
  [
    ['run', 'c2VjcmV0IHNlY3JldCBzZWNyZXQ5', '--x=sk-proj-abcdefghijkl'],
    ['run', '…', '--x=…'],
  ],
])('%j is shown as %j', (args, shown) => {
  expect(shownArgs(args)).toEqual(shown)
  expect(shownArgs(shown)).toEqual(shown)
})

test('an address is shown without its password', () => {
  expect(shownUrl('wss://me:secret@host.example/mcp?t=1')).toBe('wss://…@host.example/mcp?t=…')
})
