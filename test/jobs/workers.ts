import { spawnProcess, type TestProcess } from '../support/process.ts'
import type { Rig } from './support.ts'

/** Workers in processes of their own, to be killed. */
export type Workers = {
  /** Resolves when it takes jobs. */
  start(name: string): Promise<TestProcess>
  /** Ends all: what a failed test leaves would hold up those after it, and the dropping of its database. */
  end(): Promise<void>
}

export function openWorkers(rig: Rig): Workers {
  const started: TestProcess[] = []
  return {
    async start(name) {
      const path = new URL('./worker-process.ts', import.meta.url).pathname
      const worker = spawnProcess(['bun', path, rig.database.url, rig.queueUrl, name])
      started.push(worker)
      await worker.line(/^ready/, 20_000)
      return worker
    },
    async end() {
      await Promise.all(started.splice(0).map((worker) => worker.kill('SIGKILL')))
    },
  }
}
