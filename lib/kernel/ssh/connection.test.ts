// A program in place of ssh, and a minute that the test lets pass → when a connection is made, and
// when it ends.
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../../../integration/machine/until.js'
import { SshConnection } from './connection.js'

/** A master notes its process and its socket, and ends with its stdin. */
const MASTER = `
  echo $$ >>"$0.masters"
  while [ "$1" != -S ]; do shift; done
  echo "$2" >"$0.socket"
  echo "knocklib: started"
  exec cat`

const { signal: never } = new AbortController()

function connectionOf(t: Test, check = 'exit 255') {
  const ssh = `#!/bin/sh\ncase "$*" in *'-O check'*) ${check} ;; esac\n${MASTER}\n`
  const program = `${t.testdir({ ssh })}/ssh`
  chmodSync(program, 0o755)
  const connection = new SshConnection(['--', 'server'], program)
  t.teardown(() => connection.close())
  const use = (signal = never) => connection.use(async (words) => words, signal)
  /** The processes of all masters so far. */
  const masters = () => {
    const file = `${program}.masters`
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
  }
  const folder = () => dirname(readFileSync(`${program}.socket`, 'utf8'))
  return { connection, folder, masters, use }
}

const isOver = (pid: number): boolean => {
  try {
    return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

/** Takes the timers of a minute, and leaves the others as they are. */
function takeMinutes(t: Test) {
  const waiting = new Map<unknown, () => void>()
  const { clearTimeout: clear, setTimeout: set } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: (call: () => void, time?: number) => {
      if (time !== 60_000) return set(call, time)
      const timer = { unref: () => timer }
      waiting.set(timer, call)
      return timer
    },
  })
  t.intercept(globalThis, 'clearTimeout', {
    value: (timer: NodeJS.Timeout) => waiting.delete(timer) || clear(timer),
  })
  return {
    count: () => waiting.size,
    pass: () => {
      for (const call of waiting.values()) call()
      waiting.clear()
    },
  }
}

t.test('it ends a minute after the last call, and the next call connects again', async (t) => {
  const { connection, folder, masters, use } = connectionOf(t)
  const minutes = takeMinutes(t)
  await use()
  t.equal(minutes.count(), 1)
  await connection.use(async () => t.equal(minutes.count(), 0, 'not during a call'), never)
  const [first = 0] = masters()
  const before = folder()
  t.ok(existsSync(before))
  minutes.pass()
  await until(() => isOver(first) && !existsSync(before), 'end of the connection')
  await use()
  t.equal(masters().length, 2)
})

t.test('after the master has ended by itself, another is made', async (t) => {
  const { masters, use } = connectionOf(t)
  await use()
  process.kill(masters()[0] as number)
  await until(async () => {
    await use()
    return masters().length === 2
  }, 'second connection')
})

t.test('a call cannot log in by itself, and the connection forwards nothing', async (t) => {
  const { use } = connectionOf(t)
  const words = (await use()).join(' ')
  t.match(words, / -T -a -x -o ClearAllForwardings=yes .* -o ProxyCommand=false -- server$/)
})

t.test('four calls at a time share it', async (t) => {
  const { connection } = connectionOf(t)
  let [running, most] = [0, 0]
  const call = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setTimeout(resolve, 50))
    running -= 1
  }
  await Promise.all(Array.from({ length: 9 }, () => connection.use(call, never)))
  t.equal(most, 4)
})

t.test('one that is given up before ssh is started leaves no process behind', async (t) => {
  const { masters, use } = connectionOf(t, 'sleep 1; exit 255')
  await t.rejects(use(AbortSignal.timeout(50)))
  await use()
  t.equal(masters().length, 1)
})
