import { expect, test } from 'bun:test'
import { readEnv } from '#lib/env'

test('commands as MCP servers are for gateways that only this machine reaches, unless the operator says so', () => {
  expect(readEnv({}).MCP_STDIO).toBe(true)
  expect(readEnv({ HOST: '0.0.0.0' }).MCP_STDIO).toBe(false)
  expect(readEnv({ HOST: '0.0.0.0', MCP_STDIO: 'on' }).MCP_STDIO).toBe(true)
  expect(readEnv({ MCP_STDIO: 'off' }).MCP_STDIO).toBe(false)
})
