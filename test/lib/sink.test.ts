import { afterAll, beforeAll, expect, test } from 'bun:test'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { openSink, type Sink, written } from '#lib/sink'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder()
const path = join(folder, 'pipe')
let writer: number
let reader: number
beforeAll(() => {
  Bun.spawnSync(['mkfifo', path])
  writer = openSync(path, 'r+')
  reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
})
afterAll(() => {
  closeSync(writer)
  closeSync(reader)
})

const lines = Array.from({ length: 1_000 }, (_, n) => `${n} ${'x'.repeat(n % 7 === 0 ? 9_000 : 700)}`)

test('whoever writes does not wait for a reader that stands still, and loses nothing that there is room for', async () => {
  const sink = openSink(writer)
  for (const line of lines.slice(0, 500)) sink.write(`${line}\n`)
  expect((await readAll(sink)).split('\n')).toEqual([...lines.slice(0, 500), ''])
})

test('what there is no room for is dropped, and counted once there is', async () => {
  const sink = openSink(writer, { mostBytes: 100_000, lost: (count) => `${count} lost\n` })
  for (const line of lines) sink.write(`${line}\n`)
  const read = (await readAll(sink)).split('\n')
  const kept = read.length - 2
  expect(read).toEqual([...lines.slice(0, kept), `${lines.length - kept} lost`, ''])
  expect(kept).toBeGreaterThan(50)
  sink.write('again\n')
  expect(await readAll(sink)).toBe('again\n')
})

test('a reader that has gone is not missed', async () => {
  const gone = join(folder, 'gone')
  Bun.spawnSync(['mkfifo', gone])
  const last = openSync(gone, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(gone, 'w')
  closeSync(last)
  const sink = openSink(fd)
  for (const line of lines) sink.write(`${line}\n`)
  await new Promise<void>(sink.flush)
  closeSync(fd)
})

test('a file has each line at once', () => {
  const file = join(folder, 'file')
  const sink = openSink(openSync(file, 'w'))
  sink.write('one\n')
  sink.write('two\n')
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
})

test('to wait for what is written has an end', async () => {
  const sink = openSink(writer)
  for (const line of lines) sink.write(`${line}\n`)
  await written(sink)
  await readAll(sink)
})

async function readAll(sink: Sink): Promise<string> {
  const chunk = new Uint8Array(65_536)
  let text = ''
  let isDone = false
  sink.flush(() => {
    isDone = true
  })
  await until('all is written and read', () => {
    for (let count = read(); count > 0; count = read())
      text += Buffer.from(chunk.subarray(0, count)).toString()
    return isDone && read() === 0
  })
  return text

  function read(): number {
    try {
      return readSync(reader, chunk)
    } catch {
      return 0
    }
  }
}
