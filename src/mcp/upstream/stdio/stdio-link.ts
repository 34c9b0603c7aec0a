import { existsSync } from 'node:fs'
import { ConnectError } from '../failure.ts'
import type { FrameRoom, Link, LinkEvents } from '../link.ts'
import { endGroup } from './group.ts'
import { ownerVariable } from './leftovers.ts'
import { openLineReader } from './line-reader.ts'
import type { Reaper } from './reaper.ts'
import { openTail } from './tail.ts'
import { openWriter } from './writer.ts'

export type StdioOptions = {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string | null
  /** What of our own environment a server gets: where to find programs, and whose home it is. Nothing secret. */
  inherited: Readonly<Record<string, string>>
  reaper: Reaper
  /** Value of the variable by which processes are found again. */
  mark: string
}

/**
 * A server as a process of ours, in a group of its own and without a shell: whatever it starts ends with it.
 * @throws ConnectError where the command cannot be started
 */
export function openStdioLink(options: StdioOptions, events: LinkEvents, room: FrameRoom): Link {
  const child = start(options)
  const { reaper } = options
  reaper.watch(child.pid)
  const stderr = openTail()
  const lines = openLineReader(
    {
      line: (text) => open && events.frame(text, null),
      oversized: (id, bytes) => open && events.oversized(id, bytes, null),
    },
    room,
  )
  const writer = openWriter(child.stdin)
  let open = true
  let ending: Promise<void> | null = null

  const output = drink(child.stdout, lines.push)
  const errors = drink(child.stderr, stderr.push)
  void child.exited.then(async () => {
    // Its last words are read before its end is told; a grandchild may hold the stream for ever.
    await Promise.race([Promise.all([output.done, errors.done]), Bun.sleep(200)])
    void end()
    if (!open) return
    open = false
    events.closed(reasonOf(child, stderr.text()))
  })

  function end(): Promise<void> {
    ending ??= endGroup(child.pid, child.exited).then(() => {
      reaper.forget(child.pid)
      output.stop()
      errors.stop()
    })
    return ending
  }

  return {
    dropCancels: false,
    pid: child.pid,
    send({ text, id }) {
      if (!open || writer.write(`${text}\n`) || id === null) return
      events.lost(id, { kind: 'gone', message: 'The server does not read its input' })
    },
    drop() {},
    ready() {},
    close() {
      open = false
      writer.end()
      return end()
    },
  }
}

type Child = Bun.Subprocess<'pipe', 'pipe', 'pipe'>

function start({ command, args, env, cwd, inherited, mark }: StdioOptions): Child {
  if (cwd !== null && !existsSync(cwd)) throw new ConnectError(`Start ${command}: there is no folder ${cwd}`)
  try {
    return Bun.spawn([command, ...args], {
      env: { ...inherited, ...env, [ownerVariable]: mark },
      ...(cwd === null ? {} : { cwd }),
      detached: true,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
  } catch (error) {
    throw new ConnectError(`Start ${command}: ${whyNot(error)}`)
  }
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'there is no such command'
  if (code === 'EACCES') return 'it may not be executed'
  return error instanceof Error ? error.message : String(error)
}

function reasonOf({ exitCode, signalCode }: Child, stderr: string): string {
  const end = signalCode === null ? `exited with code ${exitCode ?? '?'}` : `was ended by ${signalCode}`
  return `The process ${end}${stderr === '' ? '' : `: ${stderr}`}`
}

/** Reads to the end, or until told to stop. */
function drink(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void) {
  const reader = stream.getReader()
  const done = (async () => {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value)
    } catch {
      // Stopped.
    }
  })()
  return { done, stop: () => void reader.cancel().catch(() => {}) }
}
