/** What one submission may be; all are named in the answer to one that is more. */

/** Of the body of POST /api/jobs, in bytes: its input and the little around it. */
export const mostBytes = 8 * 1024 * 1024
/** Of the body of POST /api/jobs/batch, in bytes. */
export const mostBatchBytes = 32 * 1024 * 1024
export const mostItems = 10_000
export const mostNeeds = 100
export const mostTags = 16
/** Ahead, in seconds: ten years. */
export const mostDelay = 10 * 365 * 86_400
/** A clock that is behind ours by less is forgiven, in ms. */
export const skewMs = 5_000
