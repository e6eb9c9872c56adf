// Actions → their valid form, or the problems of a spec.
import t from 'tap'
import { problemsOf, spec, testWrongForms } from '../../integration/fixtures/specs.js'
import { validateSpec } from './validate.js'

const on = ['granted']
const run = ['/usr/bin/logger', 'a door']
const EVENTS =
  '"knock", "granted", "reset", "wrong", "denied", "banned", "closed", "expired", "overrun", ' +
  '"installed" or "removed"'

t.test('actions have their defaults filled in', async (t) => {
  const actions = [
    { on, run },
    { on: ['closed', 'expired'], doors: ['ssh'], post: 'https://ntfy.example', timeout: '1m' },
  ]
  t.strictSame(validateSpec(spec({}, { actions })).actions, [
    { origin: '/actions/0', on, does: { run }, timeout: 10 },
    {
      ...{ origin: '/actions/1', on: ['closed', 'expired'], doors: ['ssh'] },
      ...{ does: { post: 'https://ntfy.example/' }, timeout: 60 },
    },
  ])
  t.strictSame(validateSpec(spec()).actions, [])
  t.strictSame(validateSpec(spec({}, { actions: [] })).actions, [])
})

testWrongForms(t, {
  'actions of a wrong form': [
    {
      of: 'no list',
      document: spec({}, { actions: { on, run } }),
      wrong: [
        [
          '/actions',
          'a list of at most 16 actions',
          '{"on":["granted"],"run":["/usr/bin/logger","a door"]}',
        ],
      ],
    },
    {
      of: 'wrong parts',
      document: spec(
        {},
        {
          actions: [
            { on: ['granted', 'expird'], run },
            { on: [], run },
            { run },
            { on },
            { on, run: ['logger'] },
            { on, run: [] },
            { on, run: ['/bin/a\u0000b'] },
            { on, run, timeout: '2h' },
            { on, run, shell: true },
            ...['ftp://a.example', 'ntfy.example', 'https://ana:pw@a.example', ''].map((post) => ({
              on,
              post,
            })),
          ],
        },
      ),
      wrong: [
        ['/actions/0/on/1', EVENTS, '"expird"; did you mean expired?'],
        ['/actions/1/on', 'a list of events, each once', '[]'],
        ['/actions/2/on', 'a list of events, each once', 'nothing'],
        ['/actions/3', 'run or post', '{"on":["granted"]}'],
        ['/actions/4/run/0', 'the absolute path of a program', '"logger"'],
        ['/actions/5/run', 'a program and its arguments, at most 64 texts', '[]'],
        ['/actions/6/run/0', 'a text of at most 4096 characters', '"/bin/a\\u0000b"'],
        ['/actions/7/timeout', 'a duration of at most 1h', '"2h"'],
        ['/actions/8/shell', 'no such key', 'true'],
        ['/actions/9/post', 'an http or https URL without a user', '"ftp://a.example"'],
        ['/actions/10/post', 'an http or https URL without a user', '"ntfy.example"'],
        ['/actions/11/post', 'an http or https URL without a user', '"https://ana:pw@a.example"'],
        ['/actions/12/post', 'an http or https URL', '""'],
      ],
    },
    {
      of: 'doors that are not there',
      document: spec({}, { actions: [{ on, run, doors: ['ssh', 'shs', 'mail'] }] }),
      wrong: [
        ['/actions/0/doors/1', 'the name of a door', '"shs"; did you mean ssh?'],
        ['/actions/0/doors/2', 'the name of a door', '"mail"'],
      ],
    },
  ],
})

t.test('contradictions', async (t) => {
  t.strictSame(problemsOf(spec({}, { actions: [{ on, run, post: 'https://a.example' }] })), [
    ['/actions/0/post', 'conflicts with /actions/0/run: an action does one of the two'],
  ])
  t.strictSame(problemsOf(spec({}, { log: false, actions: [{ on, run }] })), [
    ['/actions', 'conflicts with /log: without a log no event of a packet is known'],
  ])
  for (const event of ['banned', 'overrun', 'installed', 'removed']) {
    const actions = [{ on: ['granted', event], doors: ['ssh'], run }]
    t.strictSame(problemsOf(spec({}, { actions })), [
      [
        '/actions/0/on/1',
        `conflicts with /actions/0/doors: ${event} is at no door: give it an action of its own, ` +
          'without doors',
      ],
    ])
  }
})
