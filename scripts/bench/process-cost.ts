import { readFileSync } from 'node:fs'

/** Kernel clock ticks a second (`getconf CLK_TCK`): 100 on every Linux that Bun runs on. */
const ticksPerSecond = 100

/** CPU seconds, user and system, that a process has used. 0 where there is no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return 0
  }
}

/** Resident memory in MiB, now. */
export function residentMiB(pid: number): number {
  return statusMiB(pid, 'VmRSS')
}

/** The most that was ever resident, in MiB. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, 'VmHWM')
}

/** A field of `/proc/<pid>/status` that is a size. 0 where there is none. */
export function statusMiB(pid: number, field: string): number {
  try {
    const match = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Math.round(Number(match?.[1] ?? 0) / 102.4) / 10
  } catch {
    return 0
  }
}
