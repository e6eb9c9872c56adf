// The programs of actions → warnings about those that cannot be run.
import t from 'tap'
import { spec } from '../../integration/fixtures/specs.js'
import { validateSpec } from '../spec/validate.js'
import { findMissingPrograms } from './programs.js'

t.test('missing programs are warned of', async (t) => {
  const folder = t.testdir({ plain: '' })
  const on = ['granted']
  const actions = [
    { on, run: [process.execPath] },
    { on, run: ['/no/such/program', 'x'] },
    { on, post: 'https://ntfy.example/' },
    { on, run: [`${folder}/plain`] },
    { on, run: [folder] },
  ]
  const found = await findMissingPrograms(validateSpec(spec({}, { actions })).actions)
  t.strictSame(
    found.map(({ id, path, message }) => [id, path, message.replace(folder, '')]),
    [
      [
        'action-program',
        '/actions/1/run/0',
        '"/no/such/program" cannot be run: there is no such file',
      ],
      ['action-program', '/actions/3/run/0', '"/plain" cannot be run: not permitted (EACCES)'],
      ['action-program', '/actions/4/run/0', '"" cannot be run: it is no file'],
    ],
  )
})
