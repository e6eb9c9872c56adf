// Whether the clock is synchronised → a warning if it is not. Pure.
import type { Warning } from '../text/warning.js'

/** Whether the clock of the machine on which knocklib runs is right. */
export interface ClockStatus {
  /** When it was read: ISO 8601, in UTC. */
  readonly time: string
  /** `unknown`: no daemon was found that says it. */
  readonly synchronised: 'yes' | 'no' | 'unknown'
  /** Which daemon says so. Absent if nothing is known. */
  readonly by?: string
}

/** Warns of a clock that is not synchronised. What is unknown is no warning. */
export const clockWarnings = ({ synchronised, by }: Omit<ClockStatus, 'time'>): Warning[] =>
  synchronised !== 'no'
    ? []
    : [
        {
          id: 'clock-unsynchronised',
          message:
            `the clock of this machine is not synchronised, says ${by}: tokens and rotating ` +
            'sequences open by its time, and the clients have the right one',
        },
      ]
