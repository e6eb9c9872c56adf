// What is known of a network namespace: its interfaces, and its routes to some addresses. Types
// only.

export interface Interface {
  /** The name that nft compares. */
  readonly name: string
  /** Alternative names, which `ip` accepts and nft does not. */
  readonly alternatives: readonly string[]
  /** As `ip -d link` prints it, such as `bridge`, `veth`, `vlan`; absent for most hardware. */
  readonly kind?: string
  /** The interface that receives this one's packets, such as a bridge, and its kind. */
  readonly master?: { readonly name: string; readonly kind?: string }
  /** The interface below it, such as the parent of a VLAN, if it is in the same namespace. */
  readonly lower?: string
  readonly isUp: boolean
  /** Without link-local addresses. */
  readonly addresses: readonly string[]
}

/** Where the kernel would send a packet to an address now. */
export type Route =
  | { readonly to: 'local' }
  | { readonly to: 'nowhere' }
  | { readonly to: 'group' }
  | { readonly to: 'interface'; readonly name: string }

export interface Host {
  readonly interfaces: readonly Interface[]
  /** Routes to the addresses that were asked for; an address without an answer is absent. */
  readonly routes: ReadonlyMap<string, Route>
  /** Whether the host forwards packets of a family on any interface; absent if unknown. */
  readonly forwards?: { readonly 4: boolean; readonly 6: boolean }
  /** Whether bridged packets also pass the hooks of family inet; absent if unknown. */
  readonly filtersBridges?: { readonly 4: boolean; readonly 6: boolean }
}
