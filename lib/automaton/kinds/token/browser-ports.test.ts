// Ports of browsers' tokens: each that Chromium or Firefox refuses, and no other.
import t from 'tap'
import { refusingBrowsers, WELL_KNOWN } from './browser-ports.js'

/** From the lists of Chromium 156 and Firefox ESR 153, from 1024 on. */
const CHROMIUM =
  '1719 1720 1723 2049 3659 4045 5060 5061 6000 6566 6665 6666 6667 6668 6669 6697 10080'
const FIREFOX =
  '1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'

t.test('ports from 1024 on are refused if a list of a browser has them', async (t) => {
  const union = new Set([...CHROMIUM.split(' '), ...FIREFOX.split(' ')].map(Number))
  const refused = Array.from({ length: 64512 }, (_, index) => 1024 + index).filter(
    (port) => refusingBrowsers(port) !== undefined,
  )
  t.same(
    refused,
    [...union].sort((a, b) => a - b),
  )
})

t.test('well-known ports are refused, except two', async (t) => {
  const taken = Array.from({ length: 1023 }, (_, index) => index + 1).filter(
    (port) => refusingBrowsers(port) === undefined,
  )
  t.same(taken, WELL_KNOWN)
})
