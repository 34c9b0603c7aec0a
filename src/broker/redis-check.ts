import { Cluster, type Redis } from 'ioredis'
import { errorText, SetupError } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { RedisClient } from './redis-client.ts'

const oldest = [6, 2]

/**
 * Checks that this Redis keeps what it is given.
 * @throws SetupError when it is too old, or evicts keys when its memory is full: that loses jobs without a word
 */
export async function verifyRedis(client: RedisClient, log: Logger): Promise<void> {
  const servers: Redis[] = client instanceof Cluster ? client.nodes('master') : [client]
  for (const server of servers) {
    const { version, policy } = await inspect(server)
    if (version !== undefined && isTooOld(version)) {
      throw new SetupError(`QUEUE_URL: Redis ${version} is too old: ${oldest.join('.')} or newer is needed`)
    }
    if (policy === undefined) {
      log.warn('QUEUE_URL: Redis does not tell its maxmemory-policy; it must be noeviction, or jobs are lost')
    } else if (policy !== 'noeviction') {
      throw new SetupError(`QUEUE_URL: Redis has maxmemory-policy ${policy}: it must be noeviction`)
    }
  }
}

/** INFO first: hosted Redis often forbids CONFIG. */
async function inspect(server: Redis): Promise<{ version?: string; policy?: string }> {
  const info = await server.info().catch(refused)
  const version = /^redis_version:(\S+)/m.exec(info)?.[1]
  const told = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  const policy = told ?? (await askConfig(server))
  return { ...(version && { version }), ...(policy && { policy }) }
}

async function askConfig(server: Redis): Promise<string | undefined> {
  const pairs = await server.config('GET', 'maxmemory-policy').catch(refused)
  return Array.isArray(pairs) && typeof pairs[1] === 'string' ? pairs[1] : undefined
}

/** A command that this user may not call, or that the host has removed, has no answer; any other error is one. */
function refused(error: unknown): '' {
  if (/^(NOPERM|ERR unknown command)/.test(errorText(error))) return ''
  throw error
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldest
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}
