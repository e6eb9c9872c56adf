// An event → its words: one line for pipes, columns for the live view. Pure.
import type { KnockEvent } from '../../index.js'
import { printableLine } from '../../text/printable.js'
import { formatSeconds } from './gauge.js'
import type { Role } from './paint.js'

/** Shown if an event has no door or no source. */
const NONE = '-'

/**
 * Renders `TIME EVENT DOOR SOURCE details` without a newline, separated by blanks, with `-` for a
 * missing part. Whatever the event contains, no control character reaches the terminal.
 */
export function formatEvent(event: KnockEvent): string {
  const { door = NONE, source = NONE, details } = wordsOf(event)
  const columns = [event.time, event.event.padEnd(LONGEST), door, source, details]
  return printableLine(columns.filter((column) => column !== '').join('  '))
}

const LONGEST = 'installed'.length

interface EventWords {
  readonly door?: string
  readonly source?: string
  /** May be empty. */
  readonly details: string
}

export function wordsOf(event: KnockEvent): EventWords {
  const { door, source, details } = rawWordsOf(event)
  return {
    ...(door !== undefined && { door: printableLine(door) }),
    ...(source !== undefined && { source: printableLine(source) }),
    details: printableLine(details),
  }
}

function rawWordsOf(event: KnockEvent): EventWords {
  const details = detailsOf(event)
  switch (event.event) {
    case 'action-overrun':
    case 'overrun':
    case 'installed':
    case 'removed':
      return { details }
    case 'banned':
      return { source: event.source, details }
    case 'action-failed': {
      const { door, source } = event
      return { ...(door && { door }), ...(source && { source }), details }
    }
    default:
      return { door: event.door, source: event.source, details }
  }
}

function detailsOf(event: KnockEvent): string {
  switch (event.event) {
    case 'knock':
      return `${event.stage} of ${event.of}`
    case 'granted':
      return grantDetails(event)
    case 'reset':
      return event.stage === undefined ? '' : `at ${event.stage} of ${event.of}`
    case 'denied':
      return event.service ?? ''
    case 'banned':
      return event.by === 'trap' ? 'by a trap' : ''
    case 'closed':
      return { knock: 'by a knock', call: 'by call', use: 'by its last connection' }[event.by]
    case 'overrun':
      return event.lost === undefined ? 'events were lost' : `${event.lost} events were lost`
    case 'action-failed':
      return failureDetails(event)
    case 'action-overrun':
      return `action ${event.action}: ${event.lost} events were left out`
    default:
      return ''
  }
}

type ActionFailed = Extract<KnockEvent, { event: 'action-failed' }>

function failureDetails({ action, on, reason, more }: ActionFailed): string {
  const others = more === undefined ? '' : `; and ${more} times before`
  return `action ${action}, ${on}: ${reason}${others}`
}

function grantDetails(event: Extract<KnockEvent, { event: 'granted' }>): string {
  const { by, expiresIn, stage, of, user } = event
  const parts = [
    by === 'call' ? 'by call' : '',
    stage === undefined || of === undefined || of === 1 ? '' : `${stage} of ${of}`,
    user === undefined ? '' : `user ${user}`,
    `for ${formatSeconds(expiresIn)}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

export const ROLE_OF: Readonly<Record<KnockEvent['event'], Role>> = {
  knock: 'stage',
  granted: 'open',
  reset: 'shut',
  wrong: 'shut',
  denied: 'shut',
  banned: 'alarm',
  closed: 'faint',
  expired: 'faint',
  overrun: 'alarm',
  installed: 'name',
  removed: 'alarm',
  'action-failed': 'alarm',
  'action-overrun': 'alarm',
}
