// A table's name → its handle, its removal or its confirmation. The spec is not needed.
import { ArgumentError, NftError } from '../errors.js'
import { chooseElements } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { requireVersion } from '../kernel/process/capability.js'
import { isOurs, parseAbout } from '../nft/about.js'
import { isKeyword } from '../spec/model/keywords.js'
import { confirmTable } from '../table/confirm.js'
import { type Call, listAbout } from '../table/installation.js'
import { removeAny } from '../table/remove.js'
import { unreadable } from '../table/standing-doors.js'
import { type KernelOptions, resolveCall } from './call.js'
import { Knock } from './handle.js'

export interface AttachOptions extends KernelOptions {
  /** Default: `knock`. */
  readonly table?: string
}

/** The same pattern as in the spec's schema. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/

/**
 * Returns a handle for a table that this or another process has installed. The spec is not needed.
 * The end of `await using` ends the handle's watches and leaves the table as it is.
 *
 * @throws ArgumentError if a spec's table cannot have this name.
 * @throws NftError `not-found` if there is no such table, or this version of knocklib did not make
 * it.
 */
export async function attachKnock(options: AttachOptions = {}): Promise<Knock> {
  const { table, nft, call } = placeOf(options, 'attachKnock')
  const [version, comments] = await Promise.all([nft.version(call), listAbout(nft, table, call)])
  requireVersion(version, call.operation)
  const about = comments && parseAbout(comments)
  if (!about) {
    const reason = unreadable(comments)
    throw new NftError('not-found', `${call.operation}: table inet ${table}: ${reason}`)
  }
  const elements = chooseElements(nft, options)
  return new Knock(table, about, nft, { signal: options.signal, elements })
}

/**
 * Reads the table's name and resolves the options of a call.
 *
 * @throws ArgumentError if a spec's table cannot have this name.
 */
function placeOf(options: AttachOptions, operation: string) {
  const { table = 'knock' } = options
  if (!TABLE_NAME.test(table) || isKeyword(table)) {
    const expected = 'a name of 1 to 32 letters, digits and _ that is not a word of nft'
    const got = JSON.stringify(table)
    throw new ArgumentError(`${operation}: table: expected ${expected}, got ${got}`)
  }
  return { table, ...resolveCall(options, operation) }
}

/**
 * Removes a table that knocklib made. It works for any version of knocklib, while `attachKnock`
 * reads only tables of its own version. Afterwards the table's services are open to everyone.
 *
 * @throws NftError `not-found` if there is no such table, or knocklib did not make it.
 */
export async function uninstallKnock(options: AttachOptions = {}): Promise<void> {
  const { table, nft, call } = placeOf(options, 'uninstallKnock')
  await requireOurs(nft, table, call)
  await removeAny(nft, table, call)
}

/**
 * Confirms a table that knocklib made, of any version, as `Knock.confirm` does.
 *
 * @throws NftError `not-found` if there is no such table, if knocklib did not make it, or if it is
 * not waiting to be confirmed; `timed-out` if the doors have fallen open.
 */
export async function confirmKnock(options: AttachOptions = {}): Promise<void> {
  const { table, nft, call } = placeOf(options, 'confirmKnock')
  await requireOurs(nft, table, call)
  await confirmTable({ nft, elements: chooseElements(nft, options), table }, call)
}

async function requireOurs(nft: Nft, table: string, call: Call): Promise<void> {
  const comments = await listAbout(nft, table, call)
  if (isOurs(comments)) return
  throw new NftError('not-found', `${call.operation}: table inet ${table}: ${unreadable(comments)}`)
}
