import type { QueueView, Warning } from './view.ts'

type Seen = Pick<
  QueueView,
  'name' | 'up' | 'counts' | 'paused' | 'workers' | 'flow' | 'trend' | 'concurrency'
>

/** Only what is wrong, and somebody could mend. */
export function warningsOf(queue: Seen): Warning[] {
  if (!queue.up)
    return [
      { code: 'engine-down', text: 'The queue engine does not answer: what is shown is what was last known' },
    ]
  const found: Warning[] = []
  const { counts, workers, flow } = queue
  const held = queue.paused || queue.concurrency === 0
  if (counts.waiting > 0 && workers.length === 0 && !held) {
    found.push({
      code: 'no-workers',
      text: `${counts.waiting} ${counts.waiting === 1 ? 'waits' : 'wait'} and no worker is there: start "worker ${queue.name}"`,
    })
  }
  const idle = workers.filter((worker) => worker.idle_beside_backlog)
  if (idle.length > 0) {
    const who = idle.map(({ process, host, pid }) => `${process} on ${host} (${pid})`).join(', ')
    found.push({ code: 'idle-workers', text: `Does nothing although jobs wait: ${who}` })
  }
  const ended = (flow?.done ?? 0) + (flow?.failed ?? 0)
  if (flow !== null && ended >= 10 && flow.failed / ended >= 0.5) {
    const share = Math.round((100 * flow.failed) / ended)
    found.push({ code: 'failing', text: `${share}% of the last ${ended} failed` })
  }
  if (queue.trend === 'growing' && counts.waiting > 1_000 && !held) {
    found.push({ code: 'backlog-grows', text: 'More comes in than is done' })
  }
  return found
}
