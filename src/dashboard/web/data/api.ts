import type { AuditView, Me } from '#access'
import type { EventView, NewRuleView, RuleInput, RuleView, TestView } from '../../alerts/view.ts'
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

/** As in `#jobs`, where its types lead too far for a browser's. */
export type ScheduleView = {
  id: string
  name: string
  type: 'cron' | 'interval' | 'once'
  cron: string | null
  time_zone: string
  /** Seconds. */
  every: number | null
  enabled: boolean
  overlap: 'allow' | 'skip'
  missed: 'once' | 'skip'
  job: ScheduledJob
  next_at: string | null
  last_at: string | null
  last_job_id: string | null
  error: string | null
  fired: number
}

/** What it submits; the input only where one is shown alone. */
export type ScheduledJob = {
  kind: string
  input?: unknown
  tags?: string[]
  attempts?: number
  [other: string]: unknown
}

export type JobKind = {
  name: string
  summary: string
  input: Record<string, unknown>
  needs: Me['scopes']
  defaults: { attempts: number; timeout: number }
}

export type Timing = { cron?: string; time_zone?: string; every?: number; at?: string }

export type BulkVerb = 'retry' | 'cancel' | 'remove'

export type DeliveryView = {
  id: string
  event: string
  state: string
  created_at: string
  tries: number
  status: number | null
  error: string | null
  delivered_at: string | null
}

export type BulkOrder = {
  action: BulkVerb
  filter: Query
  per_second?: number
}

export type BulkView = {
  id: string
  action: BulkVerb
  filter: Record<string, unknown>
  per_second: number
  state: 'running' | 'paused' | 'done' | 'cancelled'
  total: number
  changed: number
  progress: number
  error: string | null
  created_at: string
  ended_at: string | null
}

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

  file: (id: string) => `/api/jobs/${at(id)}/file`,
  retry: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/retry`),
  cancel: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/cancel`),
  promote: (id: string) => call<void>('POST', `/api/jobs/${at(id)}/promote`),
  remove: (id: string) => call<void>('DELETE', `/api/jobs/${at(id)}`),
  submit: (json: string) => call<{ id: string }>('POST', '/api/jobs', { json }),
  countBulk: (order: BulkOrder) =>
    call<{ count: number }>('POST', '/api/jobs/bulk', { body: { ...order, dry_run: true } }),
  startBulk: (order: BulkOrder) => call<BulkView>('POST', '/api/jobs/bulk', { body: order }),
  bulks: (options?: Options) => call<Page<BulkView>>('GET', '/api/jobs/bulk', options),
  moveBulk: (id: string, move: 'pause' | 'resume' | 'cancel') =>
    call<BulkView>('POST', `/api/jobs/bulk/${at(id)}/${move}`),

  deliveriesOf: (id: string, options?: Options) =>
    call<Page<DeliveryView>>('GET', `/api/jobs/${at(id)}/deliveries`, options),
  redeliver: (id: string) => call<unknown>('POST', `/api/deliveries/${at(id)}/redeliver`),
  exchangesOf: (id: string, options?: Options) =>
    call<Page<Exchange>>('GET', `/api/exchanges?${searchOf({ tag: `job:${id}`, limit: '20' })}`, options),

  kinds: (options?: Options) => call<{ items: JobKind[] }>('GET', '/api/jobs/kinds', options),
  schedules: (query: Query, options?: Options) =>
    call<Page<ScheduleView>>('GET', `/api/schedules?${searchOf(query)}`, options),
  schedule: (id: string, options?: Options) => call<ScheduleView>('GET', `/api/schedules/${at(id)}`, options),
  previewTimes: (timing: Timing, options?: Options) =>
    call<{ upcoming: string[] }>('POST', '/api/schedules/preview', { ...options, body: timing }),
  addSchedule: (json: string) => call<ScheduleView>('POST', '/api/schedules', { json }),
  changeSchedule: (id: string, json: string) =>
    call<ScheduleView>('PATCH', `/api/schedules/${at(id)}`, { json }),
  removeSchedule: (id: string) => call<void>('DELETE', `/api/schedules/${at(id)}`),
  enableSchedule: (id: string, enabled: boolean) =>
    call<ScheduleView>('PATCH', `/api/schedules/${at(id)}`, { body: { enabled } }),
  runSchedule: (id: string) => call<{ job_id: string }>('POST', `/api/schedules/${at(id)}/run`),

  rules: (options?: Options) => call<{ items: RuleView[] }>('GET', '/api/queues/alerts', options),
  alertEvents: (options?: Options) =>
    call<{ items: EventView[] }>('GET', '/api/queues/alerts/events', options),
  addRule: (rule: RuleInput) => call<NewRuleView>('POST', '/api/queues/alerts', { body: rule }),
  changeRule: (id: string, change: Partial<RuleInput>) =>
    call<NewRuleView>('PATCH', `/api/queues/alerts/${at(id)}`, { body: change }),
  testRule: (id: string) => call<TestView>('POST', `/api/queues/alerts/${at(id)}/test`),
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
