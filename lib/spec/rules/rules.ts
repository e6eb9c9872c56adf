// Rejects what a schema cannot: parts of a spec that contradict each other, or that nft would
// misread. Pure.
import type { Findings } from '../model/findings.js'
import { isKeyword } from '../model/keywords.js'
import type { ReadSpec } from '../model/model.js'
import { distinctPorts, placeSteps } from './knock-ports.js'
import { checkActions } from './rules-action.js'
import { checkBan } from './rules-ban.js'
import { checkTraps } from './rules-guard.js'
import { checkKnocks, checkNumber } from './rules-knock.js'
import { checkHook, checkOpen, checkRedirects } from './rules-open.js'
import {
  checkCrowds,
  checkIgnore,
  checkOwners,
  checkOwnPorts,
  checkRanges,
  placeRanges,
} from './rules-port.js'
import { checkProtocols, checkServices, indexServices } from './rules-service.js'
import { checkSizes } from './rules-size.js'

/** Reports every contradiction between the parts of a spec that could be read. */
export function checkSpec(spec: ReadSpec, findings: Findings): void {
  if (isKeyword(spec.table)) findings.add('/table', 'a name that is not a word of nft')
  checkNames(spec, findings)
  checkActions(spec, findings)
  if (!checkSizes(spec, findings) || !checkNumber(spec.doors, findings)) return
  checkServices(spec, findings)
  checkProtocols(spec, findings)
  checkHook(spec, findings)
  checkPorts(spec, findings)
  for (const door of spec.doors) {
    checkKnocks(door, findings)
    checkOpen(door, findings)
  }
  if (spec.guard.ban) {
    checkBan(spec.guard.ban, spec.doors, placeSteps(spec, findings), findings)
  }
}

function checkNames({ doors }: ReadSpec, findings: Findings): void {
  const first = new Map<string, string>()
  for (const { name, origin } of doors) {
    if (!findings.isClean(`${origin}/name`)) continue
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, origin)
    else findings.conflict(`${origin}/name`, `${earlier}/name`, `both doors are called ${name}`)
  }
}

function checkPorts(spec: ReadSpec, findings: Findings): void {
  const placed = placeSteps(spec, findings)
  // A thousand doors can have the same knock ports. Checks that depend on the port alone are done
  // once.
  const distinct = distinctPorts(placed)
  const ranges = placeRanges(spec, findings)
  const ownersOf = indexServices(spec.doors)
  checkOwners(placed, ownersOf, findings)
  checkOwnPorts(placed, findings)
  checkRanges(ranges, distinct, spec, findings)
  checkRedirects({ spec, placed: distinct, ranges, ownersOf }, findings)
  checkIgnore(spec, distinct, findings)
  checkTraps(spec, { placed: distinct, ranges }, findings)
  checkCrowds(placed, findings)
}
