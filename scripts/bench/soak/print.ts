import { table } from '../print.ts'
import type { Minute } from './minute.ts'
import type { SoakFigures } from './soak.ts'

/** One line, so that an hour of them can be followed on a terminal. */
export function printMinute(number: number, minute: Minute): void {
  const { ledger, postgres, spoolBytes, brokerDepth } = minute
  const processes = Object.entries(minute.processes).map(
    ([name, one]) =>
      `${name} ${one.rssMiB.toFixed(0)}/${one.heapMiB.toFixed(0)} MiB ${one.descriptors} fd ${one.threads} thr` +
      ` lag ${one.lagMs.toFixed(0)} ms ${((minute.cpu[name] ?? 0) / 0.6).toFixed(0)} %`,
  )
  console.log(
    [
      `min ${number}: ${processes.join('; ')}`,
      `spool ${(spoolBytes / 1024).toFixed(0)} KiB, depth ${brokerDepth}`,
      `accepted ${ledger.accepted} = stored ${ledger.stored} + waiting ${ledger.spooled + ledger.queued}`,
      `Postgres ${postgres.connections} conn, ${postgres.anonMiB.toFixed(0)} + ${postgres.sharedMiB.toFixed(0)} MiB`,
      `database ${postgres.databaseMiB.toFixed(0)} MiB`,
    ].join(' | '),
  )
}

export function printSoak({ minutes, warmUpMinutes, trends, traffic, objects }: SoakFigures): void {
  console.log(`\n### soak: ${minutes.length} minutes, of which ${warmUpMinutes} to warm up\n`)
  const of = (value: number, unit: string) => `${value.toFixed(1)} ${unit}`.trim()
  table(
    ['what (lowest of each minute)', 'first', 'last', 'an hour', '±', 'allowed', ''],
    trends.map(({ name, unit, first, last, perHour, error, allowedPerHour, grows }) => [
      ...[
        name,
        of(first, unit),
        of(last, unit),
        of(perHour, unit),
        Number.isFinite(error) ? of(2 * error, unit) : '',
      ],
      ...[Number.isFinite(allowedPerHour) ? of(allowedPerHour, unit) : 'any', grows ? 'GROWS' : 'flat'],
    ]),
  )
  const wrong = Object.entries(traffic).map(([name, { done, wrong }]) => `${name} ${done} (${wrong} wrong)`)
  console.log(`\ndone: ${wrong.join(', ')}`)
  const growing = trends.filter(({ grows }) => grows).map(({ name }) => name)
  const unequal = minutes.filter(({ ledger }) => !ledger.adds_up).length
  console.log(
    `ledger: added up in ${minutes.length - unequal} of ${minutes.length} minutes; all stored in the end`,
  )
  for (const [name, kinds] of Object.entries(objects))
    console.log(
      `objects, ${name}: ${kinds.map(([kind, more]) => `${kind} +${more}`).join(', ') || 'no more'}`,
    )
  console.log(growing.length === 0 ? 'verdict: nothing grows' : `verdict: grows: ${growing.join(', ')}`)
}
