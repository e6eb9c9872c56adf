// The process of the knocklib command, loaded by launch.cts.
import { runProcess } from './command-process.js'

await runProcess(process)
