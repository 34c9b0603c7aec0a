import type { Classes } from '#capture'

type Domain = Classes['domain']

const words: [Domain, string][] = [
  ['frontend', 'css|html|dom|browser|component|button|layout|responsive|accessibility|ui|ux|web page'],
  ['backend', 'api|endpoint|server|http|middleware|microservices?|webhook|authentication|queue|rest'],
  ['database', 'sql|database|schema|migration|index(?:es)?|query|join|transaction|table'],
  ['infrastructure', 'deploy(?:ment)?|ci/cd|pipeline|container|cluster|load balancer|dns|systemd|linux|vm'],
  ['mobile', 'ios|android|mobile app|app store|push notifications?'],
  ['data', 'csv|dataset|dataframe|etl|spreadsheet|excel|chart|statistics|analytics'],
  [
    'machine_learning',
    'neural|training data|fine-?tun\\w+|embeddings?|llm|prompt|inference|classifier|gradient',
  ],
  ['security', 'vulnerabilit\\w+|exploit|cve-\\d+|xss|csrf|encryption|oauth|penetration|malware|firewall'],
  ['finance', 'invoice|revenue|tax(?:es)?|stocks?|portfolio|loan|interest rate|accounting|budget|payment'],
  ['legal', 'contract|clause|liabilit\\w+|gdpr|lawsuit|court|statute|licen[cs]e agreement|plaintiff'],
  ['health', 'patient|symptoms?|diagnosis|medication|clinical|disease|therapy|doctor'],
  ['business', 'marketing|customers?|sales|strategy|meeting|stakeholders?|roadmap|proposal|email to'],
  ['education', 'homework|lesson|students?|teacher|exam|curriculum|essay about|explain like'],
]

/** One look at the text for all of them, as no word is of two fields: the group that matched says which it was. */
const pattern = new RegExp(`\\b(?:${words.map(([, spellings]) => `(${spellings})`).join('|')})\\b`, 'gi')

/** A tool that is named says more of the field than a word does. */
const toolWeight = 2
const leastPoints = 2

export function domainOf(text: string, ofTools: ReadonlyMap<Domain, number>): Domain {
  let best: Domain = 'general'
  let most = leastPoints - 1
  const said = words.map(() => 0)
  for (const match of text.matchAll(pattern)) {
    const field = match.findIndex((group, index) => index > 0 && group !== undefined) - 1
    said[field] = (said[field] ?? 0) + 1
  }
  for (const [field, [domain]] of words.entries()) {
    const points = (said[field] ?? 0) + toolWeight * (ofTools.get(domain) ?? 0)
    if (points > most) [best, most] = [domain, points]
  }
  return best
}
