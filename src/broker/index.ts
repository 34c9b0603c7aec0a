/**
 * The queue engine, chosen by URL.
 *
 * engine     BullMQ's backend: Redis or Postgres
 * contract   a queue's name, payload, retry and retention policy (`queues/`)
 * producer   enqueues, consumer drains
 * inspector  a queue as people look at it and act on it
 * flow       what consumers measured: throughput, waits, who is there
 */
export type {
  Broker,
  ConsumeOptions,
  Consumer,
  Handler,
  JobContext,
  Producer,
  QueueCounts,
  Schedule,
} from './broker.ts'
export { durationBounds } from './durations.ts'
export { BrokerDownError, FinalJobError } from './errors.ts'
export { type Flow, openFlow, type Sample } from './flow.ts'
export {
  type FlowReport,
  flowReports,
  flowSeries,
  type Percentiles,
  type WorkerSeen,
  workersSeen,
} from './flow-report.ts'
export {
  type EngineJob,
  type EngineJobDetail,
  type EngineState,
  engineStates,
  type Inspector,
  type QueueOverview,
  type Rate,
} from './inspect.ts'
export { openBroker } from './open.ts'
export { openRedis, type RedisClient } from './redis.ts'
export { type Tally, takeTallies } from './tallies.ts'
