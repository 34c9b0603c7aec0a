import { useEffect, useRef } from 'react'
import { api, type RowDetail } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { ApiError } from '../data/client.ts'
import { count, duration, size } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Stat, Time } from '../ui/bits.tsx'
import { Body } from '../ui/body.tsx'
import { Link } from '../ui/link.tsx'
import { JobActions } from './job-actions.tsx'
import { Deliveries } from './job-deliveries.tsx'
import { Exchanges, Flow, Log } from './job-parts.tsx'
import { Timeline } from './job-timeline.tsx'

const over = new Set(['succeeded', 'failed', 'cancelled', 'expired'])

/** One job: what it was asked, what came of it, and how. */
export function JobPage({ id }: { id: string }) {
  const { value: job, error, reload } = useLoad(id, (signal) => api.row(id, { signal }))
  useFollow(job, reload)
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Empty title="There is no such job">
        It was removed, or is another tenant’s. <Link href={hrefOf(['jobs'])}>All jobs</Link>
      </Empty>
    )
  }
  if (error !== null && job === undefined) return <Failure error={error} retry={reload} />
  if (job === undefined) return <Loading />
  const part = (name: string) => api.rowPart(id, name)
  return (
    <>
      <p className="crumbs">
        <Link href={hrefOf(['jobs'])}>Jobs</Link> /{' '}
        <Link href={hrefOf(['jobs'], { kind: job.kind })}>{job.kind}</Link>
      </p>
      <div className="head">
        <h1 className="id">{job.id}</h1>
        <Badge state={job.state} />
        {job.cancel_requested && !over.has(job.state) && <Badge state="paused">stops</Badge>}
        <JobActions job={job} onDone={reload} />
      </div>
      {job.error !== null && (
        <p className="reason">
          {job.error_class !== null && <b>{job.error_class}: </b>}
          {job.error}
        </p>
      )}
      {job.state === 'running' && <Progress job={job} />}
      <Facts job={job} />
      <Timeline job={job} />
      <div className="two">
        <section className="card">
          <h2>Input</h2>
          <Body body={job.input} href={part('input')} none="It is not kept." />
        </section>
        <section className="card">
          <h2>Result</h2>
          <Body body={job.result} href={part('result')} none={over.has(job.state) ? 'None.' : 'Not yet.'} />
        </section>
      </div>
      {job.file_bytes !== null && (
        <p className="more">
          <a href={api.file(id)} download>
            Download the file that it made ({size(job.file_bytes)})
          </a>
        </p>
      )}
      {job.stack !== null && (
        <section className="card">
          <h2>Stack</h2>
          <Body body={job.stack} href={part('stack')} none="" />
        </section>
      )}
      <Log job={job} />
      <Flow job={job} />
      <Deliveries id={id} ended={over.has(job.state)} />
      <Exchanges id={id} />
    </>
  )
}

/** Looks again with each push, until it has ended. */
function useFollow(job: RowDetail | undefined, reload: () => void): void {
  const { board } = useBoard()
  const at = board?.at
  const seen = useRef(at)
  const open = job !== undefined && !over.has(job.state)
  useEffect(() => {
    if (seen.current === at) return
    seen.current = at
    if (open) reload()
  }, [at, open, reload])
}

function Progress({ job }: { job: RowDetail }) {
  return (
    <p className="advance">
      <progress {...(job.progress === null ? {} : { value: job.progress })} max={1} />
      <span>
        {job.progress !== null && `${Math.round(job.progress * 100)}%`} {job.progress_note}
      </span>
    </p>
  )
}

function Facts({ job }: { job: RowDetail }) {
  const { started_at: begun, ended_at: ended } = job
  const ran = begun === null ? null : Date.parse(ended ?? new Date().toISOString()) - Date.parse(begun)
  return (
    <dl className="stats">
      <Stat label="Made">
        <Time iso={job.created_at} />
      </Stat>
      <Stat label={job.state === 'scheduled' ? 'Runs' : 'Begun'}>
        <Time iso={job.state === 'scheduled' ? job.run_at : begun} />
      </Stat>
      <Stat label="Ran">{duration(ran)}</Stat>
      <Stat label="Attempt">
        {job.attempt} of {job.attempts}
      </Stat>
      <Stat label="Priority">{count(job.priority)}</Stat>
      <Stat label="Tenant">{job.tenant}</Stat>
      <Stat label="Input">{size(job.input_bytes)}</Stat>
      <Stat label="Result">{size(job.result_bytes)}</Stat>
      {job.concurrency_key !== null && (
        <Stat label="Concurrency key">
          {job.concurrency_key} <span className="faint">({job.concurrency_limit})</span>
        </Stat>
      )}
      {job.tags.length > 0 && (
        <Stat label="Tags" all>
          {job.tags.map((tag) => (
            <Link key={tag} className="tag" href={hrefOf(['jobs'], { tag })}>
              {tag}
            </Link>
          ))}
        </Stat>
      )}
    </dl>
  )
}
