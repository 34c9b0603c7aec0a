import { planted } from './texts.ts'

/** The SQL that makes up a record. */

const models = [
  ...['claude-sonnet-4-5', 'claude-opus-4-1', 'claude-haiku-4-5', 'claude-3-7-sonnet'].map((m) => [
    'anthropic',
    m,
  ]),
  ...['gpt-5', 'gpt-5-mini', 'gpt-5-codex', 'gpt-4.1', 'o4-mini'].map((m) => ['openai', m]),
  ...['gemini-2.5-pro', 'gemini-2.5-flash'].map((m) => ['gemini', m]),
  ...['deepseek-chat', 'deepseek-reasoner'].map((m) => ['deepseek', m]),
  ...['mistral-large', 'codestral'].map((m) => ['mistral', m]),
] as [string, string][]

/** One of a hundred thousand, of everything that is to be rare. */
const rare = 'r.a < 0.00001'

const array = (values: readonly string[]) => `array['${values.join("','")}']`
/** One of the values, the first ones more often. */
const pick = (values: readonly string[], random: string) =>
  `(${array(values)})[1 + floor(${values.length} * ${random} * ${random})::int]`

export const functionsSql = `
  create function pg_temp.id_of(ms bigint, salt text) returns uuid language sql immutable as $$
    select (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid $$;
`

type DaySql = { name: string; day: number; from: number; span: number; count: number }

/**
 * 64 conversations at a time: one of a day, seven of 300 exchanges, the others of 12; each exchange adds a turn. Of
 * twenty exchanges one is of MCP. A key keeps to one tenant, three models, two tags and one route.
 */
export function daySql({ name, day, from, span, count }: DaySql): string[] {
  const facts = `
    create temp table facts as
    select c.*, w.conversation, k.key, m.pair[1] as provider, case when ${rare} then 'rare-model' else m.pair[2] end as model, o.*
    from (
      select n, ${from} + (n::float8 * ${span} / ${count})::bigint as ms,
        pg_temp.id_of(${from} + (n::float8 * ${span} / ${count})::bigint, '${day}-' || n) as id,
        n % 20 = 7 as mcp, n % 64 as slot,
        (n / 64) / case when n % 64 = 0 then 1000000 when n % 64 < 8 then 300 else 12 end as thread,
        (n / 64) % case when n % 64 = 0 then 1000000 when n % 64 < 8 then 300 else 12 end as place,
        random() as a, random() as b, random() as c, random() as d, random() as e
      from generate_series(0, ${count - 1}) n
    ) c
    cross join lateral (select c.a, c.b, c.c, c.d, c.e) r
    cross join lateral (
      select md5('${day}-' || c.slot || '-' || c.thread) as hash
    ) h
    cross join lateral (
      select (substr(h.hash, 1, 12) || '8' || substr(h.hash, 14, 3) || '8' || substr(h.hash, 18))::uuid as conversation,
         ('x' || substr(h.hash, 1, 6))::bit(24)::int / 16777216.0 as own
    ) w
    cross join lateral (select floor(200 * w.own * w.own)::int as key) k
    cross join lateral (
      select (${array(models.map((pair) => pair.join(' ')))})[1 + (k.key * 7 + floor(3 * r.b * r.b)::int) % ${models.length}] as named
    ) n
    cross join lateral (select string_to_array(n.named, ' ') as pair) m
    cross join lateral (
      select case when c.mcp then 200 when ${rare} then 404 when r.c > 0.99 then 429 when r.c > 0.985 then 500
        when r.c > 0.982 then 529 when r.c > 0.98 then 400 else 200 end as status,
        (80 * exp(4 * r.d + 2 * r.e))::int as took,
        (exp(9 * r.b + 3 * r.e))::bigint as cost
    ) o`
  return [facts, ...rowsSql(name)]
}

