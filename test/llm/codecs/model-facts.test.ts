import { expect, test } from 'bun:test'
import {
  claudeFacts,
  geminiFacts,
  hasCacheBreakpoints,
  isOpenai,
  isReasoningGpt,
  takesCacheControl,
} from '../../../src/llm/codecs/model-facts.ts'

test.each([
  ['claude-opus-4-8', 'adaptive', false, true],
  ['claude-sonnet-4-6', 'adaptive', true, false],
  ['claude-sonnet-4-5-20250929', 'budget', true, false],
  ['claude-3-7-sonnet-20250219', 'budget', true, false],
  ['claude-3-5-haiku-20241022', 'none', true, false],
  ['claude-fable-5', 'adaptive', false, true],
  ['anthropic/claude-opus-4.8', 'adaptive', false, true],
  ['glm-5', 'budget', true, false],
] as const)('%s thinks by %s', (model, thinking, sampling, lateSystem) => {
  expect(claudeFacts(model)).toMatchObject({ thinking, sampling, lateSystem })
})

test("OpenAI's models are told from others by their names", () => {
  expect(['o3', 'o4-mini', 'gpt-5', 'gpt-5.6', 'openai/gpt-5.1-codex'].every(isReasoningGpt)).toBe(true)
  expect(['gpt-4o', 'gpt-4.1', 'gpt-35-turbo', 'gpt-5-chat-latest', 'mistral'].some(isReasoningGpt)).toBe(
    false,
  )
  expect(['gpt-5.6', 'openai/gpt-6', 'gpt-5.10'].every(hasCacheBreakpoints)).toBe(true)
  expect(['gpt-5.5', 'gpt-5', 'gpt-4.1', 'llama'].some(hasCacheBreakpoints)).toBe(false)
  expect(['gpt-4o', 'openai/o3', 'ft:gpt-4o:x'].every(isOpenai)).toBe(true)
  expect(['deepseek-chat', 'mistral-large', 'openrouter/x'].some(isOpenai)).toBe(false)
  expect(['anthropic/claude-opus-4.8', 'claude-opus-5'].every(takesCacheControl)).toBe(true)
})

test('Gemini says levels from 3 on', () => {
  expect(geminiFacts('models/gemini-3.5-flash')).toMatchObject({ thinking: 'level', signedCalls: true })
  expect(geminiFacts('gemini-2.5-pro')).toMatchObject({ thinking: 'budget', canStopThinking: false })
})
