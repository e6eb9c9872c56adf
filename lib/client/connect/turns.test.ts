// One process at a time has the turn, also when processes are killed that have it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Turn, takeTurn } from './turns.js'

const NAME = 'n'.repeat(32)
const HERE = new URL('./turns.js', import.meta.url).href

/** Short, as the path of a socket has to be. */
async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'knl-turns-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Asks until the turn is taken. */
async function take(folder: string, patience = 60_000): Promise<Turn> {
  while (true) {
    const turn = await takeTurn(folder, NAME, { patience })
    if (turn) return turn
  }
}

/** A process that takes the turn and keeps it, or takes turns until it is killed. */
function startTaker(t: Test, folder: string, code: string): ChildProcess {
  const script = `const { takeTurn } = await import(${JSON.stringify(HERE)})
    const { readFile, writeFile } = await import('node:fs/promises')
    const [folder, name] = process.argv.slice(1)
    const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time))
    const take = () => takeTurn(folder, name, { patience: 60_000 })
    ${code}`
  const args = [...process.execArgv, '--input-type=module', '-e', script, folder, NAME]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

const KEEP = `await take(); console.log('taken'); setInterval(() => {}, 1000)`

async function startKeeper(t: Test, folder: string): Promise<ChildProcess> {
  const child = startTaker(t, folder, KEEP)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

t.test('one caller at a time has the turn, and each gets it', async (t) => {
  const folder = await folderOf(t)
  let inside = 0
  let done = 0
  const work = async () => {
    const turn = await take(folder)
    inside += 1
    t.equal(inside, 1)
    await sleep(2)
    inside -= 1
    done += 1
    turn.end()
  }
  await Promise.all(Array.from({ length: 20 }, work))
  t.equal(done, 20)
  t.same(await readdir(folder), [`${NAME}.next`], 'one file is left')
})

t.test('a waiting caller learns that it waits, and that another had the turn', async (t) => {
  const folder = await folderOf(t)
  const turn = await take(folder)
  let waits = 0
  const onWait = () => {
    waits += 1
    turn.end()
  }
  t.equal(await takeTurn(folder, NAME, { patience: 60_000, onWait }), undefined)
  t.equal(waits, 1)
  const other = await takeTurn(folder, NAME, { patience: 60_000, onWait })
  t.ok(other)
  t.equal(waits, 1, 'nobody has the turn')
  other?.end()
})

t.test('each name has its own turn', async (t) => {
  const folder = await folderOf(t)
  const turns = await Promise.all(
    ['a', 'b'].map((name) => takeTurn(folder, name.repeat(32), { patience: 0 })),
  )
  for (const turn of turns) {
    t.ok(turn)
    turn?.end()
  }
})

t.test('a killed process loses its turn, and leaves no file', async (t) => {
  const folder = await folderOf(t)
  const keeper = await startKeeper(t, folder)
  const onWait = () => keeper.kill('SIGKILL')
  t.equal(await takeTurn(folder, NAME, { patience: 60_000, onWait }), undefined)
  const turn = await take(folder)
  const left = await readdir(folder)
  t.equal(left.length, 2, left.join(' '))
  turn.end()
})

t.test('a stopped process is waited for only until the limit', async (t) => {
  const folder = await folderOf(t)
  const keeper = await startKeeper(t, folder)
  keeper.kill('SIGSTOP')
  const turn = await takeTurn(folder, NAME, { patience: 200 })
  t.ok(turn, 'the next caller gets a turn beside it')
  turn?.end()
  const signal = AbortSignal.timeout(100)
  const waits = takeTurn(folder, NAME, { patience: 60_000, signal })
  await t.rejects(waits, signal.reason)
  const late = takeTurn(folder, NAME, { patience: 60_000, signal })
  await t.rejects(late, signal.reason, 'an aborted caller does not wait')
})

t.test('two callers never have the turn at once, whoever is killed', async (t) => {
  const folder = await folderOf(t)
  const holder = join(folder, 'holder')
  const log = join(folder, 'log')
  await writeFile(log, '')
  const code = `const { appendFile } = await import('node:fs/promises')
    while (true) {
      const turn = await take()
      if (!turn) continue
      const own = String(process.pid)
      await writeFile(${JSON.stringify(holder)}, own)
      await sleep(3)
      const found = await readFile(${JSON.stringify(holder)}, 'utf8')
      await appendFile(${JSON.stringify(log)}, found === own ? '.' : '!')
      turn.end()
    }`
  const takers = Array.from({ length: 4 }, () => startTaker(t, folder, code))
  const turns = async () => (await readFile(log, 'utf8')).length
  for (let kills = 0, before = 0; kills < 12; kills += 1) {
    // Each has some turns between two deaths.
    while ((await turns()) < before + 5) await sleep(1)
    before = await turns()
    takers.shift()?.kill('SIGKILL')
    takers.push(startTaker(t, folder, code))
  }
  for (const taker of takers) taker.kill('SIGKILL')
  t.match(await readFile(log, 'utf8'), /^\.+$/)
})
