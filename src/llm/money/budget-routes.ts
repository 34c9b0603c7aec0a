import { Elysia } from 'elysia'
import { newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { newSigningSecret } from '#lib/signing-secret'
import {
  deleteBudget,
  findBudget,
  insertBudget,
  listBudgets,
  resetBudget,
  updateBudget,
} from './budget-queries.ts'
import type { MoneyRoutesOptions } from './routes-options.ts'
import { ownerOf } from './rule-subject.ts'
import { sealedSecret } from './secrets.ts'
import {
  type BudgetView,
  budgetChange,
  budgetInput,
  budgetView,
  idOf,
  listOf,
  newBudgetView,
  notFound,
  pageOf,
  reachOf,
  ruleQuery,
  tag,
} from './shapes.ts'

/** The rules that a client, and an auditor, can rely on. */
const description = `A call reserves what it may cost in every budget that is about it, before it is made, and settles what it did cost at its end.

Reserved are a token for each 3 bytes of the body (at the price of writing to the cache where the body asks for that), and the largest output limit that the body names, 4096 tokens where it names none. A call for which too little is left is answered 402, which no SDK tries again by itself.

What is spent can pass the limit only by (a) what calls under way cost more than they reserved, (b) what a gateway that died had leased and spent, until its calls are on record: at most its lease, for which others may have it after 15 s, (c) with on_outage "open", what is called while the database is down, (d) calls that unknown_price "allow" lets pass. Any number of gateways share one limit exactly.

A call whose provider tells no usage, or that breaks off before it, is charged by the bytes of its answer, and never more than it reserved. Local servers without a price cost nothing and are never refused; nor is what the cache answers, which reserves nothing. Of a call that climbs a ladder, each rung reserves and settles by itself. Days and months are those of UTC.`

/** Who reads sees the budgets of the own tenant and its keys; who sets them is an admin. */
export function budgetRoutes({ sql, vault, authorise, refresh }: MoneyRoutesOptions) {
  return new Elysia()
    .post(
      '/api/budgets',
      async ({ request }) => Response.json(await create(request), { status: 201 }),
      routeDoc({
        description,
        ...{
          summary: 'Set a budget',
          scope: 'admin',
          tag,
          body: budgetInput,
          answer: newBudgetView,
          status: 201,
        },
      }),
    )
    .get(
      '/api/budgets',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({
        summary: 'List budgets with their state, newest first',
        scope: 'read',
        tag,
        query: ruleQuery,
        answer: listOf(budgetView),
      }),
    )
    .get(
      '/api/budgets/:id',
      async ({ request, params: { id } }) => {
        const tenant = reachOf(authorise(request, 'read'), undefined)
        return Response.json(await find(id, tenant))
      },
      routeDoc({ summary: 'Show a budget and its state', scope: 'read', tag, answer: budgetView }),
    )
    .patch(
      '/api/budgets/:id',
      async ({ request, params: { id } }) => Response.json(await change(request, id)),
      routeDoc({
        summary: 'Change a budget',
        scope: 'admin',
        tag,
        body: budgetChange,
        answer: newBudgetView,
      }),
    )
    .delete(
      '/api/budgets/:id',
      async ({ request, params: { id } }) => {
        authorise(request, 'admin')
        if (!(await deleteBudget(sql, idOf(id, 'budget')))) throw notFound('budget')
        await inForce()
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a budget', scope: 'admin', tag, status: 204 }),
    )
    .post(
      '/api/budgets/:id/reset',
      async ({ request, params: { id } }) => {
        authorise(request, 'admin')
        const { period } = await find(id, null)
        await resetBudget(sql, id, period)
        return Response.json(await find(id, null))
      },
      routeDoc({
        summary: 'Forget what was spent in the running period',
        scope: 'admin',
        tag,
        answer: budgetView,
      }),
    )

  async function create(request: Request) {
    authorise(request, 'admin')
    const input = await readJson(request, budgetInput)
    const tenant = await ownerOf(sql, input)
    const id = newId()
    const plain = input.webhook_url === null ? null : newSigningSecret()
    const webhook_secret = plain === null ? null : sealedSecret(vault, id, plain)
    await insertBudget(sql, { ...input, id, tenant, webhook_secret })
    await inForce()
    return { ...(await find(id, null)), webhook_secret: plain }
  }

  async function change(request: Request, id: string) {
    authorise(request, 'admin')
    const input = await readJson(request, budgetChange)
    const before = await find(id, null)
    // Another receiver must not be able to sign as the first one was signed for.
    const moved = typeof input.webhook_url === 'string' && input.webhook_url !== before.webhook_url
    const plain = moved ? newSigningSecret() : null
    await updateBudget(sql, id, {
      ...input,
      ...(plain === null ? {} : { webhook_secret: sealedSecret(vault, id, plain) }),
      ...(input.webhook_url === undefined ? {} : { webhook_error: null }),
    })
    await inForce()
    return { ...(await find(id, null)), webhook_secret: plain }
  }

  async function list(request: Request) {
    const principal = authorise(request, 'read')
    const { limit, cursor, tenant } = readQuery(request, ruleQuery)
    const reach = reachOf(principal, tenant)
    return pageOf(await listBudgets(sql, { tenant: reach, before: cursor ?? null, limit }), limit)
  }

  async function find(id: string, tenant: string | null): Promise<BudgetView> {
    const found = await findBudget(sql, idOf(id, 'budget'), tenant)
    if (found === null) throw notFound('budget')
    return found
  }

  /** It is committed: should the database go down just now, the next check brings it. */
  async function inForce(): Promise<void> {
    await refresh().catch(() => {})
  }
}

/** As Standard Webhooks writes it. */
