// schemas/vectors.json → the same file, made anew by knocklib, by Python and by openssl. UPDATE=1
// writes it again; read the difference, since clients of others are tested by it.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { missingPrograms } from '../../machine/capabilities.js'
import { makeVectors, type Vectors, writeVectors } from './vectors.js'

const FILE = fileURLToPath(new URL('../../../schemas/vectors.json', import.meta.url))
const besides = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const read = (): Vectors => JSON.parse(readFileSync(FILE, 'utf8'))

/** Runs a program that somebody else's cryptography is in. */
function recompute(program: string, path: string, input: string): string {
  const { status, stdout, stderr } = spawnSync(program, [besides(path)], {
    input,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${path}: ${stderr}`)
  return stdout
}

t.test('the file is what knocklib makes', async (t) => {
  const made = writeVectors(makeVectors())
  if (process.env['UPDATE'] === '1') writeFileSync(FILE, made)
  t.equal(readFileSync(FILE, 'utf8'), made)
  t.match(read().licence, /MIT/)
})

t.test('Python makes the same', { skip: missingPrograms('python3') }, async (t) => {
  const { secretFiles, tokens, rotations, datagrams } = read()
  const vectors = { secretFiles, tokens, rotations, datagrams }
  t.strictSame(JSON.parse(recompute('python3', 'recompute.py', JSON.stringify(blank(vectors)))), {
    ...vectors,
  })
})

/** What a program is given: the inputs, with nothing to copy from. */
const blank = ({ secretFiles, tokens, rotations, datagrams }: Parts) => ({
  secretFiles: secretFiles.map(({ file }) => ({ file })),
  tokens: tokens.map(({ secret, door, period, time }) => ({ secret, door, period, time })),
  rotations: rotations.map(({ number, text, sequence, ...inputs }) => inputs),
  datagrams: datagrams.map(({ token, id }) => ({ token, id })),
})

type Parts = Pick<Vectors, 'secretFiles' | 'tokens' | 'rotations' | 'datagrams'>

const programs = missingPrograms('sh', 'openssl', 'basenc')

t.test('openssl and coreutils make the same', { skip: programs }, async (t) => {
  const { tokens, rotations, datagrams } = read()
  const lines = [
    ...tokens.map(({ secret, text }) => ['token', secret, text]),
    ...rotations.map(({ secret, text, protocol, steps, from, to }) => {
      return ['rotation', secret, text, protocol, steps, from, to]
    }),
    ...datagrams.map(({ token, id }) => ['datagram', token, id]),
  ]
  const input = lines.map((fields) => `${fields.join('|')}\n`).join('')
  const expected = [
    ...tokens.map(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].flatMap(({ udp, stun, dns }) => [udp, stun, dns]).join(' '),
    ),
    ...rotations.map(({ sequence }) => sequence.join(' ')),
    ...datagrams.map(({ udp, stun, dns }) => [udp, stun, dns].join(' ')),
  ]
  t.strictSame(recompute('sh', 'recompute.sh', input).split('\n'), [...expected, ''])
})
