// What was found of a network namespace: its interfaces, and where packets to some addresses go.
// Types alone.

export interface Interface {
  /** The one name that nft compares. */
  readonly name: string
  /** Other names that `ip` takes for it. */
  readonly alternatives: readonly string[]
  /** As `ip -d link` prints it, such as `bridge`, `veth`, `vlan`; absent for most hardware. */
  readonly kind?: string
  /** The interface that takes over what comes in here, and its kind. */
  readonly master?: { readonly name: string; readonly kind?: string }
  /**
   * The interface that it stands on, such as the parent of a VLAN, if it is in the same namespace.
   */
  readonly lower?: string
  readonly isUp: boolean
  /** Without link-local ones. */
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
  /** Of the addresses that were asked for; without what could not be asked. */
  readonly routes: ReadonlyMap<string, Route>
  /** Whether it forwards packets of a family, on any interface; absent if that is not known. */
  readonly forwards?: { readonly 4: boolean; readonly 6: boolean }
  /**
   * Whether what a bridge passes on also comes to the hooks of the family inet; absent if that is
   * not known.
   */
  readonly filtersBridges?: { readonly 4: boolean; readonly 6: boolean }
}
