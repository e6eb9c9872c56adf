// The metrics that Prometheus reads of a table with traffic: from the command, and from a server.
import { request } from 'node:http'
import t from 'tap'
import { METRICS_TYPE } from '../../lib/index.js'
import { parseListenAddress, serveMetrics } from '../../lib/service/metrics-server.js'
import { parseOpenMetrics } from '../fixtures/openmetrics.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { NFT, sweep } from '../machine/namespaces.js'
import { host, PacketSetup } from '../setups/packet-setup.js'
import { atServer } from '../setups/user.js'

const skip = missing()
if (!skip) {
  sweep()
  build()
}

const SPEC = {
  guard: { ban: { after: 2, within: '1m', for: '10m' } },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/2201',
      knock: { type: 'sequence', steps: ['udp/7000', 'udp/7001', 'udp/7002'], stepTimeout: '20s' },
      close: { type: 'sequence', steps: ['udp/7009'] },
      open: { for: '60s' },
    },
    {
      name: 'web',
      service: 'tcp/2202',
      knock: { type: 'sequence', steps: ['udp/7100'] },
      open: { for: '60s', connections: 2 },
    },
  ],
}

t.test('the metrics report what happened', { skip }, async (t) => {
  await using setup = await PacketSetup.open(SPEC, NFT)
  await setup.send(host(1), 'udp/7000', 'udp/7001', 'udp/7002', 'tcp/2201')
  await setup.send(host(2), 'udp/7000')
  await setup.send(host(3), 'tcp/2201', 'tcp/2202')
  await setup.send(host(4, 6), 'udp/7100', 'tcp/2202', 'tcp/2202', 'tcp/2202')
  await setup.send(host(5), 'udp/7000', 'udp/7001', 'udp/7002', 'udp/7009')
  for (let strike = 0; strike < 2; strike += 1) {
    await setup.send(host(6), 'udp/7000', 'udp/7002')
  }
  await setup.send(host(6), 'udp/7000')
  const families = parseOpenMetrics(await setup.knock.metrics())
  const of = (name: string) =>
    families
      .get(`knocklib_${name}`)
      ?.samples.map(({ labels, value }) => [labels['door'] ?? labels['table'], value])
  t.strictSame(of('grants')?.[0], ['ssh', 2])
  t.strictSame(
    of('closes'),
    [
      ['ssh', 1],
      ['web', 1],
    ],
    'a closing knock and a last connection count as closes',
  )
  t.strictSame(of('denied'), [
    ['ssh', 1],
    ['web', 2],
  ])
  t.strictSame(of('active_grants')?.[0], ['ssh', 1])
  t.strictSame(of('active_attempts')?.[0], ['ssh', 1])
  t.strictSame(of('bans'), [['knock', 1]])
  t.strictSame(of('ignored'), [['knock', 1]])
  t.strictSame(of('active_bans'), [['knock', 1]])
  t.strictSame(of('fallen_open'), [['knock', 0]])
  t.ok((families.get('knocklib_set_elements')?.samples.length ?? 0) > 2)

  const server = await serveMetrics(parseListenAddress('127.0.0.1:0'), () => setup.knock.metrics())
  const ask = () =>
    new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
      const { address, port } = server
      const sent = request({ host: address, port, path: '/metrics', agent: false }, (response) => {
        response.resume()
        resolve([response.statusCode, response.headers['content-type']])
      })
      sent.on('error', reject).end()
    })
  t.strictSame(await ask(), [200, METRICS_TYPE])
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await setup.knock.uninstall()
  t.strictSame((await ask())[0], 503, 'a missing table answers 503')
  await server.close()
})

atServer('knocklib metrics prints the same metrics', skip, async (t, user) => {
  await user.serve(t, 'install', 'doors.yaml')
  const families = parseOpenMetrics(await user.serve(t, 'metrics'))
  t.strictSame(
    families.get('knocklib_open_seconds')?.samples.map(({ value }) => value),
    [60, 120],
  )
  const json = JSON.parse(await user.serve(t, 'metrics', '--json'))
  t.match(json, { table: 'knock', metrics: /# EOF\n$/ })
  const none = await user.try(['metrics', '--table', 'other'])
  t.equal(none.code, 4)
})
