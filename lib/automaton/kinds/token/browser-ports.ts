// A UDP port → the browsers that never send WebRTC's packets to it. Pure.
//
// Seen with packets of Chromium 156 and Firefox ESR 153. Their lists: Chromium's
// net/base/port_util.cc and services/network/p2p/socket.cc, Firefox's netwerk/base/nsIOService.cpp.

/** Both refuse these above the well-known ports. */
const BOTH = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697,
  10080,
])
const FIREFOX_ALONE = new Set([4190, 6679])

/** Of the well-known ports Chromium sends to these alone, and only at public addresses. */
export const WELL_KNOWN: readonly number[] = [80, 443]
const LEAST = 1024

/** Names the browsers that never send to a port; undefined if each of the two does. */
export function refusingBrowsers(port: number): string | undefined {
  if (BOTH.has(port)) return 'Chromium and Firefox never send'
  if (FIREFOX_ALONE.has(port)) return 'Firefox never sends'
  return port < LEAST && !WELL_KNOWN.includes(port) ? 'Chromium never sends' : undefined
}
