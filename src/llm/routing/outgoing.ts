import type { Caller } from '#access'
import { withoutKey } from '#lib/credentials'
import { SluiceError } from '#lib/errors'
import { replaceMember } from '#lib/json-edit'
import { dropCredentials } from '../credential.ts'
import { decompress } from '../decompress.ts'
import { readableBytes } from '../dialects/json.ts'
import { forwarded, type HeaderList } from '../headers.ts'
import type { ReadyProvider } from '../providers/provider.ts'
import { type Target, urlAt } from '../target.ts'
import { type Crossing, openCrossing } from './crossing.ts'
import { modelInPath } from './model-of.ts'
import type { Candidate, Plan } from './plan.ts'
import { translation } from './translation.ts'

/** What is sent to one candidate, but for the gateway's key. */
export type Outgoing = {
  url: string
  headers: Headers
  body: Uint8Array<ArrayBuffer> | null
  /** Of the bytes that go there. */
  dialect: string | null
  /** Does the client's own credential go with it? */
  ownCredential: boolean
  /** Where the candidate speaks another dialect. */
  crossing: Crossing | null
}

/** A call as its client made it. */
export type AskedCall = {
  target: Target
  caller: Caller
  headers: Headers
  recorded: HeaderList
  body: Uint8Array<ArrayBuffer> | null
  /** Null: none is named. */
  model: string | null
}

/**
 * The client's request as that candidate takes it: byte for byte where it speaks the client's dialect, but for the
 * model's name where the candidate has another; translated otherwise.
 * @throws SluiceError 400, 422 where it cannot be carried; 401 `needs-key` where the gateway's key is not for them
 */
export function outgoingTo(
  provider: ReadyProvider,
  { candidate, plan, asked }: { candidate: Candidate; plan: Plan; asked: AskedCall },
): Outgoing {
  const { target, caller } = asked
  const ownCredential = caller.passThrough && provider.name === target.provider
  if (!ownCredential && !provider.open && isGuest(caller) && !plan.spec.guests) throw needsKey(provider.name)
  if (target.dialect === null || provider.speaks.includes(target.dialect)) {
    return asItIs(provider, { candidate, asked, ownCredential })
  }
  return translated(provider, { candidate, asked })
}

function asItIs(
  provider: ReadyProvider,
  { candidate, asked, ownCredential }: { candidate: Candidate; asked: AskedCall; ownCredential: boolean },
): Outgoing {
  const { target, headers, recorded } = asked
  const onward = forwarded(headers, recorded)
  if (!ownCredential) dropCredentials(onward)
  let path = ownCredential ? target.path : withoutKey(target.path)
  let { body } = asked
  if (candidate.model !== null && candidate.model !== asked.model) {
    const named = modelInPath(path)
    if (named !== null) path = named.replace(candidate.model)
    else body = withModel(asked, onward, candidate.model)
  }
  if (body !== asked.body) onward.delete('content-length')
  const url = urlAt(provider.baseUrl, path)
  return { url, headers: onward, body, dialect: target.dialect, ownCredential, crossing: null }
}

/** A compressed body is unpacked for it. */
function withModel({ body, headers }: AskedCall, onward: Headers, model: string): Uint8Array<ArrayBuffer> {
  const encoding = headers.get('content-encoding')
  const plain = body === null ? null : decompress(body, encoding, readableBytes)
  const edited = plain === null ? null : replaceMember(plain, 'model', model)
  if (edited === null) {
    throw new SluiceError(
      400,
      'bad-body',
      'The body is no JSON object with a "model" that a route could replace',
    )
  }
  onward.delete('content-encoding')
  return edited as Uint8Array<ArrayBuffer>
}

function translated(
  provider: ReadyProvider,
  { candidate, asked }: { candidate: Candidate; asked: AskedCall },
): Outgoing {
  const { target, headers } = asked
  const to = provider.dialect
  const translator = target.dialect === null ? null : translation(target.dialect, to)
  if (translator === null) {
    throw new SluiceError(
      422,
      'other-dialect',
      `${provider.name} does not speak ${target.dialect ?? 'this'}, and there is no translation to ${to}`,
    )
  }
  const plain = decompress(asked.body ?? new Uint8Array(), headers.get('content-encoding'), readableBytes)
  if (plain === null)
    throw new SluiceError(400, 'bad-body', 'The body cannot be unpacked, or is too large to translate')
  const { model } = candidate
  const {
    path,
    body,
    headers: own,
    drop,
    warnings,
  } = translator.request(plain, target.path, headers, { model })
  const onward = forwarded(headers, asked.recorded)
  dropCredentials(onward)
  for (const name of drop) onward.delete(name)
  for (const name in own) onward.set(name, own[name] ?? '')
  // The answer has to be read here.
  onward.set('accept-encoding', 'identity')
  const url = urlAt(provider.baseUrl, path)
  const crossing = openCrossing({ translator, dialect: to, path, warnings })
  return {
    url,
    headers: onward,
    body: body as Uint8Array<ArrayBuffer>,
    dialect: to,
    ownCredential: false,
    crossing,
  }
}

/** Somebody without a Sluice key. */
function isGuest({ passThrough, principal }: Caller): boolean {
  return passThrough && principal.keyId === null && !principal.scopes.has('admin')
}

function needsKey(provider: string): SluiceError {
  return new SluiceError(
    401,
    'needs-key',
    `The route leads to ${provider}, whose key is the gateway's own: send a Sluice key`,
  )
}
