// Options → an `Nft` that runs nft here, in another network namespace, or on another machine.
import { ArgumentError } from '../../errors.js'
import type { Nft, NftOptions } from '../nft.js'
import { LocalLauncher } from '../process/launcher.js'
import { ProcessNft } from '../process/process-nft.js'
import { SshLauncher } from './ssh-launcher.js'

/**
 * Runs nft as a child process: in this process's network namespace, in another, or on another
 * machine by ssh.
 *
 * @throws ArgumentError if `ssh` is no machine, or is given together with `netns`.
 */
export function createNft(options: NftOptions = {}): Nft {
  const { ssh, sshProgram, binary, netns, timeout } = options
  if (ssh === undefined) {
    const place = { ...(binary !== undefined && { binary }), ...(netns !== undefined && { netns }) }
    return new ProcessNft(new LocalLauncher(place), timeout)
  }
  if (netns !== undefined) {
    throw new ArgumentError('createNft: expected one of ssh and netns, got both')
  }
  return new ProcessNft(new SshLauncher({ ssh, sshProgram, binary }), timeout)
}
