import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { interpret } from '#llm'
import { handlerOn, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { spawnProcess } from '../../support/process.ts'
import { said } from './support.ts'

describe('bun run classify', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase()
    const logging = handlerOn(database.sql, { interpret })
    await stored(
      logging,
      Array.from({ length: 20 }, (_, n) => said(`Question ${n}?`, `Answer ${n}`)),
    )
    await logging.close()
  })
  afterAll(() => database.drop())

  const run = async (...words: string[]) => {
    const child = spawnProcess(['bun', 'scripts/classify.ts', ...words], {
      env: { DATABASE_URL: database.url, LOG_LEVEL: 'silent', CLASSIFY_MODEL: undefined },
    })
    // What comes before the last line is progress, told once a second.
    return { code: await child.exited, text: child.lines.at(-1) }
  }

  test('classifies what is there, and has nothing to do the second time', async () => {
    expect(await run()).toMatchObject({ code: 0, text: 'Classified 20 exchanges, passed over 0' })
    expect(await run('--rules')).toMatchObject({ code: 0, text: 'Classified 0 exchanges, passed over 0' })
  }, 20_000)

  test('says what is wrong with its words', async () => {
    const { code, text } = await run('--since', 'yesterday')
    expect(code).toBe(1)
    expect(text).toContain('--since yesterday: must be a time')
  }, 20_000)
})
