// The process that reads nftables' notifications: `node change-reader.js`. Started by reader.ts
// alone.
import { MOST_WAITING, readChanges } from './change-reading.js'
import { runReader } from './reader-process.js'

await runReader(process, readChanges, MOST_WAITING)
