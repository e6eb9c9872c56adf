// Each error → the exit code, the words and the JSON with which a command ends.
import t from 'tap'
import {
  ArgumentError,
  CapabilityError,
  type KnockError,
  ListingError,
  NftError,
  type NftErrorCode,
  PacketError,
  ProfileError,
  SendError,
  SpecError,
} from '../../index.js'
import { describeError, EXIT, exitCodeOf, messageOf, textOf } from './command.js'

const problem = (path: string) => ({ path, message: 'expected x', params: { expected: 'x' } })

t.test('every error has an exit code', async (t) => {
  const nft = (code: NftErrorCode) => new NftError(code, 'installKnock: failed')
  const errors: readonly (readonly [number, KnockError])[] = [
    [EXIT.usage, new SpecError('renderKnock', [problem('/doors')])],
    [EXIT.usage, new ArgumentError('open: wrong')],
    [EXIT.usage, new PacketError('simulateKnock: wrong')],
    [EXIT.usage, new ProfileError('sendKnock', [problem('/steps')])],
    [EXIT.missing, new CapabilityError('sendKnock', 'ping', 'install it')],
    [EXIT.missing, nft('not-permitted')],
    [EXIT.missing, nft('nft-missing')],
    [EXIT.missing, nft('nft-too-old')],
    [EXIT.missing, nft('nft-crashed')],
    [EXIT.notFound, nft('not-found')],
    [EXIT.refused, nft('already-exists')],
    [EXIT.refused, nft('rejected')],
    [EXIT.refused, nft('timed-out')],
    [EXIT.refused, nft('aborted')],
    [EXIT.refused, new ListingError('parseListing: strange', {})],
    [EXIT.refused, new SendError('sendKnock: host: no address')],
  ]
  for (const [code, error] of errors) t.equal(exitCodeOf(error), code, `${error.code}: ${code}`)
  const clients = { portRefused: 5, portFiltered: 6, portNotTried: 7 }
  t.same(EXIT, { done: 0, refused: 1, usage: 2, missing: 3, notFound: 4, ...clients })
})

t.test('a message names the command, not the call of the library', async (t) => {
  const error = new SpecError('renderKnock', [problem('/a'), problem('')])
  const message = 'knocklib check: /a: expected x\n  /: expected x'
  t.equal(messageOf(error, 'check'), message)
  const named = 'knocklib check: a$&.json: /a: expected x\n  /: expected x'
  t.equal(messageOf(error, 'check', 'a$&.json'), named)
  const argument = new ArgumentError('open: wrong')
  t.equal(
    messageOf(argument, 'open', 'a.json'),
    'knocklib open: wrong',
    'an error about an argument does not name the file of the spec',
  )
  t.same(describeError(error, 'check'), {
    error: { code: 'invalid-spec', message, problems: [problem('/a'), problem('')] },
  })
  const profile = new ProfileError('sendKnock: a.json', [problem('/steps')])
  t.match(describeError(profile, 'knock'), {
    error: {
      code: 'invalid-argument',
      message: 'knocklib knock: a.json: /steps: expected x',
      problems: [problem('/steps')],
    },
  })
  const other = new NftError('not-found', 'attachKnock: table inet knock: not there')
  t.strictSame(describeError(other, 'status'), {
    error: { code: 'not-found', message: 'knocklib status: table inet knock: not there' },
  })
})

t.test('the message names the option of the command line', async (t) => {
  t.equal(textOf({ table: 'knock' }, 'table'), 'knock')
  t.equal(textOf({ json: true }, 'json'), undefined)
  t.equal(textOf({}, 'table'), undefined)
})
