import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { repository } from '../support/process.ts'

type Service = {
  image: string
  command: string[]
  environment?: Record<string, string>
  healthcheck?: unknown
  restart?: string
  ports?: string[]
}

const text = readFileSync(`${repository}/compose.yaml`, 'utf8')
const services = (Bun.YAML.parse(text) as { services: Record<string, Service> }).services
const secrets = { POSTGRES_PASSWORD: 'a', REDIS_PASSWORD: 'b', ADMIN_KEY: 'c'.repeat(16) }
const client = Bun.spawnSync(['sh', '-c', 'docker compose version'], { stdout: 'ignore', stderr: 'ignore' })

test('every service that stays up has a health check', () => {
  const without = Object.entries(services).filter(([, one]) => one.restart !== 'no' && !one.healthcheck)
  expect(without.map(([name]) => name)).toEqual([])
})

test('there is one service for each worker queue, and each runs a file that exists', () => {
  const ours = Object.values(services).filter(({ image }) => image === 'sluice:local')
  expect(ours.length).toBeGreaterThanOrEqual(4)
  expect(
    ours.map(({ command }) => command[0]).filter((path) => !existsSync(`${repository}/${path}`)),
  ).toEqual([])
  expect(
    ours.filter(({ command }) => command[0]?.endsWith('worker.ts')).map(({ command }) => command[1]),
  ).toEqual(['logging', 'classification', 'jobs', 'upkeep'])
})

test('no password has a default: each is required, with a word on what to do', () => {
  const uses = [...text.matchAll(/\$\{([A-Z_]*(?:PASSWORD|KEY))([^}]*)\}/g)]
  expect(uses.length).toBeGreaterThanOrEqual(5)
  expect(uses.filter((use) => !use[2]?.startsWith(':?')).map((use) => use[0])).toEqual([])
})

test('Redis forgets nothing, and neither it nor Postgres is reachable from outside', () => {
  expect(services.redis?.command.join(' ')).toContain('--appendonly yes --maxmemory-policy noeviction')
  expect(services.redis?.ports).toBeUndefined()
  expect(services.postgres?.ports).toBeUndefined()
})

test.skipIf(client.exitCode !== 0)('docker compose accepts it, and only with the passwords', () => {
  const config = (env: Record<string, string>) =>
    Bun.spawnSync(['docker', 'compose', '--file', 'compose.yaml', 'config', '--no-env-resolution'], {
      cwd: repository,
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    })
  expect(config(secrets).stderr.toString()).toBe('')
  expect(config(secrets).exitCode).toBe(0)
  expect(config({}).stderr.toString()).toContain('POSTGRES_PASSWORD')
})
