import { codes, rpcError } from '../wire/codes.ts'
import type { Answer, RawJson } from '../wire/message.ts'
import { memberOf, namesOf, stringOf, withMember, withoutMembers } from '../wire/raw-json.ts'
import type { ClientCall } from './portal.ts'

/** A server that wants more after so many rounds will never have enough. */
const mostRounds = 10

/** Does a server of the modern era want input before it goes on? */
export function wantsInput(answer: Answer): answer is { result: RawJson } {
  return 'result' in answer && stringOf(answer.result, 'resultType') === 'input_required'
}

export type Asking = {
  params: RawJson
  answer: { result: RawJson }
  send(params: RawJson): Promise<Answer>
}

/**
 * A legacy client knows nothing of `input_required`: it is asked on the call's own stream, as servers of its era do,
 * and the call is made again with what it said.
 */
export async function askFor(call: ClientCall, { params, answer: first, send }: Asking): Promise<Answer> {
  let answer: Answer = first
  for (let round = 0; round < mostRounds && wantsInput(answer); round += 1) {
    const requests = memberOf(answer.result, 'inputRequests') ?? '{}'
    const responses: string[] = []
    for (const name of namesOf(requests)) {
      const request = memberOf(requests, name) ?? '{}'
      const method = stringOf(request, 'method') ?? ''
      const said = await call.ask(method, memberOf(request, 'params') ?? '{}')
      if ('error' in said) return { error: refused(method, said.error.message) }
      responses.push(`${JSON.stringify(name)}:${said.result}`)
    }
    if (call.signal.aborted) break
    const state = memberOf(answer.result, 'requestState')
    const again = withMember(
      withoutMembers(params, ['requestState']),
      'inputResponses',
      `{${responses.join(',')}}`,
    )
    answer = await send(state === null ? again : withMember(again, 'requestState', state))
  }
  if (!wantsInput(answer)) return answer
  return {
    error: rpcError(codes.internalError, `The server wants input again and again: ${mostRounds} rounds`),
  }
}

function refused(method: string, reason: string) {
  const capability = method.split('/')[0] ?? method
  return rpcError(
    codes.missingClientCapability,
    `The server needs ${method}, which this client does not answer: ${reason}`,
    { requiredCapabilities: { [capability]: {} } },
  )
}
