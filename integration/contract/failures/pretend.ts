// A program in nft's place → the error that a call throws.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type KnockSpec, NftError } from '../../../lib/index.js'

export const SPEC: KnockSpec = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7123', 'tcp/8234', 'tcp/9345'] },
      open: { for: '30s' },
    },
  ],
}

/** Writes a program that takes the place of nft. Returns its path. */
export async function pretend(t: Test, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'nft')
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

export const NEW_ENOUGH = 'case "$*" in *--version*) echo "nftables v1.1.3 (fake)"; exit 0;; esac'

export async function failureOf(work: Promise<unknown>): Promise<NftError> {
  try {
    await work
  } catch (error) {
    if (error instanceof NftError) return error
    throw error
  }
  throw new Error('expected an NftError, got success')
}
