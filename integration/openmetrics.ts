// OpenMetrics text → its families and samples, strictly by the specification's grammar; anything else is an error. Pure.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["n\\\\])*"'
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`)
/** Of the types that we use, the endings that their samples' names have. */
const SUFFIXES: Readonly<Record<string, string>> = { counter: '_total', gauge: '' }

/** @throws Error with the line that is wrong. */
export function parseOpenMetrics(text: string): Map<string, Family> {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.pop() !== '# EOF') throw new Error('expected # EOF at the end')
  const families = new Map<string, Family & { samples: Sample[] }>()
  let current: { name: string; help: string; type: string; samples: Sample[] } | undefined
  const seen = new Set<string>()
  for (const line of lines) {
    const wrong = (reason: string) => new Error(`${reason}: ${JSON.stringify(line)}`)
    const meta = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line)
    if (meta) {
      const [, kind, name = '', rest = ''] = meta
      if (current?.name !== name) {
        if (families.has(name)) throw wrong('a family in two parts')
        if (name.endsWith('_total')) throw wrong('a family with the ending of a sample')
        current = { name, help: '', type: '', samples: [] }
        families.set(name, current)
      }
      if (current.samples.length > 0) throw wrong('behind a sample')
      if (kind === 'HELP') current.help = rest
      else if (rest in SUFFIXES) current.type = rest
      else throw wrong('no such type')
      continue
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    if (!current || name !== `${current.name}${SUFFIXES[current.type]}`) {
      throw wrong('expected a sample of its family')
    }
    if (!/^\d+(\.\d+)?$/.test(value)) throw wrong('expected a number')
    const series = `${name} ${labels}`
    if (seen.has(series)) throw wrong('there twice')
    seen.add(series)
    current.samples.push({ name, labels: readLabels(labels, wrong), value: Number(value) })
  }
  for (const [name, { help, type }] of families) {
    if (help === '' || type === '') throw new Error(`${name}: without help or type`)
  }
  return families
}

function readLabels(text: string, wrong: (reason: string) => Error): Record<string, string> {
  const entries = [...text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')] as const,
  )
  if (new Set(entries.map(([name]) => name)).size < entries.length) throw wrong('a label twice')
  return Object.fromEntries(entries)
}
