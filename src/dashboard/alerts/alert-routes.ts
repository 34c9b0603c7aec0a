import { Elysia } from 'elysia'
import { may, type Principal } from '#access'
import { InputError, SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { checkUrlAt } from '#lib/safe-request'
import { newSigningSecret } from '#lib/signing-secret'
import { type Board, tag } from '../board-deps.ts'
import { houseOperator, isOfTheHouse } from '../house.ts'
import { deleteRule, findRules, insertRule, latestEvents, switchRule, updateRule } from './queries.ts'
import { sealedSecret } from './secrets.ts'
import { tryReceiver } from './try-receiver.ts'
import {
  eventView,
  listOf,
  type NewRuleView,
  newRuleView,
  type RuleView,
  ruleChange,
  ruleInput,
  ruleView,
  type TestView,
  testView,
} from './view.ts'

const description =
  'Rules are looked at every 10 s, by one gateway for all. A webhook is sent when one fires and when it is over, signed by the Standard Webhooks scheme, and tried again for about a day. A receiver that answers 410 is not asked again, as `webhook_error` says, until `webhook_url` is set anew.'

/** What operators want to be told of queues. */
export function alertRoutes({ sql, authorise, audit, contracts, vault, allowPrivate }: Board) {
  return new Elysia()
    .get(
      '/api/queues/alerts',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const items = (await findRules(sql)).map((rule) => shown(rule, principal))
        return Response.json({ items }, noStore)
      },
      routeDoc({ summary: 'Rules and their states', scope: 'read', tag, answer: listOf(ruleView) }),
    )
    .get(
      '/api/queues/alerts/events',
      async ({ request }) => {
        authorise(request, 'read')
        return Response.json({ items: await latestEvents(sql, 100) }, noStore)
      },
      routeDoc({ summary: 'What was told, latest first', scope: 'read', tag, answer: listOf(eventView) }),
    )
    .post(
      '/api/queues/alerts',
      async ({ request }) => Response.json(await create(request), { status: 201 }),
      routeDoc({
        ...{ summary: 'Watch a queue', description, scope: 'operator', tag },
        ...{ body: ruleInput, answer: newRuleView, status: 201 },
      }),
    )
    .patch(
      '/api/queues/alerts/:id',
      async ({ request, params: { id } }) => Response.json(await change(request, id)),
      routeDoc({ summary: 'Change a rule', scope: 'operator', tag, body: ruleChange, answer: newRuleView }),
    )
    .post(
      '/api/queues/alerts/:id/test',
      async ({ request, params: { id } }) => Response.json(await test(request, id)),
      routeDoc({
        ...{ summary: 'Send a `queue.alert.test` to its webhook, and say what came of it' },
        ...{ scope: 'operator', tag, answer: testView },
      }),
    )
    .delete(
      '/api/queues/alerts/:id',
      async ({ request, params: { id } }) => {
        const principal = houseOperator(authorise, request)
        await find(id)
        await audit.change({ request, principal, action: 'alert.delete', subject: `alert:${id}` }, (tx) =>
          deleteRule(tx, id),
        )
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Watch no longer', scope: 'operator', tag, status: 204 }),
    )

  async function create(request: Request): Promise<NewRuleView> {
    const principal = houseOperator(authorise, request)
    const input = await readJson(request, ruleInput)
    checkQueue(input.queue)
    const id = newId()
    const { plain, webhook_secret } = secretFor(id, input.webhook_url)
    const detail = { queue: input.queue, measure: input.measure, threshold: input.threshold }
    await audit.change({ request, principal, action: 'alert.create', subject: `alert:${id}`, detail }, (tx) =>
      insertRule(tx, { ...input, id, webhook_secret }),
    )
    return { ...(await find(id)), webhook_secret: plain }
  }

  async function change(request: Request, id: string): Promise<NewRuleView> {
    const principal = houseOperator(authorise, request)
    const before = await find(id)
    const input = await readJson(request, ruleChange)
    const moved = input.webhook_url !== undefined && input.webhook_url !== before.webhook_url
    // Another receiver must not be able to sign as the first one was signed for.
    const secret = moved ? secretFor(id, input.webhook_url ?? null) : null
    const { webhook_url: _, ...detail } = input
    const deed = { action: 'alert.change', subject: `alert:${id}`, detail }
    await audit.change({ request, principal, ...deed }, async (tx) => {
      const { enabled, ...change } = input
      await updateRule(tx, id, {
        ...change,
        ...(secret === null ? {} : { webhook_secret: secret.webhook_secret }),
        ...(input.webhook_url === undefined ? {} : { webhook_error: null }),
      })
      if (enabled !== undefined) await switchRule(tx, id, enabled)
    })
    return { ...(await find(id)), webhook_secret: secret?.plain ?? null }
  }

  async function test(request: Request, id: string): Promise<TestView> {
    const principal = houseOperator(authorise, request)
    const rule = await find(id)
    const deed = { action: 'alert.test', subject: `alert:${id}` }
    return await audit.run({ request, principal, ...deed }, () =>
      tryReceiver(rule, { sql, vault, allowPrivate }),
    )
  }

  function checkQueue(queue: string): void {
    if (contracts.some(({ name }) => name === queue)) return
    throw new InputError(422, 'bad-body', [{ pointer: '/queue', detail: 'there is no such queue' }])
  }

  async function find(id: string): Promise<RuleView> {
    const [rule] = isId(id) ? await findRules(sql, id) : []
    if (rule === undefined) throw new SluiceError(404, 'not-found', 'There is no such rule')
    return rule
  }

  /** As it is shown once, and as it is kept. @throws SluiceError 422 where the receiver must not be asked */
  function secretFor(id: string, url: string | null) {
    if (url === null) return { plain: null, webhook_secret: null }
    checkUrlAt('/webhook_url', url, allowPrivate)
    const plain = newSigningSecret()
    return { plain, webhook_secret: sealedSecret(vault, id, plain) }
  }
}

const noStore = { headers: { 'cache-control': 'no-store' } }

/** The path of a receiver is often its secret. */
function shown(rule: RuleView, principal: Principal): RuleView {
  if (rule.webhook_url === null || (isOfTheHouse(principal) && may(principal, 'operator'))) return rule
  return { ...rule, webhook_url: URL.parse(rule.webhook_url)?.origin ?? null }
}
