import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  runMigrations,
  SchemaMigrationRequiredError,
  SchemaVersionMismatchError,
  UnsupportedPostgresVersionError,
} from 'bullmq'
import { errorText, SetupError } from '#lib/errors'
import { schema } from './postgres-pool.ts'

/**
 * Payloads of a megabyte are compressed already, and live for seconds. Not trying to compress them again saves a third
 * of an insert; an eager vacuum makes room for the next ones before the table has grown by minutes of traffic.
 */
const storage = `
  alter table ${schema}.job alter column data set storage external;
  alter table ${schema}.job set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000,
    toast.autovacuum_vacuum_cost_delay = 0
  )`

/**
 * BullMQ's own tables, brought up to the version that this release needs. Many processes may start at once.
 * @throws SetupError when the database is too old, too new, or does not let us
 */
export async function ensureSchema(pool: PgPool): Promise<void> {
  const session = await pool.connect()
  try {
    if ((await versionOf(session)) < LATEST_SCHEMA_VERSION) {
      await runMigrations(session, schema)
      await session.query(storage)
    }
  } catch (error) {
    if (isSetup(error)) throw new SetupError(`Queue tables: ${errorText(error)}`, { cause: error })
    throw error
  } finally {
    session.release()
  }
}

async function versionOf(session: Awaited<ReturnType<PgPool['connect']>>): Promise<number> {
  try {
    return await assertSchemaCompatibility(session, schema)
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0
    throw error
  }
}

function isSetup(error: unknown): boolean {
  const forbidden = error instanceof Error && 'code' in error && error.code === '42501'
  return (
    forbidden ||
    error instanceof SchemaVersionMismatchError ||
    error instanceof UnsupportedPostgresVersionError
  )
}
