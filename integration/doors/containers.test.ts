// Ports that Docker publishes by nft or by iptables → which hook judges them, and which the host's
// own ports.
import t from 'tap'
import { createNft, installKnock, type KnockSpec } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { createInner, INNER, INSIDE } from '../machine/inner.js'
import {
  apply,
  CLIENT,
  createPair,
  exec,
  type Pair,
  SERVER,
  start,
  sweep,
} from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { greeting, listen } from '../machine/sockets.js'
import { FAMILIES } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc', 'sysctl', 'iptables-restore', 'ip6tables-restore')
if (!skip) sweep()

const HOST = 2222
const PUBLISHED = 8080
/** The port in the container. */
const INSIDE_PORT = 80

const doorsOf = (hook: string, ports: readonly number[]): KnockSpec =>
  ({
    hook,
    interfaces: ['eth0'],
    doors: ports.map((port) => ({
      name: `port${port}`,
      service: `tcp/${port}`,
      knock: { type: 'sequence', steps: [`udp/${7000 + port}`] },
      open: { for: '10m' },
    })),
  }) as KnockSpec

/** As Docker's nft back end has them: rules in a table of its own, for each family. */
const dockerNft = (): string =>
  FAMILIES.map((family) => {
    const name = family === 4 ? 'ip' : 'ip6'
    const place = family === 4 ? `${INNER[4]}:${INSIDE_PORT}` : `[${INNER[6]}]:${INSIDE_PORT}`
    return `table ${name} docker-bridges {
      chain nat-prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        fib daddr type local tcp dport ${PUBLISHED} dnat to ${place}
      }
      chain filter-forward {
        type filter hook forward priority filter; policy accept;
        oifname "${INSIDE}" ct state established,related accept
        oifname "${INSIDE}" ${name} daddr ${INNER[family]} tcp dport ${INSIDE_PORT} accept
        oifname "${INSIDE}" drop
      }
    }\n`
  }).join('')

/** As its iptables back end has them: chains DOCKER in the tables of everybody. */
const dockerIptables = (family: 4 | 6): string => {
  const host = family === 4 ? INNER[4] : `[${INNER[6]}]`
  const inside = `-o ${INSIDE} -p tcp --dport ${INSIDE_PORT}`
  const place = `${host}:${INSIDE_PORT}`
  return [
    ...['*nat', ':PREROUTING ACCEPT [0:0]', ':DOCKER - [0:0]'],
    '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
    `-A DOCKER ! -i ${INSIDE} -p tcp --dport ${PUBLISHED} -j DNAT --to ${place}`,
    ...['COMMIT', '*filter', ':FORWARD DROP [0:0]', ':DOCKER - [0:0]'],
    `-A FORWARD -o ${INSIDE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A FORWARD -o ${INSIDE} -j DOCKER`,
    `-A FORWARD -i ${INSIDE} -j ACCEPT`,
    `-A DOCKER -d ${INNER[family]} ! -i ${INSIDE} ${inside} -j ACCEPT`,
    ...['COMMIT', ''],
  ].join('\n')
}

async function restoreIptables({ server }: Pair): Promise<void> {
  for (const family of FAMILIES) {
    const program = family === 4 ? 'iptables-restore' : 'ip6tables-restore'
    const child = start(server, program, [], { stdio: ['pipe', 'inherit', 'inherit'] })
    child.stdin?.end(dockerIptables(family))
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`${program}: ${code}`)
  }
}

const BACK_ENDS = {
  nft: (pair: Pair, binary: string) => apply(pair.server, dockerNft(), binary),
  iptables: (pair: Pair) => restoreIptables(pair),
}

t.jobs = 4

for (const [name, load] of Object.entries(BACK_ENDS)) {
  testOldAndNew(
    t,
    { versions, skip },
    `ports that Docker publishes by ${name}`,
    async (t, binary) => {
      await using pair = await createPair()
      const { client, server } = pair
      await using inner = await createInner(pair)
      await using _own = await listen(server, HOST, 'host')
      await using _inside = await listen(inner.namespace, INSIDE_PORT, 'container')
      await load(pair, binary)
      const nft = createNft({ binary, netns: server })
      const hears = (family: 4 | 6, port: number) => greeting(client, SERVER[family], port)

      await using atInput = await installKnock(doorsOf('input', [HOST, PUBLISHED]), { nft })
      t.equal(await hears(4, HOST), 'nothing')
      t.equal(await hears(4, PUBLISHED), 'container', 'input does not see a published port')
      await atInput.uninstall()

      await using forward = await installKnock(doorsOf('forward', [PUBLISHED, INSIDE_PORT]), {
        nft,
      })
      t.equal(await hears(4, HOST), 'host', "forward does not see the host's own ports")
      t.equal(await hears(4, PUBLISHED), 'nothing', "forward sees the container's port")
      await forward.door(`port${PUBLISHED}`).open('10.77.0.2')
      t.equal(await hears(4, PUBLISHED), 'nothing', 'it does not see the published one')
      await forward.door(`port${INSIDE_PORT}`).open('10.77.0.2')
      t.equal(await hears(4, PUBLISHED), 'container')
      await forward.uninstall()

      const knock = await installKnock(doorsOf('prerouting', [HOST, PUBLISHED]), { nft })
      for (const family of FAMILIES) {
        for (const [port, word] of [
          [HOST, 'host'],
          [PUBLISHED, 'container'],
        ] as const) {
          t.equal(await hears(family, port), 'nothing', `IPv${family}: ${word} is shut`)
          const step = `${7000 + port}:udp`
          await exec(client, 'knock', [`-${family}`, SERVER[family], step])
          t.equal(await hears(family, port), word, `IPv${family}: ${word} is open after its knock`)
        }
      }
      t.notOk((await knock.status()).warnings, 'a source that is no gateway may be the only one')
      for (const family of FAMILIES) {
        const via = [`-${family}`, 'route', 'add', 'default', 'via', CLIENT[family]]
        await exec(server, 'ip', via)
      }
      const { warnings = [] } = await knock.status()
      t.same(
        warnings.map(({ id, message }) => [
          id,
          /of (\S+), which is this host's own/.exec(message)?.[1],
        ]),
        [
          ['one-source', CLIENT[4]],
          ['one-source', CLIENT[6]],
        ],
      )
      await knock.door(`port${HOST}`).open('203.0.113.7')
      await knock.door(`port${HOST}`).open('2001:db8::7')
      t.notOk((await knock.status()).warnings, 'several sources are seen')
    },
  )
}
