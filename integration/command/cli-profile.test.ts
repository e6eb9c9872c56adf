// The built command: a spec → a client's profile, on standard output, in a file, in the user's
// folder; the client knocks with it.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { atServer } from '../setups/user.js'

const skip = missing('sh', 'nc', 'ping')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

atServer('profile makes and saves a profile that knock uses', skip, async (t, user) => {
  const made = ['profile', 'doors.yaml', '--host', SERVER[4]]
  const text = await user.serve(t, ...made, '--door', 'ssh')
  t.match(text, /^host: 10\.77\.0\.1\ndoor: ssh\nport: 22\nfor: 1m\nsteps: \[/m)
  const json = JSON.parse(await user.serve(t, ...made, '--json'))
  t.same(Object.keys(json.doors), ['ssh', 'web'], 'the profile has all doors')
  const output = join(user.folder, 'ssh.sh')
  const script = [...made, '--door', 'ssh', '--format', 'sh', '--output', 'ssh.sh']
  t.equal(await user.serve(t, ...script), 'ssh.sh written\n')
  t.equal(await mode(output), 0o600)

  const env = { XDG_CONFIG_HOME: join(user.folder, 'config') }
  const saved = await user.try([...made, '--door', 'ssh', '--save', 'home'], { env })
  const file = join(user.folder, 'config/knocklib/home.yaml')
  t.same(saved, { code: 0, stdout: `${file} written\n`, stderr: '' })
  t.same([await mode(file), await mode(join(file, '..'))], [0o600, 0o700])

  await user.serve(t, 'install', 'doors.yaml')
  const grants = async (): Promise<string[]> => {
    const { doors } = JSON.parse(await user.serve(t, 'status', '--json'))
    return doors[0].grants.map(({ source }: { source: string }) => source)
  }
  await user.call(t, 'knock', '--profile', file)
  t.same(await grants(), [CLIENT[4]], 'the saved profile opens the door')
  await user.serve(t, 'close', 'ssh', CLIENT[4])
  t.match(await exec(user.pair.client, 'sh', [output]), { code: 0, stderr: '' })
  t.same(await grants(), [CLIENT[4]], 'the script opens the door')
})

atServer('profile reports wrong options', skip, async (t, user) => {
  const says = async (expected: string, ...args: string[]) => {
    const { code, stdout, stderr } = await user.try(['profile', 'doors.yaml', ...args])
    t.same({ code, stdout, stderr }, { code: 2, stdout: '', stderr: `${expected}\n` })
  }
  const host = ['--host', 'server.example']
  const subject = 'knocklib profile:'
  await says(`${subject} --host: expected the server's name or address, got none`)
  await says(`${subject} --host: expected the server's name or address, got a b`, '--host', 'a b')
  await says(`${subject} --door: expected one of ssh, web, got irc`, ...host, '--door', 'irc')
  await says(`${subject} --knock: expected a number from 1 on, got 0`, ...host, '--knock', '0')
  await says(
    `${subject} --save: expected --format yaml or json, since knocklib reads it, got sh`,
    ...[...host, '--save', 'home', '--format', 'sh'],
  )
  await says(
    `${subject} expected one of --output and --save, got both`,
    ...[...host, '--save', 'home', '--output', 'x'],
  )
  await says(`${subject} --save: expected a profile's name, got ../x`, ...host, '--save', '../x')
  await says(
    `${subject} --format sh: expected one door (--door ssh or web), got 2 doors`,
    ...[...host, '--format', 'sh'],
  )
  const { code, stderr } = await user.try([
    ...['profile', 'doors.yaml', ...host, '--door', 'ssh', '--format', 'knock'],
  ])
  const lacks = 'expected steps of tcp and udp without a length, got icmp'
  t.same([code, stderr], [2, `${subject} --format knock: ${lacks}\n`])
})
