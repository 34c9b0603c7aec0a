import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { CacheMark, Doc, Image, Part, Source, Text } from '../model.ts'
import { inputText, requiredWord, text } from '../reading.ts'
import type { Losses } from '../rules.ts'
import { unpackSeal } from '../seal.ts'

/** https://platform.claude.com/docs/en/api/messages: the blocks of a message, in a request or an answer. */
export function readContent(content: unknown, losses: Losses): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objects(content).flatMap((block) => readBlock(block, losses) ?? [])
}

function readBlock(block: Json, losses: Losses): Part | null {
  const cache = cacheMark(block)
  switch (block.type) {
    case 'text':
    case 'image':
    case 'document':
    case 'search_result':
      return readShown(block, losses)
    case 'thinking':
      return { kind: 'thinking', text: text(block.thinking), seal: sealOf(block.signature) }
    case 'redacted_thinking': {
      const seal = unpackSeal(text(block.data), 'anthropic')
      return {
        kind: 'thinking',
        text: '',
        seal: { ...seal, redacted: seal.by === 'anthropic' || seal.redacted },
      }
    }
    case 'tool_use':
      return {
        kind: 'call',
        id: requiredWord(block.id, 'id of tool_use'),
        name: requiredWord(block.name, 'name of tool_use'),
        input: inputText(block.input),
        ...cache,
      }
    case 'tool_result':
      return {
        kind: 'result',
        id: requiredWord(block.tool_use_id, 'tool_use_id of tool_result'),
        name: null,
        content: readResult(block.content, losses),
        error: block.is_error === true,
        ...cache,
      }
    case 'container_upload':
      return losses.refuse('file-id')
    default:
      if (/^server_tool_use$|_tool_result$/.test(text(block.type)))
        losses.lose('server-history', text(block.type))
      else losses.lose('unknown-part', text(block.type))
      return null
  }
}

function readResult(content: unknown, losses: Losses): (Text | Image | Doc)[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objects(content).flatMap((block) => readShown(block, losses) ?? [])
}

function readShown(block: Json, losses: Losses): Text | Image | Doc | null {
  const cache = cacheMark(block)
  if (block.type === 'text') {
    if (objects(block.citations).length > 0) losses.lose('citations')
    return { kind: 'text', text: text(block.text), ...cache }
  }
  if (block.type === 'image') return { kind: 'image', source: readSource(block.source, losses), ...cache }
  if (block.type === 'document') {
    if (object(block.citations)?.enabled === true) losses.lose('citations')
    if (word(block.context) !== null) losses.lose('document-title')
    return { kind: 'document', source: readSource(block.source, losses), name: word(block.title), ...cache }
  }
  if (block.type === 'search_result') {
    losses.lose('citations')
    const said = objects(block.content).map((one) => text(one.text))
    return { kind: 'text', text: [text(block.title), text(block.source), ...said].join('\n'), ...cache }
  }
  // Tools that were found by a search, and other things of Anthropic's own tools.
  losses.lose('server-history', text(block.type))
  return null
}

function readSource(value: unknown, losses: Losses): Source {
  const source = object(value) ?? {}
  const mime = word(source.media_type)
  switch (source.type) {
    case 'base64':
      return { kind: 'base64', mime: mime ?? 'application/octet-stream', data: text(source.data) }
    case 'url':
      return { kind: 'url', mime: null, url: requiredWord(source.url, 'url of a source') }
    case 'text':
      return { kind: 'text', text: text(source.data) }
    case 'content': {
      const { content } = source
      if (objects(content).some(({ type }) => type !== 'text')) losses.refuse('document-type', 'with images')
      const texts = typeof content === 'string' ? [content] : objects(content).map((one) => text(one.text))
      return { kind: 'text', text: texts.join('\n') }
    }
    case 'file':
      return { kind: 'file', id: text(source.file_id) }
    default:
      return losses.refuse('unknown-part', `source ${text(source.type)}`)
  }
}

export function cacheMark(block: Json): { cache?: CacheMark } {
  const mark = object(block.cache_control)
  if (mark === null) return {}
  return { cache: { ttl: mark.ttl === '1h' || mark.ttl === '5m' ? mark.ttl : null } }
}

/** An empty signature is none. */
function sealOf(signature: unknown) {
  const signed = word(signature)
  return signed === null ? null : unpackSeal(signed, 'anthropic')
}
