// Versions of nft → whether they are new enough, for all tables and for each kind of set.
import t from 'tap'
import { buildAutomaton } from '../../automaton/build.js'
import { validateSpec } from '../../spec/validate.js'
import { OLDEST_NFT, requireFeatures, requireVersion } from './capability.js'

t.test('versions that are new enough', async (t) => {
  for (const version of [
    OLDEST_NFT,
    '1.0.7',
    '1.0.10',
    '1.1',
    '1.1.3',
    '1.10.0',
    '2.0',
    '10.0.0',
  ]) {
    t.doesNotThrow(() => requireVersion(version, 'installKnock'), version)
  }
})

t.test('versions that are too old', async (t) => {
  for (const version of ['1.0.5', '1.0', '0.9.8', '0.10.6', '', 'unknown']) {
    t.throws(
      () => requireVersion(version, 'installKnock'),
      { code: 'nft-too-old', message: /^installKnock: nft .* is too old: 1\.0\.6 or newer/ },
      version,
    )
  }
})

const automatonOf = (knock: object) => {
  const door = { name: 'ssh', service: 'tcp/22', knock, open: { for: '30s' } }
  return buildAutomaton(validateSpec({ doors: [door] }))
}
const users = [{ name: 'ana', secretFile: '/etc/knock/ana' }]
const rotate = { secretFile: '/etc/knock/x', every: '1h', steps: 2, ports: '20000-20999' }
const TOKEN = automatonOf({ type: 'token', port: 'udp/7000', period: '30s', users })
const ROTATION = automatonOf({ type: 'sequence', rotate })

t.test('knocks that any nft knows', async (t) => {
  for (const knock of [
    { type: 'sequence', steps: ['tcp/7000'] },
    { type: 'sequence', oneTime: [['tcp/7000']] },
    { type: 'rate', port: 'tcp/22', hits: 3, max: '5s' },
    { type: 'rhythm', port: 'tcp/22', counts: [1, 2], window: '2s' },
  ]) {
    const automaton = automatonOf(knock)
    t.doesNotThrow(() => requireFeatures(automaton, OLDEST_NFT, 'installKnock'), knock.type)
  }
})

t.test('knocks that need a newer nft', async (t) => {
  for (const [automaton, what] of [
    [TOKEN, 'tokens'],
    [ROTATION, 'rotating sequences'],
  ] as const) {
    for (const version of ['1.1.0', '1.1.3', '2.0']) {
      t.doesNotThrow(() => requireFeatures(automaton, version, 'installKnock'), version)
    }
    for (const version of [OLDEST_NFT, '1.0.9']) {
      t.throws(() => requireFeatures(automaton, version, 'installKnock'), {
        name: 'CapabilityError',
        message: new RegExp(`^installKnock: .*${what}.*1\\.1\\.0 or newer.*this is ${version}`),
      })
    }
  }
})
