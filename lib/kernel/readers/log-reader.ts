// The process that reads an NFLOG group: `node log-reader.js GROUP`. Started by reader.ts alone.
import { readLog } from './log-reading.js'
import { runReader } from './reader-process.js'

const group = Number(process.argv[2])
await runReader(process, (output) => readLog(group, output))
