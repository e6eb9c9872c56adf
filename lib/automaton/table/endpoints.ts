// The endpoints of all programs, grouped by where their packets go. Pure.
import type { KnockPort } from '../../spec/model/packet-model.js'
import type { Endpoint, KnockProgram } from '../language/program.js'

/** One endpoint of one program. */
export interface Placed {
  readonly program: KnockProgram
  readonly endpoint: Endpoint
}

/** A port, and the endpoints of all programs that have it. */
export interface PortUsers {
  /** Part of the chains' names. */
  readonly key: string
  readonly port: KnockPort
  readonly users: readonly Placed[]
}

export interface Endpoints {
  readonly ports: readonly PortUsers[]
  /** The endpoints whose ports depend on the time. */
  readonly ranges: readonly Placed[]
  readonly echo: readonly Placed[]
}

/** Groups the endpoints of all programs by where the packets go. */
export function placeEndpoints(programs: readonly KnockProgram[]): Endpoints {
  const placed = programs.flatMap((program) =>
    program.endpoints.map((endpoint) => ({ program, endpoint, port: endpoint.port })),
  )
  const withPort = placed.flatMap(({ port, ...rest }) => (port ? [{ ...rest, port }] : []))
  const groups = groupBy(withPort, ({ port }) => `${port.protocol}_${port.port}`)
  return {
    ports: [...groups].map(([key, users]) => ({ key, port: users[0].port, users })),
    ranges: placed.filter(({ endpoint }) => endpoint.range),
    echo: placed.filter(({ endpoint, port }) => !port && !endpoint.range),
  }
}

/** Groups items, in the order of the groups' first members. */
export function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
