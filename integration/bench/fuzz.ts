// Millions of messages that no kernel would send, in two processes → no crash, no hang, and no
// message read wrongly.
//
//   npm run bench -- fuzz [MESSAGES] [SEED]
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compare, createMessages, createRandom } from '../captures/fuzz.js'

const MESSAGES = Number(process.argv[2] ?? 10_000_000)
const SEED = Number(process.argv[3] ?? 1)
const PROCESSES = 2
/**
 * Messages between two signs of life of a process, and milliseconds without one after which it
 * counts as hanging.
 */
const STEP = 50_000
const PATIENCE = 60_000

interface Progress {
  readonly messages: number
  readonly malformed: number
}

// Most messages are malformed, and their stack traces are not read.
Error.stackTraceLimit = 0

/** Reads the messages of one process. */
function work(messages: number, seed: number): void {
  const random = createRandom(seed)
  let malformed = 0
  let done = 0
  for (const bytes of createMessages(random)) {
    if (compare(bytes, random) === 'malformed') malformed += 1
    done += 1
    if (done % STEP === 0 || done === messages) process.send?.({ messages: done, malformed })
    if (done === messages) break
  }
}

function start(messages: number, seed: number): Promise<Progress> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [String(messages), String(seed), 'share'])
    let progress: Progress = { messages: 0, malformed: 0 }
    const hang = () => {
      child.kill('SIGKILL')
      reject(new Error(`seed ${seed}: hangs after ${progress.messages} messages`))
    }
    let timer = setTimeout(hang, PATIENCE)
    child.on('message', (message: Progress) => {
      progress = message
      clearTimeout(timer)
      timer = setTimeout(hang, PATIENCE)
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && progress.messages === messages) resolve(progress)
      else reject(new Error(`seed ${seed}: ended with ${code ?? signal}`))
    })
  })
}

if (process.argv[4] === 'share') work(MESSAGES, SEED)
else {
  const begun = performance.now()
  const share = Math.ceil(MESSAGES / PROCESSES)
  const shares = Array.from({ length: PROCESSES }, (_, index) => start(share, SEED + index))
  const done = await Promise.all(shares)
  const seconds = (performance.now() - begun) / 1000
  const sum = (pick: (progress: Progress) => number) =>
    done.reduce((total, progress) => total + pick(progress), 0)
  const messages = sum((progress) => progress.messages)
  const malformed = sum((progress) => progress.malformed)
  console.log(
    `${messages} messages in ${seconds.toFixed(0)} s (seeds from ${SEED}): ` +
      `${malformed} malformed, ${messages - malformed} read, all of them alike twice`,
  )
}
