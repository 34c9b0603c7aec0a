/** Names of programming languages by what people write behind a fence, and by file extension. */
const names: Record<string, readonly string[]> = {
  typescript: ['ts', 'tsx', 'mts', 'cts', 'typescript'],
  javascript: ['js', 'jsx', 'mjs', 'cjs', 'javascript'],
  python: ['py', 'python', 'python3', 'pyi', 'ipynb'],
  go: ['go', 'golang'],
  rust: ['rs', 'rust'],
  java: ['java'],
  kotlin: ['kt', 'kts', 'kotlin'],
  scala: ['scala'],
  swift: ['swift'],
  'c#': ['cs', 'csharp', 'c#'],
  'c++': ['cpp', 'cc', 'cxx', 'hpp', 'c++'],
  c: ['c', 'h'],
  php: ['php'],
  ruby: ['rb', 'ruby', 'erb'],
  elixir: ['ex', 'exs', 'elixir'],
  haskell: ['hs', 'haskell'],
  clojure: ['clj', 'cljs', 'clojure'],
  dart: ['dart'],
  lua: ['lua'],
  perl: ['pl', 'perl'],
  r: ['r'],
  julia: ['jl', 'julia'],
  zig: ['zig'],
  shell: ['sh', 'bash', 'zsh', 'shell', 'console', 'fish'],
  powershell: ['ps1', 'powershell'],
  sql: ['sql', 'psql', 'postgresql', 'plpgsql'],
  html: ['html', 'htm'],
  css: ['css', 'scss', 'less'],
  vue: ['vue'],
  svelte: ['svelte'],
  terraform: ['tf', 'hcl', 'terraform'],
  yaml: ['yaml', 'yml'],
  solidity: ['sol', 'solidity'],
}

const byWord = new Map(Object.entries(names).flatMap(([name, words]) => words.map((word) => [word, name])))

const fence = /^[ \t]*```[ \t]*([\w+#-]{1,16})[ \t]*$/gm
const file = /(?<=[\w)\]-])\.([a-zA-Z]{1,6}\d?)(?![\w/(=])/g

/** What a language looks like, where nobody says its name. */
const looks: [string, RegExp][] = [
  ['python', /^[ \t]*(?:def \w+\(.*\).*:|from [\w.]+ import |import \w+$|if __name__ == )/m],
  ['typescript', /\b(?:interface \w+ \{|type \w+ = |: (?:string|number|boolean)\b[;,)=])/],
  ['javascript', /\b(?:const \w+ = (?:require\(|\(|async)|function \w+\(.*\) \{|console\.log\()/],
  ['go', /^(?:package \w+$|func (?:\(\w+ \*?\w+\) )?\w+\()/m],
  ['rust', /\b(?:fn \w+(?:<.*>)?\(|let mut |impl(?:<.*>)? \w+|use std::)/],
  ['java', /\bpublic (?:static |final )*(?:class|void|interface)\b|\bSystem\.out\.print/],
  ['c#', /\busing System\b|\bnamespace \w+[\s\S]{0,40}\{/],
  ['c++', /#include <\w+>|\bstd::\w+/],
  ['sql', /\bselect\b[^;]{1,120}\bfrom\s+\w+\s*(?:;|where|join|group|order|limit)|\bcreate table\b/i],
  ['shell', /^(?:#!\/bin\/(?:ba)?sh|\$ \w+)/m],
]

/** Data and prose around code: counted only where there is nothing else. */
const minor = new Set(['yaml', 'html', 'css', 'shell', 'sql'])

/** The language that most of the code in the text is in; null where there is none. */
export function languageOf(text: string): string | null {
  const scores = new Map<string, number>()
  const add = (name: string | undefined, points: number) => {
    if (name !== undefined) scores.set(name, (scores.get(name) ?? 0) + points)
  }
  if (text.includes('```'))
    for (const [, word] of text.matchAll(fence)) add(byWord.get(word?.toLowerCase() ?? ''), 6)
  for (const [, word] of text.matchAll(file))
    add(byWord.get(word?.toLowerCase() ?? ''), word === 'c' || word === 'r' ? 1 : 2)
  for (const [name, pattern] of looks) if (pattern.test(text)) add(name, 2)
  let best: string | null = null
  let most = 1
  for (const [name, points] of scores) {
    const weighed = minor.has(name) ? points / 2 : points
    if (weighed > most || (weighed === most && best === null)) [best, most] = [name, weighed]
  }
  return best
}
