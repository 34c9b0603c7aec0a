import type { Classes } from '#capture'

type Domain = Classes['domain']

const words: [Domain, RegExp][] = [
  [
    'frontend',
    /\b(?:css|html|dom|browser|component|button|layout|responsive|accessibility|ui|ux|web page)\b/gi,
  ],
  [
    'backend',
    /\b(?:api|endpoint|server|http|middleware|microservices?|webhook|authentication|queue|rest)\b/gi,
  ],
  ['database', /\b(?:sql|database|schema|migration|index(?:es)?|query|join|transaction|table)\b/gi],
  [
    'infrastructure',
    /\b(?:deploy(?:ment)?|ci\/cd|pipeline|container|cluster|load balancer|dns|systemd|linux|vm)\b/gi,
  ],
  ['mobile', /\b(?:ios|android|mobile app|app store|push notifications?)\b/gi],
  ['data', /\b(?:csv|dataset|dataframe|etl|spreadsheet|excel|chart|statistics|analytics)\b/gi],
  [
    'machine_learning',
    /\b(?:neural|training data|fine-?tun\w+|embeddings?|llm|prompt|inference|classifier|gradient)\b/gi,
  ],
  [
    'security',
    /\b(?:vulnerabilit\w+|exploit|cve-\d+|xss|csrf|encryption|oauth|penetration|malware|firewall)\b/gi,
  ],
  [
    'finance',
    /\b(?:invoice|revenue|tax(?:es)?|stocks?|portfolio|loan|interest rate|accounting|budget|payment)\b/gi,
  ],
  [
    'legal',
    /\b(?:contract|clause|liabilit\w+|gdpr|lawsuit|court|statute|licen[cs]e agreement|plaintiff)\b/gi,
  ],
  ['health', /\b(?:patient|symptoms?|diagnosis|medication|clinical|disease|therapy|doctor)\b/gi],
  [
    'business',
    /\b(?:marketing|customers?|sales|strategy|meeting|stakeholders?|roadmap|proposal|email to)\b/gi,
  ],
  ['education', /\b(?:homework|lesson|students?|teacher|exam|curriculum|essay about|explain like)\b/gi],
]

/** A tool that is named says more of the field than a word does. */
const toolWeight = 2
const leastPoints = 2

export function domainOf(text: string, ofTools: ReadonlyMap<Domain, number>): Domain {
  let best: Domain = 'general'
  let most = leastPoints - 1
  for (const [domain, pattern] of words) {
    const points = (text.match(pattern)?.length ?? 0) + toolWeight * (ofTools.get(domain) ?? 0)
    if (points > most) [best, most] = [domain, points]
  }
  return best
}
