import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { repository, spawnProcess } from '../support/process.ts'

const suite = join(repository, 'node_modules/@modelcontextprotocol/conformance')
const client = join(repository, 'test/mcp/fixtures/conformance-client.ts')

/** Run by the suite, and scored by it only from a later revision on: all the same it holds. */
const more: Record<string, string[]> = {
  '2026-07-28': ['json-schema-2020-12-preservation'],
  '2025-11-25': [],
}

for (const revision of ['2025-11-25', '2026-07-28']) {
  for (const scenario of [...required(revision), ...(more[revision] ?? [])]) {
    test(`our side of a server meets what ${revision} requires of clients: ${scenario}`, async () => {
      const run = spawnProcess(
        [process.execPath, join(suite, 'dist/index.js'), 'client', '--scenario', scenario].concat(
          ...['--spec-version', revision, '--command', `${process.execPath} ${client}`],
        ),
        { cwd: temporaryFolder() },
      )
      const code = await run.exited
      expect(code, run.lines.join('\n')).toBe(0)
      expect(run.lines.join('\n')).toMatch(/Passed: (\d+)\/\1, 0 failed, 0 warnings/)
    }, 30_000)
  }
}

/** The scenarios for clients that the revision requires, without those about OAuth, which comes later. */
function required(revision: string): string[] {
  const text = readFileSync(join(suite, `requirements/${revision}.yaml`), 'utf8')
  const list = /^client:\n((?: {2}- .*\n)+)/m.exec(text)?.[1] ?? ''
  return list
    .split('\n')
    .map((line) => line.slice(4))
    .filter((scenario) => scenario !== '' && !scenario.startsWith('auth/'))
}
