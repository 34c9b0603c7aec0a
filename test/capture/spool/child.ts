/**
 * A gateway's spool in a process of its own, to be killed: records without end, of every kind, and prints each
 * exchange's id and hashes once it is sealed. `crash` names the step, and `nth` the time, at which it kills itself.
 */
import { writeSync } from 'node:fs'
import { endOf, openOf, sha256 } from '../support.ts'
import { bytes, spoolIn, storeIn } from './opening.ts'

const [dir = '', crash = '', nth = '1'] = process.argv.slice(2)
let left = Number(nth)

function step(name: string): void {
  if (name === crash && --left === 0) process.kill(process.pid, 'SIGKILL')
}

const spool = await spoolIn(dir, storeIn(dir), { step })
const long = new Set<Promise<void>>()
for (let round = 0; ; round++) {
  one(round, 200 + (round % 50) * 40)
  if (round % 20 === 0) long.add(slow(round))
  if (round % 150 === 75) one(round, 800_000)
  await Bun.sleep(1) // for the spool's own timers and writes
}

function one(round: number, length: number): void {
  const open = openOf()
  const recording = spool.begin(open)
  const request = bytes(length, round)
  const response = bytes(length, round + 1)
  recording.request(request)
  recording.response(response)
  recording.seal(endOf())
  acknowledge(open.id, request, response)
}

async function slow(round: number): Promise<void> {
  const open = openOf()
  const recording = spool.begin(open)
  const request = bytes(500, round)
  recording.request(request)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < 5; at++) {
    await Bun.sleep(30) // in all longer than a tick of the spool, so that it gets a file
    const chunk = bytes(300, round + at)
    chunks.push(chunk)
    recording.response(chunk)
  }
  recording.seal(endOf())
  acknowledge(open.id, request, Buffer.concat(chunks))
}

function acknowledge(id: string, request: Uint8Array, response: Uint8Array): void {
  writeSync(1, `${id} ${sha256(request)} ${sha256(response)}\n`)
}
