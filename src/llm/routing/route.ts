import { z } from 'zod'
import { word } from '#lib/fields'
import { ladderSpec } from '../ladder/spec.ts'
import { onwardDialects } from '../providers/provider.ts'

/** What an operator writes. Whatever is left out of `match` is no condition. */

const words = z.array(word).min(1).max(100).optional()
const glob = word.meta({ description: 'A name, or a pattern in which * stands for anything' })
const ms = z.int().min(10).max(3_600_000).optional()

export const sensitivities = ['public', 'internal', 'sensitive', 'critical'] as const
export const policies = ['default_local_first', 'enterprise_residency', 'compliance_local_only'] as const

export const match = z.strictObject({
  models: z.array(glob).min(1).max(100).optional(),
  keys: words.meta({ description: 'Ids of keys' }),
  tenants: words,
  headers: z.record(z.string().toLowerCase().min(1).max(100), glob).optional(),
  tags: words.meta({ description: 'Each must be there' }),
  dialects: z.array(z.enum(onwardDialects)).min(1).optional().meta({ description: 'Of the client' }),
  min_bytes: z.int().nonnegative().optional().meta({ description: 'Of the request body' }),
  max_bytes: z.int().nonnegative().optional(),
  classes: z.record(word, z.array(word).min(1)).optional().meta({
    description:
      'As `{"task_type":["debugging"]}`: what the client says in `sluice-class: task_type=debugging`, else what local rules find in the request; for a rule with a policy either of both, unless the key has the scope `label`',
  }),
  sensitivity: z.array(z.enum(sensitivities)).min(1).optional().meta({
    description:
      'What local rules find in the request, or what the client says in `sluice-sensitivity: internal` where that is higher; of a key with the scope `label` what it says',
  }),
})

export const candidate = z.strictObject({
  provider: word.meta({
    description: '`auto`: the one whose model it is, or that `provider/model` names',
  }),
  model: word.optional().meta({ description: 'Unset: the one asked for' }),
  weight: z.number().positive().max(1_000_000).default(1),
  priority: z.int().min(0).max(1_000).default(0).meta({ description: 'Lower first' }),
  retries: z.int().min(0).max(5).default(0),
  timeouts: z
    .strictObject({ headers_ms: ms, first_byte_ms: ms, idle_ms: ms })
    .default({})
    .meta({ description: 'Of one try; to the quarter of a second' }),
})

const status = z.string().regex(/^[1-5](\d\d|xx)$/, 'must be a status as in 404, or a class as in 5xx')

export const fallback = z.strictObject({
  statuses: z.array(status).max(50).default(['401', '402', '403', '408', '429', '5xx']),
  timeout: z.boolean().default(true).meta({ description: 'No connection, no answer in time' }),
  silence: z
    .boolean()
    .default(true)
    .meta({ description: 'An answer that broke off or fell silent before its first byte' }),
})

export const routeSpec = z.strictObject({
  match: match.default({}),
  candidates: z.array(candidate).max(20).default([]),
  ladder: ladderSpec
    .optional()
    .meta({ description: 'Instead of candidates: up to three models, until one is good enough' }),
  refuse: z
    .literal('unknown-model')
    .optional()
    .meta({ description: 'Instead of candidates: 404 with names that are near' }),
  policy: z.enum(policies).optional().meta({
    description:
      'Candidates on own machines first, and nobody else: for sensitive and critical calls (`default_local_first`), for all but public ones (`enterprise_residency`), for any (`compliance_local_only`)',
  }),
  binding: z.boolean().default(false).meta({
    description:
      'Does the policy hold also for calls that name their provider (`/p/…`, orchestra, rungs of a ladder, replays), and for those that rules do not send anywhere (files, batches)? Where it does not let that provider have such a call, the call is refused with 403 `kept-local`; else it goes on as it is. Whatever cannot be told of a call counts as if it matched',
  }),
  balance: z.enum(['weight', 'least_busy']).default('weight').meta({ description: 'Within a priority' }),
  fallback: fallback.default(fallback.parse({})),
  on_disconnect: z.enum(['cancel', 'finish']).optional(),
  guests: z
    .boolean()
    .default(false)
    .meta({ description: "May callers without a Sluice key spend the gateway's own provider keys?" }),
  cache: z
    .strictObject({ ttl_seconds: z.int().min(1).max(2_592_000).default(3_600) })
    .optional()
    .meta({ description: 'Answer the same request from memory' }),
})
export type RouteSpec = z.infer<typeof routeSpec>
export type CandidateSpec = z.infer<typeof candidate>

export type Route = { id: string; name: string; position: number; enabled: boolean; spec: RouteSpec }
