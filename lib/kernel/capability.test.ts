// Versions of nft → whether they will do.
import t from 'tap'
import { OLDEST_NFT, requireVersion } from './capability.js'

t.test('versions that are new enough', async (t) => {
  for (const version of [
    OLDEST_NFT,
    '1.0.7',
    '1.0.10',
    '1.1',
    '1.1.3',
    '1.10.0',
    '2.0',
    '10.0.0',
  ]) {
    t.doesNotThrow(() => requireVersion(version, 'installKnock'), version)
  }
})

t.test('versions that are not', async (t) => {
  for (const version of ['1.0.5', '1.0', '0.9.8', '0.10.6', '', 'unknown']) {
    t.throws(
      () => requireVersion(version, 'installKnock'),
      { code: 'nft-too-old', message: /^installKnock: nft .* is too old: 1\.0\.6 or newer/ },
      version,
    )
  }
})
