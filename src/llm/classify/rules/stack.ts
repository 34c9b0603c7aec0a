import type { Classes } from '#capture'

type Domain = Classes['domain']

/** Frameworks and tools: the word for it, what people write, and what field it speaks of. */
const known: [name: string, spellings: string, domain: Domain | null][] = [
  ['react', 'react(?:\\.?js)?(?!\\s+to\\b)', 'frontend'],
  ['nextjs', 'next\\.?js', 'frontend'],
  ['vue', 'vue(?:\\.?js)?|nuxt', 'frontend'],
  ['angular', 'angular', 'frontend'],
  ['svelte', 'svelte(?:kit)?', 'frontend'],
  ['tailwind', 'tailwind(?:css)?', 'frontend'],
  ['vite', 'vite', 'frontend'],
  ['webpack', 'webpack', 'frontend'],
  ['node', 'node\\.?js', 'backend'],
  ['bun', 'bun(?= (?:run|test|install|add|serve|x)\\b)|bun\\.serve|bunx', 'backend'],
  ['deno', 'deno', 'backend'],
  ['express', 'express\\.?js|express\\(\\)', 'backend'],
  ['nestjs', 'nest\\.?js', 'backend'],
  ['elysia', 'elysia', 'backend'],
  ['hono', 'hono', 'backend'],
  ['django', 'django', 'backend'],
  ['flask', 'flask', 'backend'],
  ['fastapi', 'fastapi', 'backend'],
  ['rails', 'ruby on rails|rails', 'backend'],
  ['spring', 'spring ?boot|spring framework', 'backend'],
  ['laravel', 'laravel', 'backend'],
  ['dotnet', '\\.net core|asp\\.net|dotnet', 'backend'],
  ['graphql', 'graphql', 'backend'],
  ['grpc', 'grpc', 'backend'],
  ['postgres', 'postgres(?:ql)?|psql|pgvector', 'database'],
  ['mysql', 'mysql|mariadb', 'database'],
  ['sqlite', 'sqlite3?', 'database'],
  ['mongodb', 'mongo(?:db|ose)?', 'database'],
  ['redis', 'redis', 'database'],
  ['elasticsearch', 'elasticsearch|opensearch', 'database'],
  ['prisma', 'prisma', 'database'],
  ['kafka', 'kafka', 'data'],
  ['spark', 'pyspark|apache spark', 'data'],
  ['pandas', 'pandas', 'data'],
  ['dbt', 'dbt', 'data'],
  ['airflow', 'airflow', 'data'],
  ['pytorch', 'pytorch|torch\\.nn', 'machine_learning'],
  ['tensorflow', 'tensorflow|keras', 'machine_learning'],
  ['scikit-learn', 'scikit-learn|sklearn', 'machine_learning'],
  ['huggingface', 'hugging ?face|transformers', 'machine_learning'],
  ['langchain', 'langchain|langgraph', 'machine_learning'],
  ['docker', 'docker(?:file|-compose)?', 'infrastructure'],
  ['kubernetes', 'kubernetes|k8s|kubectl|helm', 'infrastructure'],
  ['terraform', 'terraform|opentofu', 'infrastructure'],
  ['ansible', 'ansible', 'infrastructure'],
  ['nginx', 'nginx', 'infrastructure'],
  ['aws', 'aws|amazon s3|dynamodb|cloudformation', 'infrastructure'],
  ['gcp', 'gcp|google cloud|bigquery', 'infrastructure'],
  ['azure', 'azure', 'infrastructure'],
  ['github-actions', 'github actions|\\.github/workflows', 'infrastructure'],
  ['prometheus', 'prometheus|grafana', 'infrastructure'],
  ['flutter', 'flutter', 'mobile'],
  ['react-native', 'react native|expo', 'mobile'],
  ['android', 'android(?: studio)?|jetpack compose', 'mobile'],
  ['ios', 'swiftui|uikit|xcode', 'mobile'],
  ['jest', 'jest', null],
  ['vitest', 'vitest', null],
  ['pytest', 'pytest', null],
  ['playwright', 'playwright', null],
  ['cypress', 'cypress', null],
]

/** One look at the text for all of them: the group that matched says which it was. */
const pattern = new RegExp(
  `(?<![\\w-])(?:${known.map(([, spellings]) => `(${spellings})`).join('|')})(?![\\w-])`,
  'gi',
)
const mostTools = 8

export type Stack = { stack: string[]; domains: Map<Domain, number> }

/** The tools that are spoken of, most often named first, and how often each field is meant by them. */
export function stackOf(text: string): Stack {
  const counts = new Map<string, number>()
  const domains = new Map<Domain, number>()
  for (const match of text.matchAll(pattern)) {
    const tool = known[match.findIndex((group, index) => index > 0 && group !== undefined) - 1]
    if (tool === undefined) continue
    const [name, , domain] = tool
    counts.set(name, (counts.get(name) ?? 0) + 1)
    if (domain !== null) domains.set(domain, (domains.get(domain) ?? 0) + 1)
  }
  const stack = [...counts].sort((one, other) => other[1] - one[1]).slice(0, mostTools)
  return { stack: stack.map(([name]) => name), domains }
}
