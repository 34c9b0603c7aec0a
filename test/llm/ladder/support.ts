import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { newId } from '#lib/ids'
import { openVault } from '#lib/vault'
import { openAdapters, openAsking, openLadders, openProviders, openRouting } from '#llm'
import { askingRoutes, routingRoutes } from '#routes/llm'
import { object, objects } from '../../../src/llm/dialects/json.ts'
import { putRoute } from '../../../src/llm/routing/queries.ts'
import { routeSpec } from '../../../src/llm/routing/route.ts'
import { adminKey, testAccess } from '../../access/support.ts'
import { ask, testApp } from '../../processes/support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { testDatabase } from '../../support/postgres.ts'
import { quiet } from '../money/support.ts'
import { type TestGatewayOptions, testGateway } from '../proxy-support.ts'

/** What a model says next: a text, or a status to fail with. The last is said again and again. */
export type Lines = Record<string, (string | number)[]>

/** A gateway with a ladder as its only rule, in front of one server whose models say their lines. */
export async function openLadderGateway(options: TestGatewayOptions = {}) {
  const database = await testDatabase()
  const { sql } = database
  await sql`insert into tenants (id, name) values ('acme', 'Acme')`
  let lines: Lines = {}
  const asked: { model: string; prompt: string }[] = []
  const upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => spoken(await request.json()),
  })
  const own = { baseUrl: `http://127.0.0.1:${upstream.port}`, apiKey: 'sk-of-the-gateway' }
  const providers = openProviders({ deepseek: own, openai: own })
  const vault = openVault('a secret of the tests, long enough for all')
  const folder = temporaryFolder()
  const routing = await openRouting({
    sql,
    log: quiet,
    providers,
    vault,
    snapshotFile: `${folder}/routing.json`,
  })
  const adapters = openAdapters({ providers })
  const ladders = openLadders({ sql, adapters, log: quiet })
  const gateway = await testGateway(() => new Response(null, { status: 500 }), {
    providers,
    routing,
    ladders,
    ...options,
  })
  const access: Access = await testAccess(sql)
  const asking = openAsking({ sql, proxy: gateway.proxy, routing, vault, adapters, folder })
  const { authorise } = access
  const app: AnyElysia = testApp(access, {
    routes: [askingRoutes({ asking, authorise }), routingRoutes({ sql, routing, authorise, vault })],
  })

  function spoken(body: unknown): Response {
    const { model, stream, messages } = object(body) ?? {}
    const name = String(model)
    asked.push({ model: name, prompt: JSON.stringify(messages) })
    const left = lines[name] ?? [404]
    const line = (left.length > 1 ? left.shift() : left[0]) ?? 404
    if (line === 'never') return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    if (typeof line === 'number')
      return Response.json({ error: { message: 'no' } }, { status: line, headers: { 'retry-after-ms': '1' } })
    const usage = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }
    const call = /^call (\w+) (.*)$/.exec(line)
    const said =
      call === null
        ? { content: line }
        : {
            content: null,
            tool_calls: [
              { index: 0, id: 'c1', type: 'function', function: { name: call[1], arguments: call[2] } },
            ],
          }
    const head = { id: 'x', model: name, created: 1 }
    if (stream !== true) {
      const choices = [
        {
          index: 0,
          message: { role: 'assistant', ...said },
          finish_reason: call === null ? 'stop' : 'tool_calls',
        },
      ]
      return Response.json({ ...head, object: 'chat.completion', choices, usage })
    }
    const chunk = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    const end = `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`
    return new Response(chunk({ role: 'assistant', ...said }, null) + chunk({}, 'stop') + end, {
      headers: { 'content-type': 'text/event-stream' },
    })
  }

  return {
    ...{ database, gateway, asked, app },
    async ladder(ladder: unknown, next: Lines, more: object = {}) {
      lines = next
      asked.length = 0
      const spec = routeSpec.parse({ ladder, guests: true, ...more })
      await putRoute(sql, { id: newId(), name: 'climbing', position: 1, enabled: true, spec })
      await routing.refresh()
    },
    async say(
      prompt: string,
      {
        path = '/v1/messages',
        headers = {},
        ...more
      }: { path?: string; headers?: Record<string, string>; stream?: boolean; tools?: unknown } = {},
    ) {
      const body = JSON.stringify({
        model: 'any',
        max_tokens: 100,
        messages: [{ role: 'user', content: prompt }],
        ...more,
      })
      const response = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      })
      const text = await response.text()
      const json = text.startsWith('{') ? JSON.parse(text) : null
      const said: unknown =
        objects(json?.content)[0]?.text ??
        objects(json?.choices).map(({ message }) => object(message)?.content)[0] ??
        null
      return { response, status: response.status, headers: response.headers, text, json, said }
    },
    admin: (method: string, path: string, body?: unknown) =>
      ask(app, path, {
        ...{ method, headers: { authorization: `Bearer ${adminKey}` } },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async close() {
      await gateway.stop()
      await upstream.stop(true)
      await Promise.all([routing.close(), access.close()])
      await database.drop()
    },
  }
}
export type LadderGateway = Awaited<ReturnType<typeof openLadderGateway>>
