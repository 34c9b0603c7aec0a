import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eachLine } from '#lib/lines'
import { installMissing } from './start/install.ts'
import { installPrograms } from './test/programs.ts'
import { openTally } from './test/tally.ts'

/** Per test, in ms: real servers start in many of them, machines for tests are slow, and `until` is patient. */
const timeout = 120_000

await installMissing({ development: true })
await installPrograms({
  ...{ 'redis-server': 'redis-server', nginx: 'nginx', curl: 'curl', chromium: 'chromium' },
})

// Whatever a test leaves behind goes with it. Others may pass: servers run as other users below it.
const temporary = await mkdtemp(join(tmpdir(), 'sluice-run-'))
await chmod(temporary, 0o755)

const child = Bun.spawn([process.execPath, 'test', `--timeout=${timeout}`, ...process.argv.slice(2)], {
  cwd: join(import.meta.dir, '..'),
  env: { ...process.env, TMPDIR: temporary, ...(process.stderr.isTTY ? { FORCE_COLOR: '1' } : {}) },
  stdin: 'ignore',
  stdout: 'inherit',
  stderr: 'pipe',
})
const tally = openTally()
await eachLine(child.stderr, (line) => {
  console.error(line)
  tally.read(line)
})
const code = await child.exited
await rm(temporary, { recursive: true, force: true })
// A runner that died without counting is a failure, too.
const failed = code === 0 ? tally.failed() : Math.max(1, tally.failed())
console.log(`${tally.passed()} passed, ${failed} failed`)
process.exit(failed > 0 && code === 0 ? 1 : code)
