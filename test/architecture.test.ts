import { expect, test } from 'bun:test'
import { posix } from 'node:path'
import { readSources, type Source, topLevelStatements } from './support/sources.ts'

/** Lowest first. A folder imports lower ones only, never one beside it. */
const levels = [
  ['queues'],
  ['lib'],
  ['store'],
  ['broker'],
  ['access'],
  ['capture'],
  ['llm', 'mcp'],
  ['jobs'],
  ['verify', 'compliance', 'specialists'],
  ['deploy'],
  ['dashboard'],
  ['processes'],
]
/** The page and its worker are processes, too: those of a browser. */
const inBrowsers = new Set(['src/dashboard/web/main.tsx', 'src/dashboard/web/live-worker.ts'])
const mostLines = 300
const medianLines = 80

const domains = [...readSources('src/**/*.{ts,tsx}'), ...readSources('queues/**/*.ts')]
const scripts = readSources('scripts/**/*.ts')
const tests = readSources('test/**/*.ts')

test('the walk finds the files that it is about', () => {
  expect(domains.length).toBeGreaterThan(40)
  expect(scripts.length).toBeGreaterThan(5)
  expect(tests.length).toBeGreaterThan(10)
  expect(domains.flatMap((source) => source.imports).length).toBeGreaterThan(100)
})

test('every folder under src has a level', () => {
  expect(domains.filter((source) => levelOf(source.domain) === -1).map((source) => source.path)).toEqual([])
})

test('a domain imports lower domains only', () => {
  const wrong = eachImport(domains, (source, specifier) => {
    const target = targetDomain(specifier)
    return target !== null && levelOf(target) >= levelOf(source.domain)
  })
  expect(wrong).toEqual([])
})

test('a domain is entered by its doors, and by its routes, consumers and tools from processes only', () => {
  const wrong = eachImport(domains, (source, specifier) => {
    if (specifier.startsWith('#lib/') || specifier.startsWith('#queues/')) return false
    if (/^#(routes|consumers|tools)\/[a-z]+$/.test(specifier)) return source.domain !== 'processes'
    return specifier.startsWith('#') && !/^#[a-z]+$/.test(specifier)
  })
  expect(wrong).toEqual([])
})

test('a relative import stays in its domain and names the file', () => {
  const wrong = eachImport([...domains, ...scripts], (source, specifier) => {
    if (!specifier.startsWith('.')) return false
    const root =
      source.domain === null ? 'scripts' : source.domain === 'queues' ? 'queues' : `src/${source.domain}`
    const target = posix.join(posix.dirname(source.path), specifier)
    return !target.startsWith(`${root}/`) || !/\.(tsx?|json|html|css)$/.test(specifier)
  })
  expect(wrong).toEqual([])
})

test('nothing is exported wholesale', () => {
  const wrong = [...domains, ...scripts].filter(({ text }) => /^export \*/m.test(text))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('only lib reads the environment', () => {
  const readers = domains.filter(({ text }) => /\b(process|Bun|import\.meta)\.env\b/.test(text))
  expect(readers.map(({ path }) => path)).toEqual(['src/lib/env.ts', 'src/lib/relay-env.ts'])
})

test('importing a module starts nothing', () => {
  const definition = /^(import|export|const|let|function|async function|class|var [A-Za-z_]+ = )\b/
  const work =
    /\bawait\b|= (open|start|connect|listen|spawn|read)[A-Z]?[A-Za-z]*\(|\b(setInterval|setTimeout|queueMicrotask|postgres)\(|Bun\.(serve|spawn|connect|listen)|process\.on|new (Database|Worker|Queue|Redis|Pool)\b/
  const wrong = domains
    .filter(({ domain, path }) => domain !== 'processes' && !inBrowsers.has(path))
    .flatMap((source) =>
      topLevelStatements(source)
        .filter(
          (line) => !definition.test(line) || (work.test(line) && !/^(export )?(async )?function/.test(line)),
        )
        .map((line) => `${source.path}: ${line}`),
    )
  expect(wrong).toEqual([])
})

test('tests live under test', () => {
  const strays = readSources('{src,queues,scripts,bench}/**/*.{test,spec}.ts')
  expect(strays.map(({ path }) => path)).toEqual([])
})

test('a test awaits a condition: what pauses says why, on its line or the line before', () => {
  const pauses = /\b(Bun\.sleep|sleepSync|setTimeout)\(/
  const reason = /\/\/ .{8}|^\s*\/\*\* .{8}/
  const bare = tests
    .filter(({ path }) => path !== 'test/architecture.test.ts')
    .flatMap(({ path, text }) => {
      const lines = text.split('\n')
      return lines.flatMap((line, n) =>
        pauses.test(line) && !reason.test(line) && !reason.test(lines[n - 1] ?? '') ? `${path}:${n + 1}` : [],
      )
    })
  expect(bare).toEqual([])
  const helpers = tests.filter(({ text }) => /function (until|eventually|poll|waitFor)\w*\(/.test(text))
  expect(helpers.map(({ path }) => path)).toEqual(['test/support/until.ts'])
})

test(`no file is longer than ${mostLines} lines, and half are shorter than ${medianLines}`, () => {
  const styles = readSources('src/**/*.css')
  const long = [...domains, ...styles, ...scripts, ...tests].filter(({ lines }) => lines > mostLines)
  expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
  const sizes = [...domains, ...scripts].map(({ lines }) => lines).sort((a, b) => a - b)
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(medianLines)
})

test('each migration names the domain that owns its tables', () => {
  const migrations = readSources('src/store/migrations/*.sql')
  expect(migrations.length).toBeGreaterThan(0)
  const owners = migrations.map(({ path, text }) => ({
    path,
    owner: /^-- owner: ([a-z]+)\n/.exec(text)?.[1] ?? '',
  }))
  expect(owners.filter(({ owner }) => levelOf(owner) === -1)).toEqual([])
})

function levelOf(domain: string | null): number {
  return levels.findIndex((names) => domain !== null && names.includes(domain))
}

/** The domain that a specifier leads to: `lib` for `#lib/ids`, `capture` for `#routes/capture`; null outside. */
function targetDomain(specifier: string): string | null {
  const [, first, second] = /^#([a-z]+)(?:\/([a-z-]+))?/.exec(specifier) ?? []
  if (first === undefined) return null
  return ['routes', 'consumers', 'tools'].includes(first) ? (second ?? null) : first
}

function eachImport(sources: Source[], isWrong: (source: Source, specifier: string) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((specifier) => isWrong(source, specifier))
      .map((specifier) => `${source.path}: ${specifier}`),
  )
}
