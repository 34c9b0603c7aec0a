/**
 * Installs the programs that tests run beside Sluice, where that is possible without asking: as root, by apt-get.
 * Elsewhere it says what is missing; tests that need it then skip, or fail where CI=true.
 */
export async function installPrograms(packages: Record<string, string>): Promise<void> {
  const missing = Object.keys(packages).filter((program) => Bun.which(program) === null)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || Bun.which('apt-get') === null) {
    console.error(`sluice: missing ${missing.join(', ')}: install by hand for the tests that need it`)
    return
  }
  console.error(`sluice: installing ${missing.join(', ')}`)
  const names = missing.flatMap((program) => packages[program] ?? [])
  // The lists may be old, or absent as in a fresh container.
  if ((await aptGet(['install', ...names])) === 0) return
  await aptGet(['update'])
  if ((await aptGet(['install', ...names])) !== 0) {
    console.error(`sluice: could not install ${names.join(', ')}: going on without`)
  }
}

async function aptGet(args: string[]): Promise<number> {
  const child = Bun.spawn(['apt-get', '-y', '-qq', '--no-install-recommends', ...args], {
    // RUNLEVEL=1 keeps the packages from starting their services.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'inherit',
  })
  return await child.exited
}
