// nft's JSON statements, in the forms that the renderer writes → nft's own language. Pure.
import type { NftExpression, NftStatement, NftValue } from '../document.js'

/** The error for a form that the renderer never writes. */
export const unreachable = (value: unknown): Error =>
  new Error(`unreachable: no text for ${JSON.stringify(value)}`)

/** Returns an object that has exactly these fields. */
function fieldsOf(value: NftValue | undefined, ...names: string[]): { [name: string]: NftValue } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreachable(value)
  const found = Object.keys(value)
  if (found.length !== names.length || !names.every((name) => found.includes(name))) {
    throw unreachable(value)
  }
  return value
}

/** Returns the key and the value of an object with one key. */
function entryOf(value: NftValue): [name: string, content: NftValue] {
  const [entry, ...rest] = Object.entries(fieldsOf(value, ...Object.keys(value ?? {})))
  if (!entry || rest.length > 0) throw unreachable(value)
  return entry
}

function listOf(value: NftValue): NftValue[] {
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

const QUEUE = 'queue-threshold'
const LOG = ['prefix', 'group', 'snaplen', QUEUE]

export function formatStatement(statement: NftStatement): string {
  const [name, content] = entryOf(statement)
  switch (name) {
    case 'match':
      return formatMatch(content)
    case 'counter':
      return `counter name ${quoted(word(content))}`
    case 'set':
      return formatSetStatement(content)
    case 'mangle': {
      const { key, value } = fieldsOf(content, 'key', 'value')
      return `${formatExpression(key as NftExpression)} set ${whole(value)}`
    }
    case 'limit': {
      const { rate, per, burst } = fieldsOf(content, 'rate', 'per', 'burst')
      return `limit rate ${whole(rate)}/${word(per)} burst ${whole(burst)} packets`
    }
    case 'log': {
      const { prefix, group, snaplen, ...rest } = fieldsOf(content, ...LOG)
      const options = [`group ${whole(group)}`, `snaplen ${whole(snaplen)}`]
      return (
        `log prefix ${quoted(prefix)} ${options.join(' ')} queue-threshold ` +
        `${whole(rest[QUEUE])}`
      )
    }
    case 'vmap': {
      const { key, data } = fieldsOf(content, 'key', 'data')
      return `${formatExpression(key as NftExpression)} vmap ${reference(data)}`
    }
    default:
      return formatVerdict(statement)
  }
}

/** With `stmt` each new element gets a copy of those statements. */
function formatSetStatement(content: NftValue): string {
  const isBare = typeof content === 'object' && content !== null && !('stmt' in content)
  const names = ['op', 'elem', 'set', ...(isBare ? [] : ['stmt'])]
  const { op, elem, set, stmt } = fieldsOf(content, ...names)
  if (op !== 'add' && op !== 'update' && op !== 'delete') throw unreachable(content)
  const own = isBare
    ? []
    : listOf(stmt as NftValue).map((one) => formatStatement(one as NftStatement))
  const element = [formatAdded(elem as NftValue), ...own].join(' ')
  return `${op} ${reference(set)} { ${element} }`
}

/** Writes what a rule adds to a set: a key, or a key with a timeout. */
function formatAdded(added: NftValue): string {
  if (typeof added !== 'object' || added === null || !('elem' in added)) {
    return formatExpression(added)
  }
  const { val, timeout } = fieldsOf(fieldsOf(added, 'elem')['elem'], 'val', 'timeout')
  return `${formatExpression(val as NftExpression)} timeout ${whole(timeout)}s`
}

export function formatVerdict(verdict: NftValue): string {
  const [name, content] = entryOf(verdict)
  switch (name) {
    case 'accept':
    case 'drop':
    case 'return':
      if (content !== null) throw unreachable(verdict)
      return name
    case 'jump':
    case 'goto':
      return `${name} ${word(fieldsOf(content, 'target')['target'])}`
    case 'reject':
      if (fieldsOf(content, 'type')['type'] !== 'tcp reset') throw unreachable(verdict)
      return 'reject with tcp reset'
    case 'redirect':
      return `redirect to :${whole(fieldsOf(content, 'port')['port'])}`
    case 'dnat': {
      const { family, addr, port } = fieldsOf(content, 'family', 'addr', 'port')
      const address = formatElement(addr as NftValue)
      const host = family === 'ip6' ? `[${address}]` : address
      return `dnat ${word(family)} to ${host}:${whole(port)}`
    }
    default:
      throw unreachable(verdict)
  }
}

function formatMatch(content: NftValue): string {
  const { op, left, right } = fieldsOf(content, 'op', 'left', 'right')
  const tested = formatExpression(left as NftExpression)
  // A list on the right means any of its bits.
  if (op === 'in' && Array.isArray(right)) return `${tested} ${listOf(right).map(word).join(',')}`
  if (op === 'in') return `${tested} ${word(right)}`
  if (op !== '==' && op !== '!=') throw unreachable(content)
  if (typeof right === 'boolean' && tested.startsWith('exthdr ')) {
    return `${tested} ${right ? 'exists' : 'missing'}`
  }
  const isName = tested === 'meta iifname' || tested === 'meta iif'
  return `${tested} ${op} ${formatValue(right as NftValue, isName)}`
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
      return `${formatExpression(left)} ${name} ${whole(bits)}`
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
function formatValue(value: NftValue, isName: boolean): string {
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
    case 'elem': {
      const { val, comment } = fieldsOf(content, 'val', 'comment')
      return `${formatElement(val as NftValue)} comment ${quoted(comment)}`
    }
    default:
      throw unreachable(value)
  }
}

function reference(value: NftValue | undefined): string {
  if (typeof value !== 'string' || !value.startsWith('@')) throw unreachable(value)
  return `@${word(value.slice(1))}`
}
