// Ten thousand events in a burst and an action that hangs → the doors and the keeper go on, memory
// is bounded, and what was left out is reported.
import { readFile } from 'node:fs/promises'
import { attachKnock, createNft } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../machine/namespaces.js'
import { until } from '../machine/until.js'
import { acted, DOOR, knockAt, note, withRunSetup } from '../setups/run-setup.js'

const skip = missing('knock', 'pgrep')
build()

withRunSetup(
  'a burst of ten thousand events and an action that hangs harm no door',
  skip,
  async (t, setup) => {
    const second = {
      ...DOOR,
      name: 'web',
      service: 'tcp/443',
      knock: { ...DOOR.knock, steps: ['tcp/1'] },
    }
    const actions = [{ on: ['granted'], run: note(setup, 'sleep 10'), timeout: '60s' }]
    await setup.write('doors.json', { doors: [DOOR, second], actions })
    setup.run([
      '--events',
      'granted,restored,watching,action-failed,action-overrun',
      '--metrics',
      '127.0.0.1:0',
    ])
    await setup.heard('watching')
    const { port } = await setup.heard('serving')
    const residentOf = async () => {
      const text = await readFile(`/proc/${setup.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
    }
    const before = await residentOf()
    const nft = createNft({ binary: NFT, netns: setup.pair.server })
    const knock = await attachKnock({ nft })
    const sources = (from: number, prefix: string, base: number) =>
      Array.from({ length: 500 }, (_, n) => `${prefix}${(from + n).toString(base)}`)
    for (let from = 0; from < 5000; from += 500) {
      const four = Array.from(
        { length: 500 },
        (_, n) => `10.98.${(from + n) >> 8}.${(from + n) & 255}`,
      )
      await knock.door('ssh').openMany(four)
      await knock.door('web').openMany(sources(from, 'fd00:98::', 16))
    }
    const lost = async () => {
      const get = 'GET /metrics HTTP/1.0\\r\\n\\r\\n'
      const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '${get}' >&3`
      const { stdout } = await exec(setup.pair.server, 'bash', ['-c', `${ask}; cat <&3`])
      return Number(/^knocklib_actions_total.*result="lost"\} (\d+)$/m.exec(stdout)?.[1])
    }
    // All but those that wait and run. Those that are done meanwhile are few.
    await until(async () => (await lost()) >= 9_700, 'count')
    // The doors and the keeper go on as ever, while programs hang.
    await knockAt(setup)
    await until(() => setup.named('granted').some(({ source }) => source === CLIENT[4]), 'grant')
    await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
    const { took } = await setup.heard('restored')
    t.ok(Number(took) < 10_000, `put back after ${took} ms`)
    t.ok(await knock.door('ssh').grantOf(CLIENT[4]))
    const grown = (await residentOf()) - before
    t.comment(`${grown.toFixed(1)} MiB more, put back after ${took} ms`)
    t.ok(grown < 80, `${grown} MiB more`)
    const asks = ['-c', `pgrep -fc "^/bin/sh -c echo.*${setup.file('acted')}"`]
    const { stdout } = await exec(setup.pair.server, 'bash', asks)
    t.match(stdout, /^[12]\n$/, 'one program for each door at the most')
    t.equal(await setup.end('SIGTERM'), 0)
    const left = await exec(setup.pair.server, 'bash', asks)
    t.equal(left.stdout, '0\n', 'nothing is left')
    const reported = setup.named('action-overrun').reduce((sum, { lost }) => sum + Number(lost), 0)
    const begun = (await acted(setup)).length
    t.ok(reported + begun >= 10_000, `${reported} left out, ${begun} begun`)
    t.match(setup.named('action-failed')[0], { reason: /the keeper ends$/ })
  },
)
