/**
 * Postgres: the truth.
 *
 * store      a pool of connections
 * migration  a numbered SQL file, applied once, never changed afterwards
 * schema     the number of the newest migration
 * cluster    a Postgres data directory
 * embedded   the Postgres that `bun start` runs itself where no DATABASE_URL is set
 */
export { atOnce, inSteps } from './bounded.ts'
export { openStore, type Store } from './client.ts'
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbedded } from './embedded.ts'
export { type Follower, type FollowOptions, follow, patiently } from './follow.ts'
export { checkSchema, migrate } from './migrate.ts'
export { sealClear } from './seal-clear.ts'
