/** Ends process groups when this process dies, however it dies. */
export type Reaper = {
  watch(group: number): void
  forget(group: number): void
  /** Ends the watcher, and what it still watches. */
  close(): Promise<void>
}

/**
 * Reads `+ group` and `- group` until its input ends, which the kernel sees to when the writer dies, by `kill -9`
 * too. Then it ends what is left. A shell, as it takes 1 MB where a process of our own would take 40.
 */
const script = `
trap '' INT TERM HUP
groups=' '
while read -r op group; do
  case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac
  case $op in
    +) groups="\${groups}$group " ;;
  esac
done
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
[ "$groups" = ' ' ] || sleep 1
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`

type Watcher = Bun.Subprocess<'pipe', 'ignore', 'ignore'>

/** Starts nothing before there is something to watch. */
export function openReaper(): Reaper {
  let watcher: Watcher | null = null

  const groups = new Set<number>()

  function tell(line: string): void {
    const runs = watcher !== null && watcher.exitCode === null && watcher.signalCode === null
    if (!runs) watcher = start()
    write(runs ? line : [...groups].map((group) => `+ ${group}\n`).join(''))
  }

  function write(text: string): void {
    watcher?.stdin.write(text)
    watcher?.stdin.flush()
  }

  function start(): Watcher {
    const started = Bun.spawn(['/bin/sh', '-c', script], {
      // A session of its own: what ends ours by a signal to the group must not end the watcher.
      detached: true,
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      cwd: '/',
    })
    started.unref()
    return started
  }

  return {
    watch(group) {
      groups.add(group)
      tell(`+ ${group}\n`)
    },
    forget(group) {
      if (groups.delete(group)) tell(`- ${group}\n`)
    },
    async close() {
      if (watcher === null) return
      watcher.stdin.end()
      await watcher.exited
      watcher = null
    },
  }
}
