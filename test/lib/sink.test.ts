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

test('how many were dropped stands where they would have stood', async () => {
  const sink = openSink(writer, { mostBytes: 200_000, lost: (count) => `${count} lost\n` })
  for (const line of lines) sink.write(`${line}\n`)
  let text = ''
  // Enough that there is room again, too little for the rest to go into the pipe.
  await until('some is read', () => {
    text += readSome(4_096)
    return text.length > 50_000
  })
  sink.write('later\n')
  const read = (text + (await readAll(sink))).split('\n')
  const kept = read.length - 3
  expect(read).toEqual([...lines.slice(0, kept), `${lines.length - kept} lost`, 'later', ''])
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
  let text = ''
  let isDone = false
  sink.flush(() => {
    isDone = true
  })
  await until('all is written and read', () => {
    const wasDone = isDone
    for (let some = readSome(); some !== ''; some = readSome()) text += some
    return wasDone
  })
  return text
}

/** What is there already, at most so many bytes of it. */
function readSome(most = 65_536): string {
  const chunk = new Uint8Array(most)
  try {
    return Buffer.from(chunk.subarray(0, readSync(reader, chunk))).toString()
  } catch {
    return ''
  }
}
