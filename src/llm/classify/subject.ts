import type { Interpretation, Message } from '#capture'

/** What of an exchange is looked at to classify it. All texts are bounded. */
export type Subject = {
  /** The first and the last that a person said, without what a client put around it. */
  first: string
  last: string
  reply: string
  /** The beginning and the end of everything that was said, tools included. */
  all: string
  /** Length of everything that was said, in characters. */
  length: number
  messages: number
  /** Results of tools among them. */
  toolResults: number
}

const longestPart = 16 * 1024
const allHead = 32 * 1024
const allTail = 96 * 1024

export function subjectOf({ history, reply }: Pick<Interpretation, 'history' | 'reply'>): Subject {
  const said = history.filter(({ role }) => role === 'user')
  const texts = history.map(({ text }) => text)
  if (reply !== null) texts.push(reply.text)
  return {
    first: bounded(firstPersonal(said)),
    last: bounded(firstPersonal(said.toReversed())),
    reply: bounded(reply?.text ?? ''),
    all: ends(texts),
    length: texts.reduce((sum, text) => sum + text.length, 0),
    messages: texts.length,
    toolResults: history.filter(({ role }) => role === 'tool').length,
  }
}

/** Of the first message that a person typed something in. */
function firstPersonal(said: readonly Message[]): string {
  for (const { text } of said) {
    const typed = withoutTags(text.slice(0, 2 * longestPart)).trim()
    if (typed !== '') return typed
  }
  return ''
}

/** Tags without an end that are looked for: a text of nothing but such would take seconds. */
const mostUnclosed = 50

/** Agents put what they know about the machine into tags around what a person typed. */
function withoutTags(text: string): string {
  const unclosed = new Set<string>()
  let typed = ''
  let from = 0
  for (const { 0: tag, 1: name = '', index } of text.matchAll(/<([a-z][\w-]{2,40})>/g)) {
    if (index < from || unclosed.has(name)) continue
    if (unclosed.size >= mostUnclosed) break
    const close = text.indexOf(`</${name}>`, index + tag.length)
    if (close === -1) unclosed.add(name)
    else {
      typed += `${text.slice(from, index)} `
      from = close + name.length + 3
    }
  }
  return typed + text.slice(from)
}

function bounded(text: string): string {
  return text.length <= longestPart ? text : text.slice(0, longestPart)
}

function ends(texts: readonly string[]): string {
  const head: string[] = []
  let size = 0
  let at = 0
  for (; at < texts.length && size < allHead; at++) {
    const text = (texts[at] ?? '').slice(0, allHead - size)
    head.push(text)
    size += text.length
    if (text.length < (texts[at] ?? '').length) break
  }
  const tail: string[] = []
  let rest = allTail
  for (let last = texts.length - 1; last >= at && rest > 0; last--) {
    const text = (texts[last] ?? '').slice(-rest)
    tail.unshift(text)
    rest -= text.length
  }
  return [...head, ...tail].join('\n')
}
