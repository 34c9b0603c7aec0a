import { Elysia } from 'elysia'
import { z } from 'zod'
import { SluiceError } from '#lib/errors'
import { readJson } from '#lib/input'
import type { Logger } from '#lib/log'
import { routeDoc } from '#lib/route-doc'
import type { Access } from './access.ts'
import type { Audit } from './audit.ts'
import { fromOwnPage, setCookie } from './cookie.ts'
import { openLoginLimit } from './login-limit.ts'
import { scopes } from './principal.ts'
import { insertEnded } from './queries.ts'
import { idleMs, type Session } from './session.ts'

export const loginInput = z.strictObject({ key: z.string().min(1).max(500) })

export const meView = z.object({
  signed_in: z.boolean(),
  tenant: z.string().nullable(),
  key_id: z.string().nullable(),
  scopes: z.array(z.enum(scopes)),
  expires_at: z.iso.datetime().nullable().meta({ description: 'Of a session; asking here prolongs it' }),
})
export type Me = z.infer<typeof meView>

const tag = 'access'
const seconds = idleMs / 1_000

export type LoginRoutesOptions = {
  access: Access
  audit: Audit
  log?: Logger | undefined
  /** Where a connection comes from; null where not known. */
  addressOf?: ((request: Request) => string | null) | undefined
}

/** Sessions for pages in a browser: a key is shown once, and a signed cookie stands for it from then on. */
export function loginRoutes({ access, audit, log, addressOf = () => null }: LoginRoutesOptions) {
  const { sessions } = access
  const limit = openLoginLimit()
  return new Elysia()
    .post(
      '/api/login',
      async ({ request }) => {
        fromOwnPage(request)
        const { key } = await readJson(request, loginInput)
        const { value, session, principal } = begin(request, key)
        await audit.record(request, principal, { action: 'login', subject: `key:${session.subject}` })
        return answer(request, meOf(principal, session), value)
      },
      routeDoc({
        summary: 'Begin a session with a key: sets a cookie that pages use',
        scope: 'open',
        tag,
        body: loginInput,
        answer: meView,
      }),
    )
    .post(
      '/api/logout',
      async ({ request }) => {
        fromOwnPage(request)
        const headers = { 'set-cookie': setCookie(request, null, 0) }
        await end(request).catch(() => {
          throw new SluiceError(503, 'half-ended', halfEnded, { headers })
        })
        return new Response(null, { status: 204, headers })
      },
      routeDoc({
        summary: 'End the session of this browser: its cookie is worth nothing from then on, on any gateway',
        ...{ scope: 'open', tag, status: 204 },
      }),
    )
    .get(
      '/api/me',
      ({ request }) => {
        const who = sessions.current(request)
        if (who === null) return Response.json(nobody, noStore)
        const { value, session } = sessions.renew(who.session)
        return answer(request, meOf(who.principal, session), value)
      },
      routeDoc({ summary: 'Whose session this is, if any', scope: 'open', tag, answer: meView }),
    )

  /** @throws SluiceError 401, or 429 where too many from there have failed */
  function begin(request: Request, key: string) {
    const address = addressOf(request)
    limit.check(address)
    try {
      return sessions.begin(key)
    } catch (error) {
      if (error instanceof SluiceError && error.status === 401) {
        limit.failed(address)
        log?.warn({ address, reason: error.code }, 'access: a login failed')
      }
      throw error
    }
  }

  async function end(request: Request): Promise<void> {
    const who = sessions.current(request)
    if (who === null) return
    const { principal, session } = who
    const ended = sessions.end(session)
    const asked = { request, principal, action: 'logout', subject: `key:${session.subject}` }
    await audit.change(asked, (tx) => insertEnded(tx, ended))
  }
}

const halfEnded =
  'This browser and this gateway have forgotten the session; other gateways could not be told, as the database does not answer'

const noStore = { headers: { 'cache-control': 'no-store' } }
const nobody: Me = { signed_in: false, tenant: null, key_id: null, scopes: [], expires_at: null }

function answer(request: Request, me: Me, value: string): Response {
  return Response.json(me, {
    headers: { ...noStore.headers, 'set-cookie': setCookie(request, value, seconds) },
  })
}

function meOf(
  principal: { tenant: string; keyId: string | null; scopes: ReadonlySet<(typeof scopes)[number]> },
  session: Session,
): Me {
  return {
    signed_in: true,
    tenant: principal.tenant,
    key_id: principal.keyId,
    scopes: [...principal.scopes],
    expires_at: new Date(session.expiresAt).toISOString(),
  }
}
