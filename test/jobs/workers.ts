import { spawnProcess, type TestProcess } from '../support/process.ts'
import { type Engine, openRig, type Rig } from './support.ts'

/** A rig whose workers are processes of their own, to be killed. What is left of them ends with it. */
export type Workers = AsyncDisposable & {
  rig: Rig
  /** Resolves when it takes jobs. */
  start(name: string): Promise<TestProcess>
  /** Submits a job that takes so many ms; where that is less than nothing, it kills its worker after them. */
  takes(ms: number, how?: Record<string, unknown>): Promise<string>
  /** The outcomes of its attempts, in their order. */
  outcomes(id: string): Promise<(string | null)[]>
}

export async function openWorkers(engine: Engine): Promise<Workers> {
  const rig = await openRig(engine)
  const started: TestProcess[] = []
  return {
    rig,
    async start(name) {
      const path = new URL('./worker-process.ts', import.meta.url).pathname
      const worker = spawnProcess(['bun', path, rig.database.url, rig.queueUrl, name])
      started.push(worker)
      await worker.line(/^ready/, 60_000)
      return worker
    },
    takes: (ms, how = {}) => rig.add({ kind: 'scripted', input: { n: ms }, ...how }),
    async outcomes(id) {
      const rows = await rig.database.sql<{ outcome: string | null }[]>`
        select outcome from job_attempts where job_id = ${id} order by attempt`
      return rows.map(({ outcome }) => outcome)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((worker) => worker.kill('SIGKILL')))
      await rig.close()
    },
  }
}
