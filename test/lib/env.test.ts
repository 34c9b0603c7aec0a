import { expect, test } from 'bun:test'
import { readEnv } from '#lib/env'
import { SetupError } from '#lib/errors'

test('commands as MCP servers are for gateways that only this machine reaches, unless the operator says so', () => {
  expect(readEnv({}).MCP_STDIO).toBe(true)
  expect(readEnv({ HOST: '0.0.0.0' }).MCP_STDIO).toBe(false)
  expect(readEnv({ HOST: '0.0.0.0', MCP_STDIO: 'on' }).MCP_STDIO).toBe(true)
  expect(readEnv({ MCP_STDIO: 'off' }).MCP_STDIO).toBe(false)
})

test.each([
  ['ADMIN_KEY', 'short-admin', 'ADMIN_KEY=…: must have at least 16 characters'],
  ['SECRET_KEY', 'a-secret-that-is-short', 'SECRET_KEY=…: must have at least 32 characters'],
  ['CACHE_STORE', 'redis', 'CACHE_STORE="redis": needs a QUEUE_URL of Redis'],
  ['RETENTION_DAYS', '0', 'RETENTION_DAYS="0": '],
  ['MY_VLLM_BASE_URL', 'ftp://elsewhere', 'MY_VLLM_BASE_URL="ftp://elsewhere": must be an http or https URL'],
])('a bad %s stops the start with one line that names it, and shows no secret', (name, value, line) => {
  const said = refused({ [name]: value })
  expect(said).toStartWith(line)
  expect(said).not.toContain('\n')
})

test('the cache is kept in Redis where the queue is', () => {
  const QUEUE_URL = 'rediss+sentinel://one:26379'
  expect(readEnv({ CACHE_STORE: 'redis', QUEUE_URL }).CACHE_STORE).toBe('redis')
  expect(refused({ CACHE_STORE: 'redis', QUEUE_URL: 'postgres://one/two' })).toStartWith('CACHE_STORE=')
})

function refused(source: Record<string, string>): string {
  try {
    readEnv(source)
  } catch (error) {
    if (error instanceof SetupError) return error.message
    throw error
  }
  return 'taken'
}
