// The newest results under .cache/bench → docs/decide/figures, and from there the tables and plots
// of docs/decide/performance.md.
//
//   npm run bench -- pages
import { fileURLToPath } from 'node:url'
import { takeOver, writePage } from './files.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const taken = takeOver(root)
writePage(root)
console.log(taken.length > 0 ? `new: ${taken.join(', ')}` : 'no new results')
