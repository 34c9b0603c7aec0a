import { auth } from '../record.ts'
import type { RunningSluice } from '../sluice.ts'
import { filledDays } from './fill.ts'
import { planted } from './texts.ts'

/** One way to read the record: its paths are asked in turn. */
export type Ask = { name: string; paths: string[] }

const dayMs = 86_400_000
const absentId = '019a0000-0000-7000-8000-000000000000'

const exchangeFilters = [
  'limit=500',
  ...['model=claude-sonnet-4-5', 'model=rare-model', 'model=none'],
  ...['provider=anthropic', 'provider=none', 'key_id=key-0', 'key_id=key-187', 'key_id=none'],
  ...['status=200', 'status=404', 'status=418', 'status=5xx', 'status=3xx'],
  ...['outcome=client_gone', 'outcome=gateway_crashed', 'outcome=damaged'],
  ...['tag=nightly', 'tag=team-3,nightly', 'tag=rare', 'tag=none'],
  ...['min_cost_micros=1000', 'min_cost_micros=162000', 'min_cost_micros=9000000', 'max_cost_micros=0'],
  ...['min_latency_ms=20000', 'min_latency_ms=32200', 'min_latency_ms=600000', 'max_latency_ms=10'],
  ...['dialect=gemini', 'dialect=openai-embeddings', 'dialect=none', 'protocol=websocket', 'protocol=stdio'],
  ...['route=route-4', 'route=none', 'cache=hit', 'cache=shared', `conversation=${absentId}`],
  ...[
    'tenant=tenant-0',
    'tenant=none',
    'tenant=tenant-0&status=404',
    'tenant=tenant-0&min_cost_micros=9000000',
  ],
  ...['task_type=debugging', 'task_type=embedding', 'complexity=high', 'language=cobol', 'language=none'],
  ...['stack=react', 'stack=none', 'domain=backend', 'domain=legal', 'sensitivity=critical'],
  ...[
    'task_type=debugging&language=cobol',
    'task_type=debugging&status=404',
    'task_type=debugging&model=none',
  ],
  ...[
    'hop=client',
    'server=server-3',
    'server=none',
    'rpc=prompts/get',
    'rpc=none',
    'tool=rare_tool',
    'tool=none',
  ],
  ...['session=none', 'tool_use=none', `parent=${absentId}`, 'dialect=mcp'],
  ...['model=claude-sonnet-4-5&status=404', 'provider=openai&key_id=key-0&tag=none'],
  ...['provider=anthropic&model=gpt-5', 'tag=nightly&status=418', 'key_id=key-0&min_latency_ms=600000'],
]

const conversationFilters = [
  ...['', 'tenant=tenant-0', 'tenant=none', 'session=none', 'agent=agent-5', 'agent=none', 'client=codex'],
  ...['client=none', 'model=gpt-5', 'model=rare-model', 'model=none', `parent=${absentId}`],
  ...[`text=${planted.frequent}`, `text=${planted.rare}`, `text=${planted.absent}`],
  ...[`text=${planted.apart.join('%20')}`, `text=${planted.absent}&tenant=tenant-0`],
]

const [one, other] = planted.apart
const searches = [
  ...[planted.frequent, planted.rare, planted.absent, 'item8', `"${planted.frequent} ${planted.frequent}"`],
  ...[
    `${one} ${other}`,
    `${planted.frequent} ${planted.rare}`,
    `${one} or ${planted.absent}`,
    'need*',
    'item*',
  ],
  ...[`${planted.rare} -${planted.frequent}`, `${planted.frequent} -${planted.frequent}`],
]

