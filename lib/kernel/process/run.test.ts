// Runs that are ended from outside → no process is left, and their outcomes in words.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { scriptOf } from '../../../integration/captures/nft-script.js'
import { CapabilityError } from '../../errors.js'
import { exhausted, outcomeOf, run } from './run.js'

const ASKED = { operation: 'install', subject: 'table inet knock', timeout: 20_000 }

/** Makes a script that writes its process's number and then never ends. */
function endless(t: Test) {
  const path = scriptOf(t, 'echo $$ >"$0.pid"; exec sleep 600')
  const file = join(t.testdirName, 'nft.pid')
  const begun = async () => {
    while (!existsSync(file) || readFileSync(file, 'utf8') === '') await sleep(2)
    return Number(readFileSync(file, 'utf8'))
  }
  return { path, begun }
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const gone = async (pid: number): Promise<boolean> => {
  for (let tries = 0; tries < 1000 && isAlive(pid); tries += 1) await sleep(2)
  return !isAlive(pid)
}

t.test('an aborted run ends what the shell started, too', async (t) => {
  const { path, begun } = endless(t)
  const stop = new AbortController()
  const given = { file: '/proc/self/fd/0', input: '{}', isPiped: true }
  const running = run([path], { ...ASKED, signal: stop.signal }, given)
  const pid = await begun()
  stop.abort()
  const result = await running
  t.match(result, { failed: true, isCanceled: true, timedOut: false })
  t.equal(outcomeOf(result), 'aborted')
  t.ok(await gone(pid), 'nft has ended with its shell')
})

t.test('a run that takes too long', async (t) => {
  const { path } = endless(t)
  const result = await run([path], { ...ASKED, timeout: 50 }, { isPiped: true, input: '{}' })
  t.match(result, { failed: true, isCanceled: false, timedOut: true })
  t.equal(outcomeOf(result), 'timed out')
})

t.test('a run that is killed', async (t) => {
  const { path, begun } = endless(t)
  const running = run([path], ASKED, {})
  process.kill(await begun(), 'SIGKILL')
  const result = await running
  t.match(result, { failed: true, signal: 'SIGKILL', exitCode: undefined })
  t.equal(outcomeOf(result), 'ended by SIGKILL')
})

t.test('an answer that is too long', async (t) => {
  const ending = { timedOut: false, isCanceled: false, argv: [], stdout: '', stderr: '' }
  const result = { ...ending, failed: true, isMaxBuffer: true, signal: 'SIGTERM' }
  t.equal(outcomeOf(result), 'answer too long', 'not the signal that ended it')
  const path = scriptOf(t, 'echo 12345678')
  t.match(await run([path], { ...ASKED, longest: 4 }, {}), { failed: true, isMaxBuffer: true })
  t.match(await run([path], { ...ASKED, longest: 9 }, {}), { failed: false })
})

t.test('with an aborted signal nothing is started', async (t) => {
  const { path } = endless(t)
  const signal = AbortSignal.abort()
  await t.rejects(run([path], { ...ASKED, signal }, {}), {
    name: 'NftError',
    code: 'aborted',
    message: 'install: table inet knock: aborted',
  })
  await t.rejects(run([path], { subject: 'nft', timeout: 1, signal }, {}), {
    message: 'nft: nft: aborted',
  })
  t.notOk(existsSync(join(t.testdirName, 'nft.pid')))
})

t.test("nft is also searched in the system's folders, and writes English", async (t) => {
  const path = scriptOf(t, 'echo "$PATH $LC_ALL $TZ"; cat')
  const { stdout, failed } = await run([path], ASKED, { input: 'given' })
  t.notOk(failed)
  t.match(stdout, /:\/usr\/sbin:.* C UTC\ngiven$/)
})

t.test('without file descriptors the error is a CapabilityError', async (t) => {
  const error = Object.assign(new Error('EMFILE: too many'), { code: 'EMFILE' })
  const found = exhausted(error, { subject: 'nft' }) as CapabilityError
  t.type(found, CapabilityError)
  t.match(
    found.message,
    /^nft: nft: no file can be opened \(EMFILE\): raise the limit of open files/,
  )
  t.equal(found.cause, error)
  const other = new Error('other')
  t.equal(exhausted(other, ASKED), other)
})
