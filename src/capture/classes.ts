import { z } from 'zod'

/** What an exchange was about. The words are fixed, so that filters, routes and reports can rely on them. */
export const classes = z.object({
  task_type: z.enum([
    'code_generation',
    'debugging',
    'refactoring',
    'code_review',
    'testing',
    'devops',
    'data_analysis',
    'explanation',
    'question_answering',
    'summarization',
    'translation',
    'extraction',
    'classification',
    'writing',
    'planning',
    'conversation',
    'embedding',
    'other',
  ]),
  complexity: z.enum(['low', 'medium', 'high']),
  /** The programming language, as in `typescript`; null where there is none. */
  language: z
    .string()
    .regex(/^[a-z0-9+#-]{1,32}$/)
    .nullable(),
  /** Frameworks and tools, as in `react`, `postgres`. */
  stack: z.array(z.string().regex(/^[a-z0-9.+#-]{1,32}$/)).max(8),
  domain: z.enum([
    'frontend',
    'backend',
    'database',
    'infrastructure',
    'mobile',
    'data',
    'machine_learning',
    'security',
    'finance',
    'legal',
    'health',
    'business',
    'education',
    'general',
  ]),
  /** Of what was said: `sensitive` holds personal data or confidences, `critical` secrets that open something. */
  sensitivity: z.enum(['public', 'internal', 'sensitive', 'critical']),
})

export type Classes = z.infer<typeof classes>
