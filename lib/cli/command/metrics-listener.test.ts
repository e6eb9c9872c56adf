// Metrics on an address that is taken, and free later.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type ListenAddress, serveMetrics } from '../../service/metrics-server.js'
import { MetricsListener } from './metrics-listener.js'

t.test('the listener tries until the address is free, and reports the reason once', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const served: ListenAddress[] = []
  const failures: string[] = []
  const listener = await MetricsListener.start(
    { address: '127.0.0.1', port },
    {
      serve: serveMetrics,
      render: async () => 'text\n',
      onServed: (place) => served.push(place),
      onFailure: (message) => failures.push(message),
      retry: 20,
    },
  )
  await sleep(100)
  t.match(failures, [/another process listens there already/])
  t.equal(failures.length, 1)
  other.close()
  for (let i = 0; i < 250 && served.length === 0; i += 1) await sleep(20)
  t.strictSame(served, [{ address: '127.0.0.1', port }])
  const ask = () => fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(await (await ask()).text(), 'text\n')
  await listener[Symbol.asyncDispose]()
  await t.rejects(ask())
})

t.test('the listener can be ended while it waits', async (t) => {
  const options = { render: async () => '', onServed: () => {}, onFailure: () => {}, retry: 60_000 }
  const address = { address: '192.0.2.1', port: 9477 }
  const listener = await MetricsListener.start(address, { ...options, serve: serveMetrics })
  await listener[Symbol.asyncDispose]()
  t.pass()
})

t.test('an unexpected error is not tried again', async (t) => {
  const serve = async () => {
    throw new Error('no')
  }
  const options = { render: async () => '', onServed: () => {}, onFailure: () => {} }
  const address = { address: '127.0.0.1', port: 0 }
  await t.rejects(MetricsListener.start(address, { ...options, serve }), { message: 'no' })
})
