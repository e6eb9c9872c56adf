// nft's JSON expressions and values, in the forms that the renderer writes → nft's own language.
// Pure.
import type { NftExpression, NftValue } from '../document.js'

/** The error for a form that the renderer never writes. */
export const unreachable = (value: unknown): Error =>
  new Error(`unreachable: no text for ${JSON.stringify(value)}`)

/** Returns an object that has exactly these fields. */
export function fieldsOf(
  value: NftValue | undefined,
  ...names: string[]
): { [name: string]: NftValue } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreachable(value)
  const found = Object.keys(value)
  if (found.length !== names.length || !names.every((name) => found.includes(name))) {
    throw unreachable(value)
  }
  return value
}

/** Returns the key and the value of an object with one key. */
export function entryOf(value: NftValue): [name: string, content: NftValue] {
  const [entry, ...rest] = Object.entries(fieldsOf(value, ...Object.keys(value ?? {})))
  if (!entry || rest.length > 0) throw unreachable(value)
  return entry
}

export function listOf(value: NftValue): NftValue[] {
  if (!Array.isArray(value) || value.length === 0) throw unreachable(value)
  return value
}

/** Writes a name or a word of nft's language. */
export function word(value: NftValue | undefined): string {
  if (typeof value !== 'string' || !/^[A-Za-z_][\w-]*$/.test(value)) throw unreachable(value)
  return value
}

export function whole(value: NftValue | undefined): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unreachable(value)
  return String(value)
}

/**
 * Writes a string. nft's strings have no escapes, so one that would end early cannot be written.
 */
export function quoted(value: NftValue | undefined): string {
  if (typeof value !== 'string' || !/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(value)) {
    throw unreachable(value)
  }
  return `"${value}"`
}

export function formatExpression(expression: NftExpression): string {
  const [name, content] = entryOf(expression)
  switch (name) {
    case 'payload':
      return formatPayload(content)
    case 'exthdr': {
      if (typeof content !== 'object' || content === null || !('field' in content)) {
        return `exthdr ${word(fieldsOf(content, 'name')['name'])}`
      }
      const { name, field } = fieldsOf(content, 'name', 'field')
      return `${word(name)} ${word(field)}`
    }
    case 'meta':
    case 'socket':
      return `${name} ${word(fieldsOf(content, 'key')['key'])}`
    case 'ct':
      return formatConntrack(content)
    case 'concat':
      return listOf(content).map(formatExpression).join(' . ')
    case 'jhash': {
      const { mod, seed, expr } = fieldsOf(content, 'mod', 'seed', 'expr')
      return (
        `jhash ${formatExpression(expr as NftExpression)} mod ${whole(mod)} seed ` +
        `${whole(seed)}`
      )
    }
    case '&':
    case '|': {
      const [left, bits, ...rest] = listOf(content)
      if (left === undefined || rest.length > 0) throw unreachable(expression)
      // Nothing is written in brackets, so what binds less may not be inside.
      if (name === '&' && typeof left === 'object' && left !== null && '|' in left) {
        throw unreachable(expression)
      }
      // The mask of a block is an address.
      const mask = typeof bits === 'string' ? formatElement(bits) : whole(bits)
      return `${formatExpression(left)} ${name} ${mask}`
    }
    case 'map': {
      const { key, data } = fieldsOf(content, 'key', 'data')
      return `${formatExpression(key as NftExpression)} map ${reference(data)}`
    }
    default:
      throw unreachable(expression)
  }
}

/** Writes a field by its name, or bits by their offset in a header. */
function formatPayload(content: NftValue): string {
  if (typeof content === 'object' && content !== null && 'base' in content) {
    const { base, offset, len } = fieldsOf(content, 'base', 'offset', 'len')
    return `@${[word(base), whole(offset), whole(len)].join(',')}`
  }
  const { protocol, field } = fieldsOf(content, 'protocol', 'field')
  return `${word(protocol)} ${word(field)}`
}

/** Writes a key of conntrack, of the connection or of one direction. */
function formatConntrack(content: NftValue): string {
  const isOfBoth = typeof content === 'object' && content !== null && !('dir' in content)
  const { key, dir } = fieldsOf(content, 'key', ...(isOfBoth ? [] : ['dir']))
  return ['ct', ...(isOfBoth ? [] : [word(dir)]), word(key)].join(' ')
}

/** Writes a value to compare with. Names of interfaces are quoted. */
export function formatValue(value: NftValue, isName: boolean): string {
  if (typeof value === 'object' && value !== null && 'set' in value) {
    const { set } = fieldsOf(value, 'set')
    const values = listOf(set as NftValue).map((item) => formatValue(item, isName))
    return `{ ${values.join(', ')} }`
  }
  if (isName) return quoted(value)
  if (typeof value === 'string' && value.startsWith('@')) return reference(value)
  return formatElement(value)
}

/**
 * Writes an element of a set: a number, an address, a word, a block, a range, or several of these
 * for a key of several fields.
 */
export function formatElement(value: NftValue): string {
  if (typeof value === 'number') return whole(value)
  if (typeof value === 'string') {
    if (!/^[0-9A-Za-z.:-]+$/.test(value)) throw unreachable(value)
    return value
  }
  const [name, content] = entryOf(value)
  switch (name) {
    case 'prefix': {
      const { addr, len } = fieldsOf(content, 'addr', 'len')
      return `${formatElement(addr as NftValue)}/${whole(len)}`
    }
    case 'range':
      return listOf(content).map(whole).join('-')
    case 'concat':
      return listOf(content).map(formatElement).join(' . ')
    case 'elem':
      return formatOwned(content)
    default:
      throw unreachable(value)
  }
}

const OWN = ['timeout', 'expires', 'comment']

/** Writes an element that has times of its own, or a comment. */
function formatOwned(content: NftValue): string {
  const own = OWN.filter((name) => Object.keys(content ?? {}).includes(name))
  const { val, timeout, expires, comment } = fieldsOf(content, 'val', ...own)
  if (own.length === 0) throw unreachable(content)
  return [
    formatElement(val as NftValue),
    ...(timeout === undefined ? [] : [`timeout ${whole(timeout)}s`]),
    ...(expires === undefined ? [] : [`expires ${whole(expires)}s`]),
    ...(comment === undefined ? [] : [`comment ${quoted(comment)}`]),
  ].join(' ')
}

export function reference(value: NftValue | undefined): string {
  if (typeof value !== 'string' || !value.startsWith('@')) throw unreachable(value)
  return `@${word(value.slice(1))}`
}
