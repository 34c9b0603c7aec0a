import { describe, expect, test } from 'bun:test'
import type { Classes, Message } from '#capture'
import { sensitivityOf } from '../../../src/llm/classify/rules/sensitivity.ts'
import { titleOf } from '../../../src/llm/classify/rules/title.ts'
import { classifyByRules } from '../../../src/llm/classify/rules.ts'
import { subjectOf } from '../../../src/llm/classify/subject.ts'

/** Put together here, so that no scanner of secrets takes it for one. */
const secret = `sk-ant-${'a1B2'.repeat(8)}`

const message = (role: Message['role'], text: string): Message => ({ role, text, digest: text })

function classesOf(asked: string, answered = 'Sure.'): Classes {
  return classifyByRules(
    subjectOf({ history: [message('user', asked)], reply: message('assistant', answered) }),
  )
}

const cases: [string, string, string, Partial<Classes>][] = [
  [
    'a failing test in TypeScript',
    'My test fails with "TypeError: undefined is not a function" in src/user.test.ts, can you fix it?\n```ts\nexpect(a()).toBe(1)\n```',
    'The mock is missing.\n```ts\nconst a = () => 1\n```',
    { task_type: 'debugging', language: 'typescript' },
  ],
  [
    'a React component',
    'Create a responsive button component in React with Tailwind',
    '```tsx\nexport function Button() {}\n```',
    {
      task_type: 'code_generation',
      language: 'typescript',
      stack: ['react', 'tailwind'],
      domain: 'frontend',
    },
  ],
  [
    'a query',
    'Write a SQL query for Postgres that lists users by signup',
    '```sql\nselect * from users order by created_at;\n```',
    { task_type: 'code_generation', language: 'sql', stack: ['postgres'], domain: 'database' },
  ],
  [
    'a deployment',
    'Deploy this with helm to our kubernetes cluster behind nginx',
    'Run the following.\n```bash\nhelm install web ./chart\n```',
    { task_type: 'devops', domain: 'infrastructure', language: 'shell', sensitivity: 'internal' },
  ],
  [
    'a translation',
    'Translate "good morning" into German',
    'Guten Morgen',
    { task_type: 'translation', language: null, complexity: 'low' },
  ],
  [
    'a summary',
    'Summarize the following meeting notes for the stakeholders and the sales team',
    'They met.',
    { task_type: 'summarization', domain: 'business' },
  ],
  [
    'a question',
    'What is the capital of France?',
    'Paris',
    { task_type: 'question_answering', domain: 'general', sensitivity: 'public' },
  ],
  [
    'an explanation',
    'Explain how goroutines work',
    '```go\nfunc main() {}\n```',
    { task_type: 'explanation', language: 'go' },
  ],
  [
    'a refactoring',
    'Refactor this class\n```python\nclass A:\n  pass\n```',
    '```python\nA = 1\n```',
    { task_type: 'refactoring', language: 'python' },
  ],
  ['a letter', 'Write a letter to my landlord', 'Dear landlord', { task_type: 'writing', language: null }],
  ['a greeting', 'Hello there', 'Hi', { task_type: 'conversation', complexity: 'low' }],
  [
    'training',
    'Why does my PyTorch loss become NaN? The gradient explodes during training',
    'Clip it.',
    { stack: ['pytorch'], domain: 'machine_learning' },
  ],
]

