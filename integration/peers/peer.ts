// Something that judges packets at a server: a peer's rules, its daemon, or a table of knocklib.
// Types only.

export interface Peer {
  /** Whether one source's attempt can spoil another's: then no two traces share a server. */
  readonly mixesSources?: boolean
  /** Sets the peer up in a namespace. Returns what must be disposed of besides the namespace. */
  install(server: string): Promise<AsyncDisposable | undefined>
}
