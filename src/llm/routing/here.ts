import type { Call } from '../call.ts'
import { recordable } from '../headers.ts'
import type { Target } from '../target.ts'
import { explain } from './explain.ts'
import { modelList, modelListShape } from './model-list.ts'
import type { Plan } from './plan.ts'
import type { Routing } from './routing.ts'

/**
 * Calls that the gateway answers itself, asking nobody: what a client wants explained (`sluice-dry-run: 1`), and the
 * list of models where there are rules. Null where it is none of these.
 */
export function answerHere(
  routing: Routing,
  {
    request,
    target,
    call,
    plan,
    model,
  }: {
    request: Request
    target: Target
    call: Call
    plan: Plan | null
    model: () => string | null
  },
): Promise<Response> | null {
  const { headers, method } = request
  if (headers.has('sluice-dry-run') && headers.get('sluice-dry-run') !== '0') {
    const { providers, health } = routing
    const explained = explain(() => plan, { dialect: target.dialect, model: model(), providers, health })
    return answer(call, { ...explained, direct: plan === null ? target.provider : null }, 'dry-run')
  }
  if (method !== 'GET' || target.named || routing.planner.rules().length === 0) return null
  const shape = modelListShape(target.path, headers)
  return shape === null ? null : modelList(routing, shape).then((listed) => answer(call, listed, null))
}

async function answer(call: Call, body: object, reason: string | null): Promise<Response> {
  const response = Response.json(body, { headers: { 'cache-control': 'no-store' } })
  const bytes = new Uint8Array(await response.arrayBuffer())
  call.answered(200, recordable(response.headers))
  call.response(bytes)
  await call.end(reason === null ? 'completed' : 'rejected', reason)
  const headers = new Headers(response.headers)
  headers.set('sluice-exchange', call.id)
  return new Response(bytes, { headers })
}
