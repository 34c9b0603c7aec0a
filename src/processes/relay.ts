#!/usr/bin/env bun
/** `relay`: an MCP client speaks stdio with it, and it speaks HTTP with the gateway. Ends with its client. */
import { eachLine } from '#lib/lines'
import { readRelayEnv } from '#lib/relay-env'
import { openOutput, openRelay, readRelaySettings } from '#relay'

const parent = process.ppid
const warn = (text: string) => void process.stderr.write(`sluice-relay: ${text}\n`)
const relay = openRelay(settings(), { output: openOutput(process.stdout), warn })
let ending = false

process.on('SIGTERM', () => end(0))
process.on('SIGINT', () => end(0))
process.on('SIGHUP', () => end(0))
// The client is gone, and takes no more.
process.stdout.on('error', () => process.exit(0))
// A client that is killed closes the pipe, unless a child of its own still holds it.
setInterval(() => {
  if (process.ppid !== parent) end(0)
}, 1_000).unref()

await eachLine(Bun.stdin.stream(), (line) => relay.take(line))
end(2_000)

function end(graceMs: number): void {
  if (ending) process.exit(0)
  ending = true
  setTimeout(() => process.exit(0), graceMs + 1_000)
  void relay.close(graceMs).finally(() => process.exit(0))
}

function settings() {
  try {
    return readRelaySettings(process.argv.slice(2), readRelayEnv())
  } catch (error) {
    warn((error as Error).message)
    process.exit(2)
  }
}