/** Everything that the routes of the record offer, on what `fill` made up. */
export async function asksOf(sluice: RunningSluice): Promise<Ask[]> {
  const middle = Date.now() - (filledDays / 2) * dayMs
  const exchanges = await itemsOf(sluice, `/api/exchanges?until=${middle}&limit=500&protocol=http`)
  const sampled = exchanges.filter((_, n) => n % 25 === 0)
  const talks = (await itemsOf(sluice, `/api/conversations?until=${middle}&limit=20`)).map(({ id }) => id)
  const q = (text: string) => `/api/search?q=${encodeURIComponent(text)}`
  const day = `since=${new Date(Date.now() - dayMs).toISOString()}`
  const month = `since=${new Date(Date.now() - 30 * dayMs).toISOString()}`
  return [
    ask('/api/exchanges'),
    {
      name: 'exchanges, a page in the middle',
      paths: await pagesAfter(sluice, `/api/exchanges?until=${middle}`),
    },
    ...exchangeFilters.map((filter) => ask(`/api/exchanges?${filter}`)),
    ask(`/api/exchanges?since=${middle - dayMs}&until=${middle}`),
    ask(`/api/exchanges?since=${middle - dayMs}&until=${middle}&min_cost_micros=9000000`),
    { name: 'exchanges of a conversation', paths: talks.map((id) => `/api/exchanges?conversation=${id}`) },
    { name: 'one exchange', paths: sampled.map(({ id }) => `/api/exchanges/${id}`) },
    { name: 'exchanges caused by one', paths: sampled.map(({ id }) => `/api/exchanges?parent=${id}`) },
    ...conversationFilters.map((filter) => ask(`/api/conversations?${filter}`)),
    {
      name: 'conversations, a page in the middle',
      paths: await pagesAfter(sluice, `/api/conversations?until=${middle}`),
    },
    { name: 'one conversation', paths: talks.map((id) => `/api/conversations/${id}`) },
    { name: 'its turns', paths: talks.map((id) => `/api/conversations/${id}/turns?order=desc`) },
    { name: 'its timeline', paths: talks.map((id) => `/api/conversations/${id}/timeline`) },
    ...searches.map((text) => ask(q(text))),
    ...searches.slice(0, 3).map((text) => ask(`${q(text)}&tenant=tenant-0`)),
    ...[planted.frequent, planted.absent].flatMap((text) =>
      [
        'role=user',
        'role=tool',
        'client=codex',
        'client=none',
        'session=none',
        'model=gpt-5',
        'model=none',
      ].map((filter) => ask(`${q(text)}&${filter}`)),
    ),
    {
      name: 'search in a conversation',
      paths: talks.map((id) => `${q(planted.frequent)}&conversation=${id}`),
    },
    {
      name: 'search, a page in the middle',
      paths: await pagesAfter(sluice, `${q(planted.frequent)}&until=${middle}`),
    },
    ...[day, month].flatMap((range) => [
      ask(`/api/token-stats?${range}`, range === day ? 'token-stats, a day' : 'token-stats, 30 days'),
      ...['model', 'key', 'tag', 'tenant,day', 'task_type', 'language,domain'].map((by) =>
        ask(
          `/api/cost-report?by=${by}&${range}`,
          `cost-report by ${by}, ${range === day ? 'a day' : '30 days'}`,
        ),
      ),
    ]),
    ask('/api/ledger'),
  ]
}

function ask(path: string, name = decodeURIComponent(path.replace('/api/', ''))): Ask {
  return { name, paths: [path] }
}

type Item = { id: string }

async function pageOf(
  sluice: RunningSluice,
  path: string,
): Promise<{ items: Item[]; next_cursor: string | null }> {
  const answer = await fetch(`${sluice.url}${path}`, { headers: auth(sluice) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { items: Item[]; next_cursor: string | null }
}

async function itemsOf(sluice: RunningSluice, path: string): Promise<Item[]> {
  return (await pageOf(sluice, path)).items
}

async function pagesAfter(sluice: RunningSluice, path: string): Promise<string[]> {
  const paths: string[] = []
  for (let cursor = (await pageOf(sluice, path)).next_cursor; cursor !== null && paths.length < 20; ) {
    paths.push(`${path}&cursor=${cursor}`)
    cursor = (await pageOf(sluice, paths.at(-1) ?? path)).next_cursor
  }
  return paths
}
