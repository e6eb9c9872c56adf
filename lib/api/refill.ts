// A spec and its installed table → tokens and rotating sequences loaded ahead again.
import { buildAutomaton } from '../automaton/build.js'
import { loadsOf, secretFilesOf } from '../automaton/loads.js'
import { isNotFound, NftError } from '../errors.js'
import { readSecrets } from '../files/secrets.js'
import { digestOf, parseAbout } from '../nft/about.js'
import { parseListing } from '../nft/listing.js'
import { commonSet } from '../nft/names.js'
import { hasForeignPorts, renderLoads } from '../nft/render/loads.js'
import { renderRuleset } from '../nft/render/render.js'
import { renderNext } from '../nft/serial.js'
import { requireValid, type SpecInput } from '../spec/validate.js'
import { listAbout, listSerial } from '../table/installation.js'
import { type KernelOptions, resolveCall } from './call.js'

/**
 * Loads the spec's tokens and rotating sequences ahead again, from now for their whole horizon. A
 * timer calls it. The table must be installed from this spec. Used tokens stay used.
 *
 * @throws SpecError with every problem of the spec.
 * @throws ArgumentError if a secret cannot be read.
 * @throws NftError `not-found` if the table is missing, or was made of another spec or with other
 * secrets.
 */
export async function refillKnock(spec: SpecInput, options: KernelOptions = {}): Promise<void> {
  const { nft, call } = resolveCall(options, 'refillKnock')
  const valid = requireValid(spec, call.operation)
  const document = renderRuleset(buildAutomaton(valid))
  const { table } = valid
  const secrets = await readSecrets(secretFilesOf(valid), call.operation)
  const serial = await listSerial(nft, table, call)
  const comments = await listAbout(nft, table, call)
  const refuse = (reason: string) => {
    const message = `${call.operation}: table inet ${table}: ${reason}; install the spec first`
    return new NftError('not-found', message)
  }
  if (!comments) throw refuse('not there, or not made by knocklib')
  if (parseAbout(comments)?.digest !== digestOf(document)) throw refuse('made of another spec')
  const now = Date.now() / 1000
  const loads = loadsOf(valid, secrets, now)
  const listings = await Promise.all(
    loads.ports.map(async ({ set }) =>
      parseListing(await nft.list({ table, set: commonSet(set) }, call)),
    ),
  )
  const isForeign = listings.some((listing) => hasForeignPorts(listing, loads))
  if (isForeign) throw refuse('made with other secrets')
  const commands = renderLoads(table, loads, now)
  if (commands.length === 0) return
  try {
    await nft.apply({ nftables: [...renderNext(table, serial), ...commands] }, call)
  } catch (error) {
    throw isNotFound(error) ? refuse('changed by others during the refill') : error
  }
}
