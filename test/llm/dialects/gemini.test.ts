import { describe, expect, test } from 'bun:test'
import { data, readBody, readRequest } from './reading.ts'

const path = '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse'
const chunk = (parts: object[], usageMetadata: object, finishReason?: string) => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }],
  usageMetadata,
  modelVersion: 'gemini-2.5-pro',
})
const prompt = { promptTokenCount: 500, cachedContentTokenCount: 400 }
const chunks = [
  chunk([{ text: 'Thinking…', thought: true }], { ...prompt, thoughtsTokenCount: 30 }),
  chunk([{ text: 'It will ' }], { ...prompt, candidatesTokenCount: 5, thoughtsTokenCount: 30 }),
  chunk([{ text: 'rain in Zürich. ' }], { ...prompt, candidatesTokenCount: 12, thoughtsTokenCount: 30 }),
  chunk(
    [{ functionCall: { name: 'umbrella', args: { open: true } }, thoughtSignature: 'x' }],
    { ...prompt, candidatesTokenCount: 20, thoughtsTokenCount: 30, toolUsePromptTokenCount: 7 },
    'STOP',
  ),
]
const stream = data(chunks).replaceAll('\n\n', '\r\n\r\n')

describe('a stream of chunks', () => {
  test('M2: is counted by its last chunk, thoughts as output, cache and tools apart', () => {
    expect(readBody('gemini', stream)).toMatchObject({
      model: 'gemini-2.5-pro',
      usage: { input: 107, output: 50, cache_read: 400, cache_write: null, reasoning: 30, final: true },
      stop_reason: 'STOP',
      error: null,
    })
    const broken = readBody('gemini', data(chunks.slice(0, 2)))
    expect(broken.usage).toMatchObject({ output: 35, final: false })
    expect(broken.reply?.text).toBe('It will')
  })

  test('T7: is read the same as events, as an array in pieces, and whole', () => {
    const whole = readBody('gemini', stream)
    expect(whole.reply?.text).toBe('It will rain in Zürich.\numbrella({"open":true})')
    const array = JSON.stringify(chunks, null, 2)
    for (const piece of [1, 9, 1000]) {
      expect(readBody('gemini', stream, piece)).toEqual(whole)
      expect(readBody('gemini', array, piece)).toEqual(whole)
    }
    const parts = chunks.flatMap(({ candidates }) => candidates.flatMap(({ content }) => content.parts))
    const body = { ...chunks[3], candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] }
    expect(readBody('gemini', JSON.stringify(body))).toEqual(whole)
  })

  test('R10: as an array that broke is read up to there', () => {
    const array = JSON.stringify(chunks)
    const broken = readBody('gemini', array.slice(0, array.indexOf('umbrella')))
    expect(broken).toMatchObject({ reply: { text: 'It will rain in Zürich.' }, usage: { final: false } })
    for (let cut = 0; cut < array.length; cut += 17) readBody('gemini', array.slice(0, cut))
  })

  test('T6: may report an error after a 200', () => {
    const error = { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }
    expect(readBody('gemini', data([chunks[1], error])).error).toBe('UNAVAILABLE')
    expect(readBody('gemini', JSON.stringify([error])).error).toBe('UNAVAILABLE')
    expect(readBody('gemini', JSON.stringify(error)).error).toBe('UNAVAILABLE')
  })
})

describe('an answer', () => {
  test('has one digest: streamed, and resent whole or in its chunks', () => {
    const streamed = readBody('gemini', stream).reply
    const contentOf = chunks.flatMap(({ candidates }) => candidates.map(({ content }) => content))
    const joined = { role: 'model', parts: contentOf.flatMap(({ parts }) => parts) }
    for (const resent of [contentOf, [joined], contentOf.slice(1)]) {
      const { history } = readRequest(
        'gemini',
        {
          systemInstruction: { parts: [{ text: 'Be brief' }] },
          contents: [
            {
              role: 'user',
              parts: [{ text: 'Weather?' }, { inlineData: { mimeType: 'image/png', data: 'A' } }],
            },
            ...resent,
            {
              role: 'user',
              parts: [{ functionResponse: { name: 'umbrella', response: { output: 'open' } } }],
            },
          ],
        },
        path,
      )
      expect(history[2]).toEqual(streamed ?? { role: 'assistant', text: '', digest: '' })
      expect(history.map(({ role, text }) => [role, text]).toSpliced(2, 1)).toEqual([
        ['system', 'Be brief'],
        ['user', 'Weather?\n[image]'],
        ['tool', 'open'],
      ])
    }
  })

  test('is asked for by a path', () => {
    expect(readRequest('gemini', {}, path)).toMatchObject({ model: 'gemini-2.5-pro', stream: true })
    const whole = '/v1beta/models/gemini-2.5-pro:generateContent'
    expect(readRequest('gemini', {}, whole)).toMatchObject({ stream: false })
    expect(readRequest('gemini', 'x', '/v1beta/models/%zz:generateContent').model).toBe('%zz')
  })

  test('T5: to count tokens is no conversation, and its answer no usage', () => {
    const counting = '/v1beta/models/gemini-2.5-pro:countTokens'
    expect(readRequest('gemini', { contents: [{ parts: [{ text: 'x' }] }] }, counting).history).toEqual([])
    expect(readBody('gemini', '{"totalTokens": 31}').usage).toBeNull()
  })
})
