// What a page knows of its door when it is written: no secret. Types only.

export interface PageSettings {
  /** Name or address of the server, to be shown. */
  readonly host: string
  readonly door: string
  /** All of them are knocked at. */
  readonly addresses: readonly string[]
  /** The UDP port that is knocked at. */
  readonly knockPort: number
  /** Seconds for which one token is valid. */
  readonly period: number
  /** The TCP port of the service. */
  readonly port?: number
  /** Seconds for which the door stays open. */
  readonly lasts?: number
  /** Where the user goes when the door is open. */
  readonly link?: string
}
