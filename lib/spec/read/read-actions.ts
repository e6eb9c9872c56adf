// The actions of a spec, as the user wrote them → their valid form, defaults filled in. Pure.
import type { ActionSpec } from '../generated/knock-types.js'
import { formatDuration } from '../model/duration.js'
import { at, type Findings } from '../model/findings.js'
import type { ActionDoes, ValidAction } from '../model/model.js'
import { readDuration, readValue } from '../model/read-values.js'

/** Seconds that an action may take: by default, and at most. */
const TIMEOUT = { usual: 10, longest: 3600 } as const

/** Reads the actions. Those that do nothing that can be read are reported and left out. */
export function readActions(
  actions: readonly ActionSpec[] | undefined,
  findings: Findings,
): ValidAction[] {
  return readValue(actions, '/actions', [], findings).flatMap((action, index) => {
    const origin = `/actions${at(index)}`
    return findings.isClean(origin) ? readAction(action, origin, findings) : []
  })
}

function readAction(action: ActionSpec, origin: string, findings: Findings): ValidAction[] {
  const { doors } = action
  const timeout = readTimeout(action.timeout, `${origin}/timeout`, findings)
  const does = readWork(action, origin, findings)
  const on = readValue(action.on, `${origin}/on`, [], findings)
  if (!does) return []
  const areGiven = doors !== undefined && findings.isCleanBelow(`${origin}/doors`)
  return [{ origin, on, ...(areGiven && { doors }), does, timeout }]
}

function readTimeout(value: unknown, path: string, findings: Findings): number {
  if (value === undefined) return TIMEOUT.usual
  const seconds = readDuration(value, path, findings)
  if (seconds > TIMEOUT.longest) {
    findings.add(path, `a duration of at most ${formatDuration(TIMEOUT.longest)}`)
  }
  return seconds
}

function readWork(
  { run, post }: ActionSpec,
  origin: string,
  findings: Findings,
): ActionDoes | undefined {
  if (run !== undefined && post !== undefined) {
    findings.conflict(`${origin}/post`, `${origin}/run`, 'an action does one of the two')
    return undefined
  }
  if (post !== undefined) return readPost(post, `${origin}/post`, findings)
  if (run !== undefined) return readRun(run, `${origin}/run`, findings)
  findings.add(origin, 'run or post')
  return undefined
}

function readRun(run: readonly string[], path: string, findings: Findings): ActionDoes | undefined {
  if (!findings.isCleanBelow(path)) return undefined
  const [program = '', ...args] = run
  // What PATH would find depends on who starts the keeper.
  if (program.startsWith('/')) return { run: [program, ...args] }
  findings.add(`${path}/0`, 'the absolute path of a program')
  return undefined
}

function readPost(post: string, path: string, findings: Findings): ActionDoes | undefined {
  if (!findings.isClean(path)) return undefined
  const url = URL.canParse(post) ? new URL(post) : undefined
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:'
  // Node's fetch refuses a user in a URL.
  if (url && isWeb && url.username === '' && url.password === '') return { post: url.href }
  findings.add(path, 'an http or https URL without a user')
  return undefined
}
