import { codes } from '../wire/codes.ts'
import type { Answer, Era, RawJson, RpcError } from '../wire/message.ts'
import { memberOf, stringOf, withMember, withoutMembers } from '../wire/raw-json.ts'

/** What results of a revision have that those of the others have not. */
const modernMembers = ['resultType', 'ttlMs', 'cacheScope']

/** A tool as clients of before 2026-07-28 know them: what it gives out can only be an object. */
export function toolFor(era: Era, tool: RawJson): RawJson {
  if (era === 'modern') return tool
  const schema = memberOf(tool, 'outputSchema')
  return schema === null || stringOf(schema, 'type') === 'object'
    ? tool
    : withoutMembers(tool, ['outputSchema'])
}

/** An answer of a server in the words of the client's era. Changes nothing but what the era demands. */
export function answerFor(era: Era, method: string, answer: Answer): Answer {
  if ('error' in answer) return era === 'modern' ? modernError(answer.error) : answer
  return { result: era === 'modern' ? modernResult(method, answer.result) : legacyResult(answer.result) }
}

function legacyResult(result: RawJson): RawJson {
  const structured = memberOf(result, 'structuredContent')
  const isObject = structured === null || structured.startsWith('{')
  return withoutMembers(result, isObject ? modernMembers : [...modernMembers, 'structuredContent'])
}

function modernResult(method: string, given: RawJson): RawJson {
  let result = given
  if (memberOf(result, 'resultType') === null) result = withMember(result, 'resultType', '"complete"')
  if (method !== 'resources/read' || memberOf(result, 'resultType') !== '"complete"') return result
  if (memberOf(result, 'ttlMs') === null) result = withMember(result, 'ttlMs', '0')
  // Whoever may read it here was asked for a credential: what a server shows to all is not shown to all by us.
  return memberOf(result, 'cacheScope') === '"private"'
    ? result
    : withMember(result, 'cacheScope', '"private"')
}

/** Codes of earlier revisions must not be sent in this one. */
const replaced = new Map([
  [-32_002, codes.invalidParams as number],
  [-32_042, codes.internalError as number],
])

function modernError(error: RpcError): Answer {
  const code = replaced.get(error.code)
  return { error: code === undefined ? error : { ...error, code } }
}
