// A status → what the command prints of it: to a monitor, to a terminal, into a pipe.
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { systemClock } from '../../../clock/clock.js'
import { checked, status as command, drawStatus } from './status.js'

const status = {
  table: 'knock',
  doors: [],
  bans: [],
  counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 },
  fill: [],
}

t.test(
  'status --check prints problems, and its exit code says whether there are any',
  async (t) => {
    t.match(checked(status), { exitCode: 0, text: 'table inet knock: nothing needs to be done\n' })
    const fallen = checked({ ...status, confirm: { fallenOpen: true } })
    t.match(fallen, { exitCode: 1, text: /^table inet knock: .* \(fallen-open\)\n$/ })
    t.match(fallen.json, { table: 'knock', check: [{ id: 'fallen-open' }] })
  },
)

t.test('status prints plain text to a pipe, and fitted lines to a terminal', async (t) => {
  const piped = drawStatus(status, { isTTY: false }, {})
  t.match(piped, /^table inet knock\n/)
  const drawn = drawStatus(status, { isTTY: true, columns: 60, rows: 20 }, { LANG: 'C.UTF-8' })
  t.not(drawn, piped)
  for (const line of drawn.split('\n')) {
    t.ok(stripVTControlCharacters(line).length <= 60, line)
  }
})

t.test('status reports a missing nft', async (t) => {
  const before = process.env['KNOCKLIB_NFT']
  t.teardown(() => {
    delete process.env['KNOCKLIB_NFT']
    if (before !== undefined) process.env['KNOCKLIB_NFT'] = before
  })
  process.env['KNOCKLIB_NFT'] = '/nosuch/nft'
  await t.rejects(async () => command.run([], {}, { process, kernel: {}, clock: systemClock }), {
    code: 'nft-missing',
    message: /KNOCKLIB_NFT/,
  })
})
