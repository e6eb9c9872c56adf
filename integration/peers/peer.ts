// Something that judges packets at a server: a peer's rules, its daemon, or a table of knocklib.
// Types only.

export interface Peer {
  /** Whether one source's attempt can spoil another's: then no two traces share a server. */
  readonly mixesSources?: boolean
  /** Sets it up in a namespace; what is returned ends what does not end with the namespace. */
  install(server: string): Promise<AsyncDisposable | undefined>
}
