// Tokens and ports with their times → the commands that load them, and whether a table has others.
import t from 'tap'
import type { Loads } from '../../automaton/language/loads.js'
import { parseListing } from '../listing.js'
import { LOADED_SET } from '../loaded.js'
import { hasForeignPorts, renderLoads } from './loads.js'

const NOW = 1_800_000_000.4
const here = { family: 'inet', table: 'knock' } as const
const NONE: Loads = { tokens: [], ports: [] }

/** Without what says until when they are loaded. */
const rendered = (loads: Loads, now: number) =>
  renderLoads('knock', loads, now).filter(
    (command) => !JSON.stringify(command).includes(`"name":"${LOADED_SET}"`),
  )

/** A token that is taken for so many seconds more. */
const token = (seconds: number, digits = '00ff') => ({ token: digits, until: NOW + seconds })
const tokens = (...loaded: ReturnType<typeof token>[]): Loads => {
  const until = loaded.reduce((last, token) => Math.max(last, token.until), 0)
  return { ...NONE, tokens: [{ set: 'tokens1_ssh', tokens: loaded, until }] }
}
const period = (port: number, from: number, to: number) => {
  return { protocol: 'tcp' as const, port, from, to }
}
const ports = (...periods: ReturnType<typeof period>[]): Loads => {
  return { ...NONE, ports: [{ set: 'ports1_ssh', periods }] }
}

t.test('the set of tokens is flushed first, and each token has its timeout', async (t) => {
  const name = 'tokens1_ssh_0'
  t.strictSame(rendered(tokens(token(30), token(59.9, 'ab')), NOW), [
    { flush: { set: { ...here, name } } },
    {
      add: {
        element: {
          ...here,
          name,
          elem: [{ elem: { val: '0x00ff', timeout: 30 } }, { elem: { val: '0xab', timeout: 59 } }],
        },
      },
    },
  ])
})

t.test('a token with less than a second left is not loaded', async (t) => {
  const flush = { flush: { set: { ...here, name: 'tokens1_ssh_0' } } }
  t.strictSame(rendered(tokens(token(0.9), token(0), token(-5)), NOW), [flush])
})

t.test('ports are added to the existing ones, with both ends of their period', async (t) => {
  const from = 1_800_000_000
  const loads = ports(period(20000, from, from + 599), period(20001, from - 600, from - 1))
  t.strictSame(rendered(loads, NOW), [
    {
      add: {
        element: {
          ...here,
          name: 'ports1_ssh_0',
          elem: [
            {
              elem: { val: { concat: [6, 20000, { range: [from, from + 599] }] }, timeout: 599 },
            },
          ],
        },
      },
    },
  ])
})

t.test('nothing is rendered if there is nothing to load', async (t) => {
  t.strictSame(rendered(NONE, NOW), [])
  t.strictSame(rendered(ports(), NOW), [])
})

t.test('very many tokens are loaded with several commands', async (t) => {
  const many = Array.from({ length: 120_000 }, () => token(30))
  const commands = rendered(tokens(...many), NOW)
  const sizes = commands.map((command) =>
    'add' in command && 'element' in command.add ? command.add.element.elem.length : 0,
  )
  t.strictSame(sizes, [0, 50_000, 50_000, 20_000])
})

t.test('an unexpected port in a loaded period comes from another secret', async (t) => {
  const START = Date.parse('2026-11-21T07:00:00Z') / 1000
  const listed = (...found: (readonly [port: number, from: number | string])[]) => {
    const elem = found.map(([port, from]) => {
      return { elem: { val: { concat: ['tcp', port, { range: [from, 'its end'] }] } } }
    })
    const name = 'ports1_ssh_0'
    return parseListing({ nftables: [{ set: { name, elem } }] })
  }
  const loads = ports(period(20000, START, START + 3599), period(20001, START + 3600, START + 7199))
  const first = '2026-11-21 07:00:00'
  t.notOk(hasForeignPorts(listed([20000, first], [20001, START + 3600]), loads))
  t.notOk(
    hasForeignPorts(listed([20001, '2026-11-21 08:00:00']), loads),
    'expired ports are not foreign',
  )
  t.notOk(hasForeignPorts(listed(), loads))
  t.ok(hasForeignPorts(listed([20002, first]), loads))
  t.ok(hasForeignPorts(listed([20000, first], [20002, START + 3600]), loads))
  const away = listed([20002, '2026-11-21 06:00:00'], [20003, '2026-11-21 09:00:00'])
  t.notOk(hasForeignPorts(away, loads), 'ports of earlier and later periods are not foreign')
  t.notOk(
    hasForeignPorts(parseListing({ nftables: [] }), loads),
    'a missing set has no foreign ports',
  )
})
