import { afterAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../support/folder.ts'
import { leastGrowth } from '../../support/growth.ts'
import { isAlive, repository, spawnProcess } from '../../support/process.ts'
import { commandOf } from '../../support/process-tree.ts'
import { until } from '../../support/until.ts'
import { callTool, resultOf, specOf, stdioSpec, testUpstreams } from './support.ts'

const tiny = join(repository, 'test/mcp/fixtures/tiny-stdio.sh')
const upstreams = testUpstreams()
afterAll(() => upstreams.close())
const { signal } = new AbortController()

test('a server and what it started end with its connection', async () => {
  const upstream = upstreams.get(specOf({ command: '/bin/sh', args: [tiny, 'child'] }))
  await upstream.facts(signal)
  const group = groupOf(upstream.state().pid)
  expect(group.length).toBe(2)
  await upstream.close()
  expect(group.filter(isAlive)).toEqual([])
})

test('a grandchild ends with a server that died by itself', async () => {
  const upstream = upstreams.get(stdioSpec({ child: true }))
  await upstream.facts(signal)
  const group = groupOf(upstream.state().pid)
  expect(group.length).toBe(2)
  const answer = await callTool(upstream, 'die')
  expect(answer).toMatchObject({
    error: { message: expect.stringContaining('exited with code 3\nI have had enough') },
  })
  await until('nobody of the group is left', () => !group.some(isAlive))
  await upstream.close()
})

test('C5: one process for a server and credential, whoever asks', async () => {
  const spec = specOf({ command: '/bin/sh', args: [tiny], fingerprint: 'a' })
  const asked = await Promise.all(
    Array.from({ length: 20 }, async () => resultOf(await callTool(upstreams.get(spec), 'any'))),
  )
  expect(asked.length).toBe(20)
  const pid = upstreams.get(spec).state().pid
  expect(processesOf(tiny)).toEqual([pid ?? 0])
  const other = upstreams.get({ ...spec, id: 'another-credential', env: { TOKEN: 'b' }, fingerprint: 'b' })
  await other.facts(signal)
  expect(processesOf(tiny).length).toBe(2)
  await Promise.all([upstreams.get(spec).close(), other.close()])
  expect(processesOf(tiny)).toEqual([])
})

test('C4: edits of a command leave one process', async () => {
  for (let edit = 1; edit <= 20; edit += 1) {
    const upstream = upstreams.get(
      specOf({ id: 'edited', command: '/bin/sh', args: [tiny, `edit-${edit}`], fingerprint: `edit-${edit}` }),
    )
    await upstream.facts(signal)
  }
  await until('one is left', () => processesOf(tiny).length === 1)
  expect(commandOf(processesOf(tiny)[0] ?? 0)).toContain('edit-20')
  await upstreams.get(specOf({ id: 'edited', fingerprint: 'edit-20' })).close()
})

test('C4: 1,000 connects and disconnects leave processes, handles and memory as they were', async () => {
  const connect = async () => {
    const upstream = upstreams.get(specOf({ command: '/bin/sh', args: [tiny] }))
    await upstream.facts(signal)
    await upstream.close()
  }
  const rounds = async (count: number) => {
    for (let done = 0; done < count; done += 10) await Promise.all(Array.from({ length: 10 }, connect))
    upstreams.recorder.hops.length = 0
  }
  await rounds(200)
  const before = handles()
  const growth = await leastGrowth(() => rounds(330))
  await until('handles are as they were', () => handles() <= before + 2)
  expect(processesOf(tiny)).toEqual([])
  expect(upstreams.states()).toEqual([])
  expect(growth).toBeLessThan(8)
}, 120_000)

test('C4: kill -9 of the gateway leaves no process of its servers', async () => {
  const gateway = startGateway(temporaryFolder(), 10)
  const pids = pidsOf(await gateway.line(/^ready/))
  const groups = pids.flatMap(groupOf)
  expect(groups.length).toBe(20)
  await gateway.kill('SIGKILL')
  await until('all are gone', () => !groups.some(isAlive))
})

test('C4: what even the watcher could not end, the next gateway does', async () => {
  const folder = temporaryFolder()
  const gateway = startGateway(folder, 3)
  const groups = pidsOf(await gateway.line(/^ready/)).flatMap(groupOf)
  process.kill(watcherOf(gateway.pid), 'SIGKILL')
  await gateway.kill('SIGKILL')
  await until('servers ended with their input', () => groups.filter(isAlive).length === 3)
  const orphans = groups.filter(isAlive)
  const next = testUpstreams({ folder })
  await until('all are gone', () => !orphans.some(isAlive))
  await next.close()
  expect(readdirSync(join(folder, 'processes'))).toEqual([])
})

test('a server gets what it is given, and nothing of the gateway beside it', async () => {
  const upstream = upstreams.get(specOf({ command: '/bin/sh', args: [tiny], env: { GIVEN: 'yes' } }))
  await upstream.facts(signal)
  const environment = readFileSync(`/proc/${upstream.state().pid}/environ`, 'utf8')
    .split('\0')
    .filter(Boolean)
  expect(environment.map((line) => line.split('=')[0]).sort()).toEqual(['GIVEN', 'PATH', 'SLUICE_GATEWAY'])
  await upstream.close()
})

function startGateway(folder: string, count: number) {
  const file = join(repository, 'test/mcp/fixtures/upstream-gateway.ts')
  return spawnProcess([process.execPath, file, folder, String(count), '/bin/sh', tiny, 'child'])
}

function pidsOf(line: string): number[] {
  return line.replace('ready ', '').split(',').map(Number)
}

function handles(): number {
  return readdirSync('/proc/self/fd').length
}

function watcherOf(gateway: number): number {
  return (
    allProcesses().find((pid) => statOf(pid)[1] === gateway && commandOf(pid).includes('kill -TERM')) ?? 0
  )
}

function processesOf(part: string): number[] {
  return allProcesses().filter(
    (pid) => statOf(pid)[1] === process.pid && commandOf(pid).includes(part) && isAlive(pid),
  )
}

function groupOf(leader: number | null): number[] {
  return allProcesses().filter((pid) => statOf(pid)[2] === leader)
}

/** State, parent and process group, as numbers where they are. */
function statOf(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ', 3)
      .map(Number)
  } catch {
    return []
  }
}

function allProcesses(): number[] {
  return readdirSync('/proc').map(Number).filter(Boolean)
}
