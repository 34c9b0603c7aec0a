import { expect, test } from 'bun:test'
import { isCredential, withoutKey } from '#lib/credentials'
import { repository } from '../support/process.ts'

test('a key in the query is taken out, and all else stays as it was', () => {
  for (const name of ['key', 'api_key', 'api-key', 'access_token'])
    expect(withoutKey(`/v1/x?a=%20b&${name}=sk-secret&alt=sse`)).toBe('/v1/x?a=%20b&alt=sse')
  expect(withoutKey('/v1/x?key=sk-secret')).toBe('/v1/x')
  expect(withoutKey('/v1/x?monkey=1&keys=2')).toBe('/v1/x?monkey=1&keys=2')
})

test('headers that carry credentials are known by name', () => {
  for (const name of ['authorization', 'cookie', 'set-cookie', 'x-api-key', 'sluice-key', 'x-auth-token'])
    expect([name, isCredential(name)]).toEqual([name, true])
  for (const name of ['content-type', 'user-agent', 'x-request-id'])
    expect([name, isCredential(name)]).toEqual([name, false])
})

test('the log shows no value that is named as a secret', () => {
  const line = `openLog('test', 'info').info({ authorization: 'zebra', of: { key: 'zebra', password: 'zebra', secret: 'zebra' } }, 'said')`
  const code = `import { openLog } from '#lib/log'; ${line}`
  const { stdout } = Bun.spawnSync([process.execPath, '-e', code], { cwd: repository })
  expect(stdout.toString()).toContain('said')
  expect(stdout.toString()).not.toContain('zebra')
})
