import { Elysia } from 'elysia'
import { z } from 'zod'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Access } from './access.ts'
import type { Audit } from './audit.ts'
import { fromOwnPage, setCookie } from './cookie.ts'
import { scopes } from './principal.ts'
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

/** Sessions for pages in a browser: a key is shown once, and a signed cookie stands for it from then on. */
export function loginRoutes({ access, audit }: { access: Access; audit: Audit }) {
  const { sessions } = access
  return new Elysia()
    .post(
      '/api/login',
      async ({ request }) => {
        fromOwnPage(request)
        const { key } = await readJson(request, loginInput)
        const { value, session, principal } = sessions.begin(key)
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
        const who = sessions.current(request)
        if (who !== null) {
          await audit.record(request, who.principal, {
            action: 'logout',
            subject: `key:${who.session.subject}`,
          })
        }
        const headers = { 'set-cookie': setCookie(request, null, 0) }
        return new Response(null, { status: 204, headers })
      },
      routeDoc({ summary: 'End the session of this browser', scope: 'open', tag, status: 204 }),
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
}

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
