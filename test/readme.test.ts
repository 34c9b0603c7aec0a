import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { readEnv } from '#lib/env'
import { scripts } from '#package'
import { rules } from './processes/rules.ts'
import { repository } from './support/process.ts'
import { readSources } from './support/sources.ts'

const readme = readFileSync(`${repository}/README.md`, 'utf8')
const spans = [...readme.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
const ownPath =
  /^(?:(GET|POST|PUT|PATCH|DELETE) )?(\/(?:api|mcp|sse|health|ready|metrics|docs|openapi)\b[^\s?]*)/

/** The table of variables: name by name with what stands for the default. */
const variables = new Map(
  readme
    .split('\n')
    .filter((line) => /^\| `[A-Z_<>]+`/.test(line))
    .flatMap((line) => {
      const [, names = '', defaults = ''] = line.split('|')
      return names.split(',').map((name, n) => {
        const own = defaults.split(',')
        return [name.replaceAll(/[` ]/g, ''), (own[n] ?? own[0] ?? '').replaceAll('`', '').trim()] as const
      })
    }),
)

test('the README tells of every variable that is read, and of no other', () => {
  const { text } = readSources('src/lib/env.ts')[0] ?? { text: '' }
  const read = [...text.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name)
  const told = [...variables.keys()].filter((name) => !name.startsWith('<'))
  expect(told.sort()).toEqual([...new Set(read)].sort())
})

test('the defaults that the README names are those of the code', () => {
  const env: Record<string, unknown> = readEnv({})
  const units: Record<string, number> = { MiB: 1024 ** 2, GiB: 1024 ** 3 }
  const told = [...variables].flatMap(([name, text]) => {
    const [, digits, unit] = /^(\d+)(?: (MiB|GiB))?$/.exec(text) ?? []
    if (digits === undefined) return []
    return [[name, Number(digits) * (unit === undefined ? 1 : (units[unit] ?? 0))] as const]
  })
  expect(told.length).toBeGreaterThan(7)
  expect(told).toEqual(told.map(([name]) => [name, env[name] as number]))
})

test('the routes that the README names are there', () => {
  const called = [...readme.matchAll(/127\.0\.0\.1:8080(\/(?:api|mcp)[^\s'"?`]*)/g)].map(([, path]) => path)
  const told = [...spans, ...called].flatMap((span) => {
    const [, method, path] = ownPath.exec(span ?? '') ?? []
    return path === undefined || path.endsWith('…') ? [] : [{ method, path }]
  })
  expect(told.length).toBeGreaterThan(40)
  const routes = Object.keys(rules).map((rule) => {
    const [method, path = ''] = rule.split(' ')
    return { method, pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`) }
  })
  const missing = told.filter(
    ({ method, path }) =>
      !routes.some((route) => (method === undefined || route.method === method) && route.pattern.test(path)),
  )
  expect(missing).toEqual([])
})

test('the commands, tools and kinds that the README names are there', () => {
  const commands = [...readme.matchAll(/bun run (\w+)/g)].map(([, name = '']) => name)
  expect(commands.filter((name) => !(name in scripts))).toEqual([])
  const code = readSources('src/**/*.ts')
    .map(({ text }) => text)
    .join('\n')
  const tools = spans.filter((span) =>
    /^(portal|dewey|fiedler|list|get|search|call|replay)_[a-z_]+$/.test(span),
  )
  expect(tools.length).toBeGreaterThan(30)
  const [, kinds = ''] = /^Kinds: ([^.]+)\./m.exec(readme) ?? []
  const named = [...kinds.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name)
  expect(named.length).toBe(5)
  expect([...tools, ...named].filter((name) => !code.includes(`'${name}'`))).toEqual([])
})
