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
  const said = history.filter(({ role }) => role === 'user').flatMap((message) => personal(message) || [])
  const texts = history.map(({ text }) => text)
  if (reply !== null) texts.push(reply.text)
  return {
    first: bounded(said[0] ?? ''),
    last: bounded(said.at(-1) ?? ''),
    reply: bounded(reply?.text ?? ''),
    all: ends(texts),
    length: texts.reduce((sum, text) => sum + text.length, 0),
    messages: texts.length,
    toolResults: history.filter(({ role }) => role === 'tool').length,
  }
}

/** Agents put what they know about the machine into tags around what a person typed. */
function personal({ text }: Message): string {
  return text
    .slice(0, 2 * longestPart)
    .replace(/<([a-z][\w-]{2,40})>[\s\S]*?<\/\1>/g, ' ')
    .trim()
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
