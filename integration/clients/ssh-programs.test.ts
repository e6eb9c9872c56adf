// docs/start/ssh.md, followed literally: ssh, scp, sftp, rsync and Ansible through `knocklib
// connect`, with a real sshd behind a door of tokens.
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { KnockSpec } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { SSHD, type SshServer, startSshd } from '../setups/sshd.js'
import { ClientSetup } from './client-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const PROGRAMS = ['ssh', 'scp', 'sftp', 'ssh-keygen', 'rsync', 'ansible', SSHD]
const skip = lacks || missing('unshare', 'mount', ...PROGRAMS)
if (!skip) {
  sweep()
  build()
}

const PAGE = readFileSync(new URL('../../docs/start/ssh.md', import.meta.url), 'utf8')
const block = (mark: string): string => {
  const [, text] = new RegExp(`<!-- ${mark} -->\n\`\`\`\\S+\n(.*?)\`\`\``, 's').exec(PAGE) ?? []
  if (text === undefined) throw new Error(`docs/start/ssh.md: no block is marked ${mark}`)
  return text
}
const [, PROFILE = ''] = /```yaml\n(.*?)```/s.exec(PAGE) ?? []

const specOf = (folder: string): KnockSpec => ({
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        ...{ type: 'token', port: 'udp/6000', period: '30s' },
        users: [{ name: 'ann', secretFile: join(folder, 'key') }],
      },
      open: { for: '10m' },
    },
  ],
})

/** What a user's own file has of keys, without the port: the page names it. */
function settingsOf({ options }: SshServer): string {
  const lines = options.flatMap((option, index) => {
    const value = options[index + 1] ?? ''
    if (option === '-i') return [`IdentityFile ${value}`]
    const isSetting = option === '-o' && !value.startsWith('ConnectTimeout')
    return isSetting ? [value.replace('=', ' ')] : []
  })
  return ['', 'Host *', ...lines, 'LogLevel ERROR', ''].join('\n')
}

/** The client's home: the page's profile, programs that read the home's file of ssh, and files. */
class HomeFolder {
  readonly setup: ClientSetup
  /** Where the server has files. */
  readonly server: string
  readonly #settings: string

  constructor(setup: ClientSetup, sshd: SshServer) {
    this.setup = setup
    this.server = join(setup.folder, 'server')
    this.#settings = settingsOf(sshd)
  }

  get config(): string {
    return join(this.setup.folder, 'ssh_config')
  }

  async writeFiles(): Promise<void> {
    const { setup } = this
    for (const name of ['ssh', 'scp', 'sftp']) {
      await setup.program(name, `/usr/bin/${name} -F ${this.config}`)
    }
    const secret = await readFile(join(setup.folder, 'key'))
    const folder = join(setup.folder, 'config/knocklib')
    await writeFile(join(folder, 'home.key'), secret, { mode: 0o600 })
    await writeFile(join(folder, 'home.yaml'), PROFILE, { mode: 0o600 })
    await mkdir(join(setup.folder, 'folder'))
    await mkdir(this.server)
    await writeFile(join(setup.folder, 'report.txt'), 'a report')
    await writeFile(join(setup.folder, 'folder/one'), 'one')
    await writeFile(join(setup.folder, 'batch'), `put report.txt ${this.server}/by-sftp\n`)
  }

  /** Makes a block of the page the file that ssh reads. */
  async configure(mark: string): Promise<void> {
    const { folder } = this.setup
    const text = block(mark).replaceAll('~/.config', join(folder, 'config'))
    await writeFile(this.config, text.replaceAll('~/.ssh', folder) + this.#settings)
  }

  shell(line: string) {
    return this.setup.run('bash', '-c', line)
  }

  /** A line of the page, with a command for ssh and another folder than root's home. */
  localise(line: string): string {
    return line
      .replace(/^ssh home$/, 'ssh home echo in')
      .replace(/^sftp home$/, 'sftp -b batch home')
      .replaceAll('home:', `home:${this.server}/`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]()
  }
}

async function withHomeFolder(
  family: Family,
  run: (home: HomeFolder) => Promise<void>,
): Promise<void> {
  // The oldest one knows no tokens.
  const options = { binary: versions[1]?.path, families: [family] }
  await using setup = await ClientSetup.open(specOf, options)
  await using sshd = await startSshd(setup.pair.server, 22)
  const home = new HomeFolder(setup, sshd)
  await home.writeFiles()
  await run(home)
}

async function pingByInventory(t: Test, home: HomeFolder): Promise<void> {
  await writeFile(join(home.setup.folder, 'inventory'), block('inventory'))
  const pinged = await home.shell('ansible -i inventory servers -m ping')
  t.match(pinged, { code: 0, stdout: /"ping": "pong"/ }, pinged.stdout + pinged.stderr)
}

t.jobs = 2

for (const family of FAMILIES) {
  t.test(`the programs of the page work over IPv${family}`, { skip, buffered: true }, async (t) => {
    await withHomeFolder(family, async (home) => {
      const { setup } = home
      Object.assign(setup.env, {
        ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
        ANSIBLE_REMOTE_TEMP: join(setup.folder, 'ansible'),
        ANSIBLE_HOST_KEY_CHECKING: 'False',
        // Seconds to connect: a loaded machine is slow.
        ANSIBLE_TIMEOUT: '120',
      })
      await home.configure('config')
      // On stderr stands what the shell of this machine's root has to say.
      const IN = { code: 0, stdout: 'in\n' }
      const crowd = Array.from({ length: 20 }, () => home.shell('ssh home echo in'))
      const ends = await Promise.all(crowd)
      t.ok(
        ends.every(({ code, stdout }) => code === IN.code && stdout === IN.stdout),
        ends.map(({ stderr }) => stderr).join(''),
      )
      t.match(await setup.counters(), { knocks: 1, grants: 1 }, 'one knock for all of them')

      for (const line of block('programs').trim().split('\n')) {
        const { code, stdout, stderr } = await home.shell(home.localise(line))
        t.equal(code, 0, `${line}: ${stdout}${stderr}`)
        if (line.startsWith('ansible')) t.match(stdout, '"ping": "pong"')
      }
      const read = (name: string) => readFile(join(home.server, name), 'utf8')
      const files = await Promise.all(['report.txt', 'by-sftp', 'folder/one'].map(read))
      t.same(files, ['a report', 'a report', 'one'])

      await home.configure('config by file')
      t.match(
        await home.shell('ssh server.example echo in'),
        IN,
        'the host and the port come from ssh',
      )
      // Ansible takes longer than all the others; over IPv6 it has been run as a line of the page.
      if (family === 4) await pingByInventory(t, home)
      t.match(await setup.counters(), { knocks: 1, grants: 1 }, 'no other knock was sent')

      await home.configure('config by match')
      t.match(await home.shell('ssh home echo in'), IN, 'ssh lets knocklib knock first')

      await home.configure('config with a master')
      t.match(await home.shell('ssh home echo in 2>/dev/null </dev/null'), IN)
      await setup.program('knocklib', 'false')
      t.match(await home.shell('ssh home echo in'), IN, 'ssh uses its master connection')
      t.equal((await home.shell('ssh -O exit home')).code, 0)
      t.equal(
        (await home.shell('ssh home echo in')).code,
        255,
        'ssh fails without a master and without a client',
      )
    })
  })
}

t.test('the page shows the tested profile', async (t) => {
  t.match(parse(PROFILE), { port: 22, token: { secretFile: 'home.key' } })
})
