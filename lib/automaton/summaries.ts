// A door and its knocks → what a table says of them, and whether they can share sets. Pure.
import { Findings } from '../spec/model/findings.js'
import type { Hook, ValidDoor, ValidKnock } from '../spec/model/model.js'
import type { Service } from '../spec/model/packet-model.js'
import { formatService } from '../spec/model/step.js'
import { kindOf } from './kinds/kinds.js'
import { knocksOf } from './knocks.js'
import type { PlacedKnock } from './language/kind.js'
import { isClosing } from './language/names.js'
import type { DoorSummary, SharedSummary } from './language/summary.js'
import type { Offer, SharedDoor } from './sharing/choose.js'

/** The steps of a knock that can be shared, and the ports of any knock. */
export function offerOf(placed: PlacedKnock): Offer {
  const { knock } = placed
  const kind = kindOf(knock)
  const steps = kind.stepsOf(knock, new Findings({})).map(([step]) => step)
  const ports = steps.flatMap(({ protocol, port }): Service[] =>
    port !== undefined && (protocol === 'tcp' || protocol === 'udp')
      ? [{ protocol, ports: { from: port, to: port } }]
      : [],
  )
  const ranges = 'protocol' in knock ? [{ protocol: knock.protocol, ports: knock.ports }] : []
  return { ...placed, shared: kind.share?.(knock), ports: [...ports, ...ranges] }
}

const summariseShared = ({ service, knocks }: SharedDoor): SharedSummary => ({
  service,
  knocks: knocks.map(({ attempt, number, steps }) => ({ attempt, number, steps: steps.length })),
})

function summariseUsers(knock: ValidKnock): Pick<DoorSummary['knocks'][number], 'users' | 'until'> {
  if (!('users' in knock)) return {}
  const until = knock.users.flatMap(({ name, until }) =>
    until === undefined ? [] : [[name, until] as const],
  )
  return {
    users: knock.users.map(({ name }) => name),
    ...(until.length > 0 && { until: Object.fromEntries(until) }),
  }
}

export const summarise = (
  door: ValidDoor,
  shared: SharedDoor | undefined,
  hook: Hook,
): DoorSummary => ({
  name: door.name,
  services: door.services.map(formatService),
  ...(door.interfaces.length > 0 && { place: { hook, interfaces: door.interfaces } }),
  knocks: knocksOf(door)
    .filter(({ attempt }) => !isClosing(attempt))
    .map(({ attempt, knock }) => {
      return { attempt, steps: kindOf(knock).lengthOf(knock), ...summariseUsers(knock) }
    }),
  grantTimeout: door.open.for,
  connections: door.open.connections,
  scope: door.open.scope,
  established: door.open.established,
  ...(door.open.prefix && { prefix: door.open.prefix }),
  ...(shared && { shared: summariseShared(shared) }),
})
