import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The variable by which a server's processes, to the last grandchild, say which gateway started them. */
export const ownerVariable = 'SLUICE_GATEWAY'

export type Owner = {
  /** The variable's value, for processes of this gateway. */
  mark: string
  release(): void
}

/**
 * Leaves a note in the folder that this gateway has processes, and ends those whose gateway died without ending
 * them. That is the second net, for the case that the watcher was killed as well; it needs `/proc`, and does nothing
 * where there is none.
 */
export function claimProcesses(folder: string): Owner {
  mkdirSync(folder, { recursive: true })
  const dead = readdirSync(folder).filter((mark) => !isAlive(mark))
  endProcessesOf(dead)
  for (const mark of dead) rmSync(join(folder, mark), { force: true })
  const mark = `${process.pid}-${startOf(process.pid) ?? 0}`
  const note = join(folder, mark)
  writeFileSync(note, '')
  return { mark, release: () => rmSync(note, { force: true }) }
}

function endProcessesOf(marks: string[]): void {
  if (marks.length === 0) return
  const wanted = new Set(marks.map((mark) => `${ownerVariable}=${mark}`))
  for (const pid of processes()) {
    if (pid === process.pid || !environmentOf(pid).some((line) => wanted.has(line))) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in between.
    }
  }
}

/** A process id may be another's by now: its time of start tells. */
function isAlive(mark: string): boolean {
  const [pid, start] = mark.split('-')
  return startOf(Number(pid)) === start
}

/** In clock ticks since the machine's start; null where there is no such process. */
function startOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`)
  // The name in brackets may hold blanks: counted from behind it, the start is the 20th field.
  return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null)
}

function environmentOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`)?.split('\0') ?? []
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
