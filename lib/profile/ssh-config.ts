// A profile → a block of ssh's configuration, by which ssh knocks itself. Pure.
import { readProfile } from '../client/profile.js'
import type { ProfileFormat } from './formats.js'
import { refusal } from './script/plan.js'

export const sshConfig: ProfileFormat = {
  summary: "a Host block for ssh's configuration; ssh knocks itself",
  async write(profile, { name, door }) {
    const names = door === undefined && profile.doors ? Object.keys(profile.doors) : [door]
    const doors = await Promise.all(
      names.map((name) => readProfile(profile, 'profile: --format ssh-config', name)),
    )
    const blocks = doors.flatMap(({ host, port, door }) => {
      if (host === undefined || port === undefined) return []
      const isOne = doors.length === 1
      const which = profile.doors && door !== undefined ? ` --door ${door}` : ''
      return [
        [
          `Host ${isOne ? name : `${name}-${door}`}`,
          `    HostName ${host}`,
          `    Port ${port}`,
          `    ProxyCommand knocklib connect ${name}${which}`,
        ].join('\n'),
      ]
    })
    if (blocks.length === 0) throw refusal('ssh-config', 'a TCP port of the service', 'none')
    const head = `# For ~/.ssh/config. The profile is saved by knocklib profile … --save ${name}.`
    return `${head}\n${blocks.join('\n\n')}\n`
  },
}
