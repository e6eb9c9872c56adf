// Brings a fresh clone to where its main job runs: npm's packages, the build, and Debian's
// programs. Needs nothing but Node.
//
//   node integration/suite/setup.mjs demo    what the demo needs
//   node integration/suite/setup.mjs test    what the tests need
//   node integration/suite/setup.mjs bench   what the benchmarks need that make the page of figures
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Debian's package for each program. */
const PACKAGES = {
  demo: { nft: 'nftables', ip: 'iproute2', nsenter: 'util-linux' },
  test: {
    nft: 'nftables',
    ip: 'iproute2',
    nsenter: 'util-linux',
    taskset: 'util-linux',
    sysctl: 'procps',
    perl: 'perl-base',
    knock: 'knockd',
    iptables: 'iptables',
    hping3: 'hping3',
    nmap: 'nmap',
    nc: 'netcat-openbsd',
    ping: 'iputils-ping',
    ssh: 'openssh-client',
    sshd: 'openssh-server',
    rsync: 'rsync',
    ansible: 'ansible-core',
    openssl: 'openssl',
    nginx: 'nginx',
    curl: 'curl',
    dash: 'dash',
    shellcheck: 'shellcheck',
    basenc: 'coreutils',
    python3: 'python3',
    telnet: 'inetutils-telnet',
    host: 'bind9-host',
    dig: 'bind9-dnsutils',
    nslookup: 'bind9-dnsutils',
    zbarimg: 'zbar-tools',
    chromium: 'chromium',
    'firefox-esr': 'firefox-esr',
    'systemd-analyze': 'systemd',
    'systemd-notify': 'systemd',
  },
  bench: {
    nft: 'nftables',
    ip: 'iproute2',
    nsenter: 'util-linux',
    taskset: 'util-linux',
    setpriv: 'util-linux',
    perl: 'perl-base',
    knock: 'knockd',
    knockd: 'knockd',
    iptables: 'iptables',
    nc: 'netcat-openbsd',
    iperf3: 'iperf3',
  },
}

const root = fileURLToPath(new URL('../..', import.meta.url))
// Debian keeps some of these out of an ordinary user's PATH.
process.env.PATH = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)

function fail(message) {
  process.stderr.write(`knocklib: ${message}\n`)
  process.exit(1)
}

function run(command, args, env = {}) {
  process.stdout.write(`> ${command} ${args.join(' ')}\n`)
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error) fail(`${command}: ${error.message}`)
  return status === 0
}

function isOnPath(program) {
  return process.env.PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const modified = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0)

function installNpmPackages() {
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) fail('npm ci failed')
}

/** A package's daemon must not start on the machine of somebody who only runs our tests. */
function withoutStartingServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return work()
  } finally {
    if (isOurs) rmSync(policy)
  }
}

function installDebianPackages(wanted) {
  const missing = Object.entries(wanted).filter(([program]) => !isOnPath(program))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map(([, name]) => name))]
  const install = `apt-get install ${packages.join(' ')}`
  if (process.getuid() !== 0) fail(`missing: ${packages.join(', ')}; as root: ${install}`)
  if (!isOnPath('apt-get'))
    fail(`missing: ${packages.join(', ')}; install them with your package manager`)
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const done = withoutStartingServices(
    () => run('apt-get', ['update', '-qq'], env) && run('apt-get', args, env),
  )
  if (!done) fail(`${install} failed`)
}

const wanted = PACKAGES[process.argv[2]]
if (!wanted) fail(`expected ${Object.keys(PACKAGES).join(' or ')}, got ${process.argv[2]}`)
if (process.platform !== 'linux') fail('nftables is part of Linux; nothing here runs elsewhere')
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20.19 or newer is needed, this is ${process.version}`)
installDebianPackages(wanted)
installNpmPackages()
if (!run('npm', ['run', '--silent', 'build'])) fail('the build failed')
