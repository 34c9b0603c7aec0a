import { codes } from '../wire/codes.ts'
import type { Answer, Era, RawJson, RpcError } from '../wire/message.ts'
import { memberOf, withMember, withoutMembers } from '../wire/raw-json.ts'

/** What results of a revision have that those of the others have not. */
const modernMembers = ['resultType', 'ttlMs', 'cacheScope']

/** An answer of a server in the words of the client's era. Changes nothing but what the era demands. */
export function answerFor(era: Era, method: string, answer: Answer): Answer {
  if ('error' in answer) return era === 'modern' ? modernError(answer.error) : answer
  return {
    result:
      era === 'modern' ? modernResult(method, answer.result) : withoutMembers(answer.result, modernMembers),
  }
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
