// A profile → a script that knocks without knocklib. Pure.
import type { ProfileFormat } from './formats.js'
import { planScript } from './script/plan.js'
import { writePowerShell } from './script/powershell.js'
import { writeShell } from './script/shell.js'

export const sh: ProfileFormat = {
  summary: 'a script for any POSIX shell, with nc',
  write: async (profile, { door }) => writeShell(await planScript(profile, door, 'sh'), 'sh'),
}

export const bash: ProfileFormat = {
  summary: 'a script for bash, without nc',
  write: async (profile, { door }) => writeShell(await planScript(profile, door, 'bash'), 'bash'),
}

export const powershell: ProfileFormat = {
  summary: 'a script for Windows PowerShell 5.1 and PowerShell 7',
  write: async (profile, { door }) =>
    writePowerShell(await planScript(profile, door, 'powershell')),
}
