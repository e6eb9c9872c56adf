// nft's JSON statements, in the forms that the renderer writes → nft's own language. Pure.
import type { NftExpression, NftStatement, NftValue } from '../document.js'
import {
  entryOf,
  fieldsOf,
  formatElement,
  formatExpression,
  formatValue,
  listOf,
  quoted,
  reference,
  unreachable,
  whole,
  word,
} from './expression.js'

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
    case 'map': {
      const { op, elem, data, map } = fieldsOf(content, 'op', 'elem', 'data', 'map')
      const entry = `${formatAdded(elem as NftValue)} : ${formatExpression(data as NftExpression)}`
      return `${operation(op)} ${reference(map)} { ${entry} }`
    }
    case 'mangle': {
      const { key, value } = fieldsOf(content, 'key', 'value')
      return `${formatExpression(key as NftExpression)} set ${formatAssigned(value as NftValue)}`
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

/** Writes the value to which a field of the packet is set. */
const formatAssigned = (value: NftValue): string =>
  typeof value === 'number' ? whole(value) : formatExpression(value)

function operation(op: NftValue | undefined): string {
  if (op !== 'add' && op !== 'update' && op !== 'delete') throw unreachable(op)
  return op
}

/** With `stmt` each new element gets a copy of those statements. */
function formatSetStatement(content: NftValue): string {
  const isBare = typeof content === 'object' && content !== null && !('stmt' in content)
  const names = ['op', 'elem', 'set', ...(isBare ? [] : ['stmt'])]
  const { op, elem, set, stmt } = fieldsOf(content, ...names)
  const own = isBare
    ? []
    : listOf(stmt as NftValue).map((one) => formatStatement(one as NftStatement))
  const element = [formatAdded(elem as NftValue), ...own].join(' ')
  return `${operation(op)} ${reference(set)} { ${element} }`
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
