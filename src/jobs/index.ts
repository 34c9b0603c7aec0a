/**
 * Work that is asked for now and done later.
 *
 * job         one piece of work: its row in Postgres is the truth, from the 202 on
 * kind        what may be asked for: a schema and a function; registered by the processes
 * admission   a job's way from its row into the queue engine, by the feeder
 * attempt     one run of a job by a worker; only the one that still owns the row may write its end
 * spared      attempts that do not count, as their worker died or stopped
 * apart       in a process of its own, as workers died over it
 * flow        jobs that depend on each other
 */
export { defineKind, type Kind, type RunContext } from './kind.ts'
export { builtInKinds } from './kinds/built-in.ts'
export { type JobsDoor, type OpenJobsOptions, openJobs } from './open-jobs.ts'
export { countStates } from './reading/counts.ts'
export { type JobFilters, jobConditions, jobFilters, lookedUp } from './reading/filters.ts'
export { type JobItem, jobColumns, jobItem } from './reading/item.ts'
export { openRegistry, type Registry } from './registry.ts'
export { ended, isEnded, type State, states } from './states.ts'
export { jobsUpkeep } from './upkeep.ts'
export type { Receivers } from './webhooks/receivers.ts'
