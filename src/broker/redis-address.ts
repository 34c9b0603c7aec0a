import { SetupError } from '#lib/errors'

export type RedisNode = { host: string; port: number }

export type RedisAddress = {
  form: 'single' | 'sentinel' | 'cluster'
  /** One server; or the sentinels to ask; or the cluster's nodes to begin with. */
  nodes: RedisNode[]
  /** What the sentinels call the master. Empty in the other forms. */
  master: string
  db: number
  tls: boolean
  username?: string
  password?: string
  sentinelPassword?: string
}

/**
 * Reads `QUEUE_URL` where it names a Redis:
 *
 * - `redis://[user:password@]host[:6379][/db]`
 * - `redis+sentinel://[user:password@]sentinel[:26379]/master[/db][?nodes=sentinel2:26379,sentinel3:26379]`
 *   with `sentinel_password` in the query where the sentinels want one of their own
 * - `redis+cluster://[user:password@]node[:6379][?nodes=node2:6379,node3:6379]`
 *
 * and each with `rediss` for TLS. Further nodes go into the query, because a URL holds but one port.
 * @throws SetupError naming what is wrong, without the password
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text)
  const scheme = /^redis(s?)(?:\+(sentinel|cluster))?:$/.exec(url?.protocol ?? '')
  if (url === null || scheme === null || url.hostname === '') {
    throw new SetupError('QUEUE_URL: must be redis://, redis+sentinel:// or redis+cluster://, with a host')
  }
  const form = scheme[2] === 'sentinel' ? 'sentinel' : scheme[2] === 'cluster' ? 'cluster' : 'single'
  const path = url.pathname.split('/').filter((part) => part !== '')
  const master = form === 'sentinel' ? (path.shift() ?? '') : ''
  if (form === 'sentinel' && master === '') {
    throw new SetupError('QUEUE_URL: must name the master, as in redis+sentinel://host:26379/mymaster')
  }
  const defaultPort = form === 'sentinel' ? 26_379 : 6_379
  const more = url.searchParams.getAll('nodes').flatMap((list) => list.split(',').filter(Boolean))
  const sentinelPassword = url.searchParams.get('sentinel_password')
  return {
    form,
    nodes: [url.host, ...more].map((node) => parseNode(node, defaultPort)),
    master,
    db: parseDb(path, form),
    tls: scheme[1] === 's',
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(sentinelPassword && { sentinelPassword }),
  }
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const match = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(text)
  if (match?.[1] === undefined) throw new SetupError(`QUEUE_URL: ${JSON.stringify(text)} is not host:port`)
  return { host: match[1].replace(/^\[|\]$/g, ''), port: match[2] ? Number(match[2]) : defaultPort }
}

function parseDb(path: string[], form: RedisAddress['form']): number {
  const [text = '0', ...rest] = path
  if (!/^\d+$/.test(text) || rest.length > 0) {
    throw new SetupError(`QUEUE_URL: ${JSON.stringify(path.join('/'))} is not a database number`)
  }
  if (form === 'cluster' && text !== '0') {
    throw new SetupError('QUEUE_URL: a cluster has no database but 0')
  }
  return Number(text)
}
