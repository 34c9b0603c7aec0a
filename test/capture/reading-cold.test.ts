import { expect, test } from 'bun:test'
import { openFixture } from './reading-support.ts'

test('the first question that a gateway is asked may be about tags', async () => {
  for (const filter of ['tag=job:1', 'stack=bun']) {
    const cold = await openFixture()
    const { status, json } = await cold.ask(`/api/exchanges?${filter}`)
    expect([filter, status, json]).toEqual([filter, 200, { items: [], next_cursor: null }])
    await cold.release()
  }
})
