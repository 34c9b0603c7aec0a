import type { Classes } from '#capture'
import type { Subject } from '../subject.ts'

type Task = Classes['task_type']

/** Looked for in what a person asked last, else first; the first that fits says it. From the special to the common. */
const asks: [Task, RegExp][] = [
  [
    'translation',
    /\btranslat(?:e|ion|ing)\b|\bin(?:to)? (?:german|french|spanish|english|italian|chinese|japanese|portuguese|dutch)\b/i,
  ],
  ['summarization', /\b(?:summar(?:y|i[sz]e|i[sz]ing)|tl;?dr|key points|in a nutshell|recap|condense)\b/i],
  [
    'code_review',
    /\b(?:review (?:this|my|the|our)|code review|pull request|any (?:bugs|issues|problems) (?:in|with))\b/i,
  ],
  [
    'debugging',
    /\b(?:debug|stack ?trace|traceback|exception|segfault|does(?:n't| not) work|not working|fails?|failing|fix|bug|broken|crash(?:es|ed|ing)?|error|undefined is not)\b/i,
  ],
  [
    'refactoring',
    /\b(?:refactor|clean ?up|simplif(?:y|ied)|rename|restructure|rewrite|extract (?:a |the )?(?:function|method|class|module)|deduplicate)\b/i,
  ],
  [
    'testing',
    /\b(?:(?:write|add|create|generate|run)\b.{0,30}\btests?|unit tests?|test cases?|coverage|e2e)\b/i,
  ],
  [
    'devops',
    /\b(?:deploy|docker(?:file)?|kubernetes|helm|terraform|ci\/cd|pipeline|systemd|nginx config|provision)\b/i,
  ],
  ['extraction', /\b(?:extract|parse out|pull out|list all (?:the )?(?:names|dates|emails|entities))\b/i],
  ['classification', /\b(?:classif(?:y|ication)|categori[sz]e|label (?:this|these|each)|sentiment)\b/i],
  ['data_analysis', /\b(?:analy[sz]e|correlation|statistics|plot|chart|trend|average of|dataset|csv)\b/i],
  [
    'planning',
    /\b(?:plan|roadmap|design (?:a|an|the)|architect(?:ure)?|steps to|break (?:it|this) down|proposal for)\b/i,
  ],
  [
    'code_generation',
    /\b(?:implement|write (?:a|an|the|some|me)\b.{0,40}\b(?:function|class|script|program|component|query|regex|code|module|endpoint|api|test)|add (?:a|an|the|support)|create (?:a|an|the)\b.{0,40}\b(?:function|class|script|component|page|app|endpoint|file|table)|build (?:a|an|me)|generate code|make (?:it|the|a))\b/i,
  ],
  [
    'writing',
    /\b(?:write|draft|compose|rephrase|proofread|blog post|essay|letter|e-?mail|headline|story|poem)\b/i,
  ],
  [
    'explanation',
    /\b(?:explain|what does|how does|why (?:does|is|do|are)|walk me through|understand|difference between)\b/i,
  ],
  ['question_answering', /\?\s*$|^\s*(?:what|who|when|where|which|how|is|are|can|does|do|should|could)\b/i],
  ['conversation', /^\s*(?:hi|hello|hey|thanks?|thank you|good (?:morning|evening)|ok(?:ay)?|yes|no)\b/i],
]

const asksForCode: ReadonlySet<Task> = new Set(['code_generation', 'refactoring', 'debugging', 'testing'])

/** By what was asked; where that says nothing, by what was answered. */
export function taskOf({ first, last, reply, toolResults }: Subject, language: string | null): Task {
  const task = asked(last) ?? asked(first)
  const isCode = language !== null || toolResults > 0
  // "Write a letter" and "fix this sentence" are not about code.
  if (task !== null && asksForCode.has(task) && !isCode && task !== 'code_generation') return 'writing'
  if (task === 'writing' && language !== null && reply.includes('```')) return 'code_generation'
  if (task !== null) return task
  if (language !== null && reply.includes('```')) return 'code_generation'
  return toolResults > 0 ? 'code_generation' : 'other'
}

const longestAsk = 2_000

/** Without code and quotes, and of a long text the beginning and the end, where people say what they want. */
function asked(text: string): Task | null {
  const bare = text.replace(/```[\s\S]*?(?:```|$)/g, ' ').replace(/^>.*$/gm, ' ')
  const ends =
    bare.length <= longestAsk ? bare : `${bare.slice(0, longestAsk / 2)}\n${bare.slice(-longestAsk / 2)}`
  return asks.find(([, pattern]) => pattern.test(ends))?.[0] ?? null
}
