import type { AuditView, Me } from '#access'
import type { EventView, NewRuleView, RuleInput, RuleView } from '../../alerts/view.ts'
import type { EngineJobDetailView, EngineJobView } from '../../queues/engine-job-view.ts'
import type { DeadLetters, RowDetail, RowList } from '../../rows/view.ts'
import { call } from './client.ts'
import { searchOf } from './place.ts'

export type { BoardView, KindView, QueueView, WorkerView } from '../../queues/view.ts'
export type { BodyView, DeadLetters, RowDetail, RowList, RowState, RowView } from '../../rows/view.ts'
export type { AuditView, EngineJobDetailView, EngineJobView, EventView, Me, NewRuleView, RuleInput, RuleView }

type Query = Record<string, string | undefined>
type Page<Item> = { items: Item[]; next_cursor: string | null }
type Options = { signal?: AbortSignal }

export type Limits = {
  kind?: string
  concurrency?: number | null
  rate?: { max: number; per_ms: number } | null
}

export type ScheduleView = {
  id: string
  name?: string
  kind: string
  cron?: string | null
  every_ms?: number | null
  run_at?: string | null
  timezone?: string | null
  next_at?: string | null
  last_at?: string | null
  paused?: boolean
}

export type BulkAnswer = { matched?: number; count?: number; id?: string }

/** Every call that pages make; the shapes are the server's own. */
export const api = {
  me: () => call<Me>('GET', '/api/me'),
  login: (key: string) => call<Me>('POST', '/api/login', { body: { key } }),
  logout: () => call<void>('POST', '/api/logout'),

  hold: (queue: string, paused: boolean, kind?: string) =>
    call<void>('POST', `/api/queues/${at(queue)}/${paused ? 'pause' : 'resume'}`, { body: { kind } }),
  drain: (queue: string, delayed: boolean) =>
    call<{ removed: number }>('POST', `/api/queues/${at(queue)}/drain`, { body: { delayed } }),
  limit: (queue: string, limits: Limits) =>
    call<void>('PUT', `/api/queues/${at(queue)}/limits`, { body: limits }),

  engineJobs: (queue: string, query: Query, options?: Options) =>
    call<Page<EngineJobView>>('GET', `/api/queues/${at(queue)}/jobs?${searchOf(query)}`, options),
  engineJob: (queue: string, id: string, options?: Options) =>
    call<EngineJobDetailView>('GET', `/api/queues/${at(queue)}/jobs/${at(id)}`, options),
  actOnEngineJob: (queue: string, id: string, act: 'retry' | 'promote' | 'remove') =>
    call<void>('POST', `/api/queues/${at(queue)}/jobs/${at(id)}/${act}`),

  rows: (query: Query, options?: Options) =>
    call<RowList>('GET', `/api/queues/jobs/rows?${searchOf(query)}`, options),
  row: (id: string, options?: Options) => call<RowDetail>('GET', `/api/queues/jobs/rows/${at(id)}`, options),
  deadLetters: (options?: Options) => call<DeadLetters>('GET', '/api/queues/jobs/dead-letters', options),
  rowPart: (id: string, part: string) => `/api/queues/jobs/rows/${at(id)}/${part}`,

  retry: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/retry`),
  cancel: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/cancel`),
  promote: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/promote`),
  remove: (id: string) => call<void>('DELETE', `/api/jobs/${at(id)}`),
  submit: (job: Record<string, unknown>) => call<{ id: string }>('POST', '/api/jobs', { body: job }),
  bulk: (order: Record<string, unknown>) => call<BulkAnswer>('POST', '/api/jobs/bulk', { body: order }),
  exchangesOf: (id: string, options?: Options) =>
    call<Page<Exchange>>('GET', `/api/exchanges?${searchOf({ tag: `job:${id}`, limit: '20' })}`, options),

  schedules: (options?: Options) => call<Page<ScheduleView>>('GET', '/api/schedules', options),

  rules: (options?: Options) => call<{ items: RuleView[] }>('GET', '/api/queues/alerts', options),
  alertEvents: (options?: Options) =>
    call<{ items: EventView[] }>('GET', '/api/queues/alerts/events', options),
  addRule: (rule: RuleInput) => call<NewRuleView>('POST', '/api/queues/alerts', { body: rule }),
  changeRule: (id: string, change: Partial<RuleInput>) =>
    call<NewRuleView>('PATCH', `/api/queues/alerts/${at(id)}`, { body: change }),
  removeRule: (id: string) => call<void>('DELETE', `/api/queues/alerts/${at(id)}`),

  audit: (query: Query, options?: Options) =>
    call<Page<AuditView>>('GET', `/api/audit?${searchOf(query)}`, options),
}

export type Exchange = {
  id: string
  method: string
  path: string
  status: number | null
  model: string | null
  started_at: string
}

function at(part: string): string {
  return encodeURIComponent(part)
}
