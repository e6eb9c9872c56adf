// Options and environment → the nft binary to run, and what chose it. Reads only the environment.

/** The nft that KNOCKLIB_NFT names; undefined if it is unset or empty. */
export const environmentNft = (): string | undefined => process.env['KNOCKLIB_NFT'] || undefined

export interface Binary {
  readonly path: string
  /** What chose it, for messages: `KNOCKLIB_NFT=/opt/nft`. */
  readonly chosen: string
  /** What to do if it cannot be run. */
  readonly advice: string
}

/** Chooses as `NftOptions.binary` says. */
export function chooseBinary(option: string | undefined): Binary {
  if (option !== undefined) {
    return {
      path: option,
      chosen: `the option nft, ${JSON.stringify(option)}`,
      advice: 'correct the option, or leave it out to take nft from PATH',
    }
  }
  const named = environmentNft()
  if (named !== undefined) {
    return {
      path: named,
      chosen: `KNOCKLIB_NFT=${named}`,
      advice: 'correct KNOCKLIB_NFT, or unset it to take nft from PATH',
    }
  }
  return {
    path: 'nft',
    chosen: `nft on PATH or in ${SYSTEM_FOLDERS.join(', ')}`,
    advice: 'install the package nftables, or name the binary in KNOCKLIB_NFT',
  }
}

/** Where systems keep nft. They are not on every user's PATH. */
export const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Returns PATH, with the missing folders of `SYSTEM_FOLDERS` at its end. */
export function searchPath(path: string = process.env['PATH'] ?? '/usr/bin:/bin'): string {
  const folders = path.split(':')
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(':')
}