describe('classes by rules', () => {
  for (const [name, asked, answered, expected] of cases)
    test(`${name}`, () => expect(classesOf(asked, answered)).toMatchObject(expected))

  test('what a client puts around a request says nothing', () => {
    const asked =
      '<system-reminder>\nDebug the failing python tests\n</system-reminder>\nTranslate this into French'
    expect(classesOf(asked).task_type).toBe('translation')
  })

  test('tags are taken away with what is in them, and those without an end are left', () => {
    const last = (text: string) => subjectOf({ history: [message('user', text)], reply: null }).last
    expect(last('<env>a</env>one<x-y>\nb</x-y> two <env></env>')).toBe('one  two')
    expect(last('<env>one <ctx>a</ctx> two')).toBe('<env>one   two')
    expect(last('<a>one</a> <B>two</B>')).toBe('<a>one</a> <B>two</B>')
    const history = [
      message('user', '<env>a</env>'),
      message('user', 'typed'),
      message('user', '<env>b</env>'),
    ]
    expect(subjectOf({ history, reply: null })).toMatchObject({ first: 'typed', last: 'typed' })
  })

  test('a long agent run is complex', () => {
    const history = Array.from({ length: 12 }, (_, n) =>
      message(n % 2 ? 'tool' : 'assistant', 'x'.repeat(5_000)),
    )
    const reply = message('assistant', 'Done')
    const subject = subjectOf({ history: [message('user', 'Migrate all modules'), ...history], reply })
    expect(classifyByRules(subject).complexity).toBe('high')
  })

  test('text that is made to be slow is not', () => {
    const hostile = [
      '<abc>',
      'select from ',
      '\n',
      ' ',
      '```',
      'a@',
      '4111 ',
      'DE00 ',
      'x.y',
      '/a',
      'sk-',
      'eyJ',
    ]
    for (const piece of hostile) {
      const text = piece.repeat(Math.ceil(200_000 / piece.length))
      const began = performance.now()
      classesOf(text, text)
      expect([piece, performance.now() - began < 1_000]).toEqual([piece, true])
    }
    const many = Array.from({ length: 200 }, () => message('user', '<abc>'.repeat(6_000)))
    const names = Array.from({ length: 5_000 }, (_, n) => `<a-${n.toString(36)}>`).join('')
    const began = performance.now()
    subjectOf({ history: [...many, message('user', names)], reply: null })
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe('sensitivity', () => {
  const levels: [Classes['sensitivity'], string[]][] = [
    [
      'critical',
      [
        'key: -----BEGIN RSA PRIVATE KEY-----',
        'AKIAIOSFODNN7EXAMPLE is mine',
        `use ${secret}`,
        'token ghp_abcdefghijklmnopqrstuvwxyz0123456789',
        'postgres://app:hunter22x@db.prod/main',
        'password = "correct-horse-9"',
        'card 4111 1111 1111 1111, 12/27',
      ],
    ],
    [
      'sensitive',
      [
        'write to jane.doe@acme-corp.io',
        'IBAN DE89 3704 0044 0532 0130 00',
        'call +49 30 1234 5678',
        'this is confidential',
        'SSN 078-05-1120',
      ],
    ],
    [
      'internal',
      [
        'see src/access/key.ts',
        '```\ncode\n```',
        'host db.internal',
        'our customers complain',
        'ping 10.0.0.12',
      ],
    ],
    [
      'public',
      [
        'What is 2 + 2?',
        'password = "your-password-here"',
        'mail user@example.com',
        'order 1234 5678 9012 3456',
        'postgres://user:password@localhost/db',
      ],
    ],
  ]
  for (const [level, texts] of levels)
    for (const text of texts)
      test(`${level}: ${text.slice(0, 40)}`, () => expect(sensitivityOf(text)).toBe(level))
})

describe('titles', () => {
  const titles: [string, string | null][] = [
    [
      'Please write a function that adds two numbers. It must be fast.',
      'Write a function that adds two numbers',
    ],
    ['Hi, can you explain closures?', 'Explain closures?'],
    ['```ts\nconst a = 1\n```', null],
    ['', null],
    ['<!>', null],
    ['# Übersetze das bitte ins Englische', 'Übersetze das bitte ins Englische'],
    [`use ${secret} for it`, 'Use […] for it'],
    [`fix ${'word '.repeat(60)}`, `Fix ${'word '.repeat(14)}word…`],
  ]
  for (const [said, title] of titles)
    test(`of: ${said.slice(0, 40)}`, () => expect(titleOf(said)).toBe(title))
})
