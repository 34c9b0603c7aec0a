import { describe, expect, test } from 'bun:test'
import { readClient, readSession } from '../../src/llm/session.ts'

const session = '5070d48c-e6e1-4ddf-be85-434f4eec1bb9'
const read = (headers: Record<string, string>) => readSession(Object.entries(headers), null)

describe('a session', () => {
  test('of Claude Code is in its headers, with the agents below it', () => {
    const main = { client: 'claude-code', session, agent: null, parent_agent: null }
    expect(read({ 'x-app': 'cli', 'x-claude-code-session-id': session })).toEqual(main)
    const agent = { 'x-claude-code-session-id': session, 'x-claude-code-agent-id': 'a1' }
    expect(read(agent)).toEqual({ ...main, agent: 'a1' })
    const below = { ...agent, 'x-claude-code-agent-id': 'a2', 'x-claude-code-parent-agent-id': 'a1' }
    expect(read(below)).toEqual({ ...main, agent: 'a2', parent_agent: 'a1' })
  })

  test('of Codex is in its headers, as it was and as it is', () => {
    const main = { client: 'codex', session, agent: null, parent_agent: null }
    expect(read({ 'session-id': session, 'thread-id': session })).toEqual(main)
    expect(read({ session_id: session, conversation_id: session, originator: 'codex_cli_rs' })).toEqual(main)
    expect(read({ conversation_id: session })).toEqual(main)
    expect(read({ 'session-id': session, 'x-openai-subagent': 'review' })).toEqual({
      ...main,
      agent: 'review',
    })
    const metadata = JSON.stringify({ session_id: session, thread_id: 't1', agent_name: '/root/x' })
    expect(read({ 'x-codex-turn-metadata': metadata })).toEqual({ ...main, agent: 't1' })
    const agent = { 'session-id': session, 'thread-id': 't2', 'x-openai-subagent': 'collab_spawn' }
    expect(read({ ...agent, 'x-codex-parent-thread-id': session })).toEqual({ ...main, agent: 't2' })
    expect(read({ ...agent, 'x-codex-parent-thread-id': 't1' })).toEqual({
      ...main,
      agent: 't2',
      parent_agent: 't1',
    })
    expect(read({ 'x-codex-turn-metadata': '{"session_id' })).toBeNull()
  })

  test('may be named by anybody, before all else', () => {
    const named = { client: 'sluice', session: 'my thread', agent: null, parent_agent: null }
    expect(read({ 'sluice-conversation': 'my thread', 'x-claude-code-session-id': session })).toEqual(named)
  })

  test('in the body comes second, and there may be none', () => {
    const body = { client: 'claude-code', session: 'body', agent: null, parent_agent: null }
    expect(readSession([['user-agent', 'curl']], body)).toEqual(body)
    expect(readSession([['x-claude-code-session-id', session]], body)?.session).toBe(session)
    expect(read({})).toBeNull()
  })
})

test.each([
  ['claude-cli/2.1.197 (external, sdk-cli)', 'claude-code'],
  ['codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm', 'codex'],
  ['GeminiCLI-tui/0.61.0/gemini-2.5-flash (linux; x64; terminal)', 'gemini-cli'],
  ['Anthropic/JS 1.11.0', 'anthropic-sdk'],
  ['OpenAI/JS 7.55.0', 'openai-sdk'],
  ['curl/8.1', null],
])('%s is the client %s', (agent, client) => {
  expect(readClient([['user-agent', agent]])).toBe(client)
})
