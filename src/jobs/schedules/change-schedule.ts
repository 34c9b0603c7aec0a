import type { OwnWebhook } from '../webhooks/own.ts'
import { timingFrom } from './asked-timing.ts'
import { type NewScheduleOptions, rowJob } from './new-schedule.ts'
import { type ScheduleRow, timingOf } from './rows.ts'
import type { ScheduleChange } from './shapes.ts'
import { timeAfter } from './times.ts'

export type ChangedColumns = Partial<Omit<ScheduleRow, 'id' | 'tenant' | 'created_at'>>

/**
 * What of its row becomes another. Started again it goes on from now: what it missed while it was stopped is not made
 * up for. A schedule whose job is changed is from then on that of the key that changed it: nobody's jobs run in
 * another's name.
 * @throws InputError 422: as for a new one; SluiceError 403
 */
export function changesOf(
  row: ScheduleRow,
  change: ScheduleChange,
  options: NewScheduleOptions,
): { columns: ChangedColumns; own: OwnWebhook | null } {
  const { name, enabled, overlap, missed, job } = change
  const given = { name, enabled, overlap, missed }
  const columns: ChangedColumns = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  )
  const timing = changedTiming(row, change)
  if (timing !== null) Object.assign(columns, timing, { error: null })
  // Of an interval a change of the zone alone does not say when it is next.
  const isMoved = 'next_at' in columns
  if (enabled === true && !row.enabled && row.type !== 'once' && !isMoved)
    columns.next_at = timeAfter(timingOf(row), Date.now())
  if (job === undefined) return { columns, own: null }
  const { own, ...parts } = rowJob(job, options)
  const { tenant, keyId: key_id, capture } = options.principal
  // An admin of another tenant has no key there.
  const holder = tenant === row.tenant ? { key_id, capture } : {}
  return { columns: { ...columns, ...parts, ...holder, error: null }, own }
}

function changedTiming(row: ScheduleRow, { cron, every, at, time_zone = row.time_zone }: ScheduleChange) {
  if (cron !== undefined || every !== undefined || at !== undefined)
    return timingFrom({ cron, every, at, time_zone }, row.created_at)
  if (time_zone === row.time_zone) return null
  return row.cron === null ? { time_zone } : timingFrom({ cron: row.cron, time_zone }, row.created_at)
}
