import { expect, test } from 'bun:test'
import { appendFileSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, startEmbedded } from '#store'
import { openServerLog } from '../../src/store/embedded-log.ts'
import { temporaryFolder } from '../support/folder.ts'

test('lines come whole, however they are written, and each once', () => {
  const path = join(temporaryFolder(), 'log')
  const lines: string[] = []
  const log = openServerLog(path, (line) => lines.push(line))
  appendFileSync(path, 'one\ntw')
  log.read()
  expect(lines).toEqual(['one'])
  const eurosign = Buffer.from('€')
  appendFileSync(path, Buffer.concat([Buffer.from('o '), eurosign.subarray(0, 1)]))
  log.read()
  appendFileSync(path, Buffer.concat([eurosign.subarray(1), Buffer.from(`\n${'x'.repeat(200_000)}\nlast`)]))
  log.read()
  log.close()
  expect(lines).toEqual(['one', 'two €', 'x'.repeat(200_000), 'last'])
})

test('it begins anew, and what was read is cut off where it is too much', () => {
  const path = join(temporaryFolder(), 'log')
  appendFileSync(path, 'of an earlier start\n')
  const lines: string[] = []
  const log = openServerLog(path, (line) => lines.push(line), 100)
  for (let n = 0; n < 40; n++) {
    appendFileSync(path, `line ${n} of the server\n`)
    log.read()
    expect(statSync(path).size).toBeLessThanOrEqual(100)
  }
  log.close()
  expect(lines).toEqual(Array.from({ length: 40 }, (_, n) => `line ${n} of the server`))
})

test('a server has a file for its words, never a pipe, and what is wrong is told', async () => {
  const dir = temporaryFolder()
  const told: string[] = []
  const server = await startEmbedded({ dir, durable: false, onLine: (line) => told.push(line) })
  if (process.platform === 'linux')
    expect(readlinkSync(`/proc/${server.pid}/fd/2`)).toBe(join(dir, 'postgres.log'))
  expect(statSync(join(dir, 'postgres.log')).mode & 0o777).toBe(0o600)
  const stranger = openStore(`postgres://sluice:wrong@127.0.0.1:${server.port}/postgres`)
  await expect(stranger.sql`select 1`.execute()).rejects.toThrow('password authentication failed')
  await stranger.close()
  await server.stop()
  expect(told.join('\n')).toContain('FATAL:  password authentication failed')
  expect(readFileSync(join(dir, 'postgres.log'), 'utf8')).toContain('database system is shut down')
}, 30_000)