function rowsSql(name: string): string[] {
  return [
    `insert into exchanges_${name} (id, conversation_id, tenant, key_id, tags, mode, protocol, method, path, dialect,
      provider, model_asked, model_served, streamed, status, outcome, error, started_at, first_byte_at, ended_at,
      input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, usage_final, cost_micros,
      currency, price_version, request_sha256, response_sha256, request_bytes, response_bytes, spool, seq, route, cache)
    select id, case when not mcp then conversation end, 'tenant-' || key % 12, 'key-' || key,
      case when a < 0.00001 then array['rare'] when key % 3 = 0 then array['team-' || key % 10, 'nightly']
        when key % 3 = 1 then array['team-' || key % 10] else '{}' end,
      'full', case when a < 0.00001 then 'websocket' else 'http' end, 'POST',
      case when mcp then '/mcp' else '/v1/messages' end,
      case when mcp then 'mcp' when a < 0.00001 then 'openai-embeddings' when provider = 'anthropic' then 'anthropic'
        when provider = 'gemini' then 'gemini' else 'openai-chat' end,
      case when not mcp then provider end, case when not mcp then model end, case when not mcp then model end,
      b > 0.3, status, case when a < 0.00001 then 'gateway_crashed' when a > 0.995 then 'client_gone'
        when status >= 400 then 'upstream_error' else 'completed' end,
      case when status >= 400 then 'overloaded_error' end,
      to_timestamp(ms / 1000.0), to_timestamp((ms + took / 4) / 1000.0), to_timestamp((ms + took) / 1000.0),
      (e * 40000)::int, (b * 3000)::int, (d * 90000)::int, (c * 3000)::int, 0, true,
      case when mcp then null else cost end, 'USD', '2026-11-01', sha256(id::text::bytea), sha256(id::text::bytea),
      (e * 200000)::int, (b * 12000)::int, 'bench', n, case when key % 4 = 0 then 'route-' || key % 20 end,
      case when key % 10 = 3 then case when a < 0.2 then 'hit' else 'miss' end end
    from facts order by id`,
    `insert into exchange_classes_${name} (id, tenant, task_type, complexity, language, stack, domain, sensitivity, source)
    select id, 'tenant-' || key % 12,
      ${pick(['code_generation', 'debugging', 'refactoring', 'code_review', 'testing', 'explanation', 'planning', 'writing'], 'b')},
      ${pick(['medium', 'low', 'high'], 'c')},
      case when a < 0.00001 then 'cobol' else ${pick(['typescript', 'python', 'go', 'rust', 'sql', 'java'], 'd')} end,
      array[${pick(['react', 'postgres', 'docker', 'django', 'kubernetes', 'redis'], 'e')}],
      ${pick(['backend', 'frontend', 'database', 'infrastructure', 'data', 'security'], 'd')},
      case when a < 0.00001 then 'critical' when a > 0.97 then 'sensitive' when a > 0.9 then 'public' else 'internal' end,
      'rules'
    from facts where not mcp and status = 200 and c < 0.95 order by id`,
    `insert into mcp_exchanges_${name} (id, tenant, hop, peer, rpc, name, session, client_session, tool_use, parent)
    select id, 'tenant-' || key % 12, case when n % 40 = 7 then 'client' else 'upstream' end,
      case when n % 40 = 7 then 'default' else 'server-' || key % 8 end,
      case when a < 0.00001 then 'prompts/get' else 'tools/call' end,
      case when a < 0.00001 then 'rare_tool' else 'tool_' || key % 60 end, substr(md5(conversation::text), 1, 16),
      case when n % 40 = 7 then 's-' || conversation end, case when n % 40 = 7 then 'toolu_' || id end,
      case when n % 40 = 27 then lag(id) over (order by n) end
    from facts where mcp order by id`,
    `insert into tool_uses_${name} (id, tool_use, place, name)
    select lead.id, 'toolu_' || f.id, 0, 'tool_' || f.key % 60
    from facts f join facts lead on lead.n = f.n - 1 where f.mcp and f.n % 40 = 7 order by 1`,
    `create temp table said as
    select pg_temp.id_of(ms, 'turn-' || side || id) as turn, id as exchange, conversation, place + 1 as number,
      'tenant-' || key % 12 as tenant, side, case when a < 0.00001 then ' ${planted.rare}' else '' end as extra, n,
      floor(4000 * case when side = 1 then b else d end)::int as pooled
    from facts cross join lateral (select place % 2 + 1 as side) s where not mcp`,
    `insert into turns_${name} (id, conversation_id, number, key, tenant, role, exchange_id, reply, text)
    select turn, conversation, number, decode(md5(turn::text), 'hex'), tenant,
      case side when 1 then 'user' else 'assistant' end, exchange, side = 2, t.text || ' item' || said.n || extra
    from said join bench_texts t on t.n = pooled order by turn`,
    `insert into turn_words_${name} (id, words)
    select turn, t.words || array_to_tsvector(array['@' || tenant, 'item' || said.n]
      || case when extra = '' then '{}' else array['${planted.rare}'] end)
    from said join bench_texts t on t.n = pooled order by turn`,
    `insert into conversations (id, tenant, parent_id, client, session, agent, title, models, started_at, last_at,
      exchanges, turns, last_number, input_tokens, output_tokens, cost_micros)
    select conversation, 'tenant-' || min(key) % 12,
      case when min(slot) % 8 = 5 then (array_agg(conversation))[1] end,
      case when min(key) % 5 < 3 then 'claude-code' when min(key) % 5 = 3 then 'codex' end,
      case when min(key) % 5 < 4 then 's-' || conversation end,
      case when min(slot) % 8 = 5 then 'agent-' || min(slot) end, 'Conversation ' || min(n),
      array_agg(distinct model), to_timestamp(min(ms) / 1000.0), to_timestamp(max(ms + took) / 1000.0), count(*),
      count(*), max(place) + 1, sum((e * 40000)::int), sum((b * 3000)::int), sum(cost)
    from facts where not mcp group by conversation`,
    `insert into spend
    select date_trunc('hour', started_at, 'UTC'), tenant, key_id, route, provider, coalesce(model_served, model_asked),
      tags, count(*), 0, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
      sum(reasoning_tokens), sum(cost_micros), sum(cost_micros)
    from exchanges_${name} where dialect <> 'mcp' group by 1, 2, 3, 4, 5, 6, 7`,
    'drop table facts; drop table said',
  ]
}
