// The page and the client library in Debian's Chromium and Firefox, before the kernel's ruleset:
// the door is shut before and open after, over IPv4 and IPv6, from a file and over https. With the
// newest nft; the page in Chromium with each other nft that knows tokens.
import t, { type Test } from 'tap'
import { portsAt, profileFromUri, tokenAt } from '../../lib/client.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { type Browser, until } from './browser.js'
import { startChromium } from './chromium.js'
import { startFirefox } from './firefox.js'
import { openSite, type Site } from './site.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('chromium', 'firefox-esr', 'openssl', 'nc')
if (!skip) sweep()
/** The oldest one knows no tokens. */
const older = versions.slice(1, -1)
const binary = versions.at(-1)?.path ?? ''
const STATUS = `document.getElementById('status').textContent`

/** Users of each browser: one for each page, one who pastes, one for the library. */
const USERS = 6

const AT = new Date(Date.UTC(2026, 0, 2))
const URI = 'knocklib://h/ssh#token&port=udp/41234&carrier=stun&secret=%C3%A4%2B123456789abcdef'

async function pages(
  t: Test,
  site: Site,
  browser: Browser,
  secrets: string[],
  urls = [site.fileUrl, site.httpsUrl],
): Promise<void> {
  const { house: setup } = site
  const before = await setup.counters()
  await site.requests()
  let opened = 0
  for (const url of urls) {
    for (const family of FAMILIES) {
      const name = `${url(family).replace(/[^:]*\//, '')}, IPv${family}`
      const fragment = `#secret=${encodeURIComponent(secrets.shift() ?? '')}`
      t.equal(await setup.answers(family), false, `${name}: shut before`)
      await browser.open(`${url(family)}${fragment}`)
      await until(browser, `return ${STATUS}.startsWith('Knocked at ${SERVER[family]}.')`)
      t.equal(await setup.answers(family), true, `${name}: open after`)
      opened += 1
      const { grants, wrong } = await setup.counters()
      t.same([grants - before.grants, wrong], [opened, 0], `${name}: grants, wrong`)
      t.equal(await browser.run('return location.hash'), '', 'no secret in the address bar')
      t.match(
        await browser.run(`return document.getElementById('left').textContent`),
        /^Open for (1:00|0:5\d)$/,
      )
      await setup.knock.door('service').close(CLIENT[family])
    }
  }
  const loaded = urls.includes(site.httpsUrl) ? ['/door4.html', '/door6.html'] : []
  t.same(await site.requests(), loaded, 'nothing else is loaded')
}

async function keeping(t: Test, site: Site, browser: Browser, secret: string): Promise<void> {
  const { house: setup } = site
  await browser.open(site.httpsUrl(4))
  await browser.run(`
    document.getElementById('secret').value = ${JSON.stringify(secret)}
    document.getElementById('keep').checked = true
    document.getElementById('form').requestSubmit()`)
  await until(browser, `return ${STATUS}.startsWith('Knocked at')`)
  t.equal(await setup.answers(4), true, 'a pasted secret opens')
  await setup.knock.door('service').close(CLIENT[4])
  await browser.open(site.httpsUrl(4))
  t.same(
    await browser.run(
      `return [localStorage.length, ${STATUS}, document.getElementById('forget').hidden]`,
    ),
    [1, '', false],
    'kept, and it waits for the button',
  )
  await browser.run(`document.getElementById('forget').click()`)
  await browser.open(site.httpsUrl(4))
  t.same(await browser.run(`return [localStorage.length, ${STATUS}]`), [0, ''], 'forgotten')
}

async function library(t: Test, site: Site, browser: Browser, secret: string): Promise<void> {
  await browser.open(site.emptyUrl)
  const run = <Result>(body: string) =>
    browser.run<Result>(`const lib = await import('/client.js'); ${body}`)
  const asked = { secret: 'sixteen bytes, or more', at: AT }
  const given = `{ secret: '${asked.secret}', at: new Date(${AT.getTime()})`
  for (const carrier of ['udp', 'stun', 'dns'] as const) {
    for (const family of FAMILIES) {
      const { bytes, ...token } = await tokenAt({ door: 'ssh', carrier }, { ...asked, family })
      const expected = JSON.parse(JSON.stringify({ ...token, bytes: [...bytes] }))
      const code = `const { bytes, ...token } = await lib.tokenAt(
          { door: 'ssh', carrier: '${carrier}' }, ${given}, family: ${family} })
        return JSON.parse(JSON.stringify({ ...token, bytes: [...bytes] }))`
      t.same(await run(code), expected, `a token of ${carrier}, IPv${family}`)
    }
  }
  const rotation = { door: 'ssh', every: '1h', steps: 4, ports: '20000-60000' } as const
  const code = `return (await lib.portsAt(${JSON.stringify(rotation)}, ${given} })).steps`
  t.same(await run(code), (await portsAt(rotation, asked)).steps, 'ports')
  const profile = await profileFromUri(URI)
  t.same(await run(`return lib.profileFromUri(${JSON.stringify(URI)})`), profile)
  t.equal(await run(`return lib.profileToUri(${JSON.stringify(profile)})`), URI)
  const failing = (body: string) =>
    run<string>(`try { await ${body} } catch (error) { return error.message }`)
  t.match(
    await failing(`lib.profileFromUri('knocklib://h/#steps=tcp/0')`),
    /\/steps\/0: expected tcp/,
  )
  const udp = `{ steps: ['udp/7000'] }`
  t.match(await failing(`lib.sendKnock('192.0.2.1', ${udp})`), /carrier stun alone/)

  const knock = {
    ...{ host: 'server.example', addresses: [SERVER[4], SERVER[6]], door: 'service' },
    token: { port: 'udp/41234', carrier: 'stun', period: '1h', secret },
  }
  t.match(await run(`return lib.sendKnock(undefined, ${JSON.stringify(knock)})`), {
    addresses: [SERVER[4], SERVER[6]],
  })
  for (const family of FAMILIES) {
    t.equal(await site.house.answers(family), true, `sendKnock opens for IPv${family}`)
    await site.house.knock.door('service').close(CLIENT[family])
  }
}

t.test('browsers', { skip }, async (t) => {
  await using site = await openSite(2 * USERS, binary)
  const secrets = [...site.secrets]
  for (const start of [startChromium, startFirefox]) {
    const own = secrets.splice(0, USERS)
    await using browser = await start({ namespace: site.house.pair.client })
    const [pasted = '', sent = ''] = own.splice(-2)
    await t.test(`${browser.name}: each page opens the door`, (t) => pages(t, site, browser, own))
    await t.test(`${browser.name}: keeps and forgets`, (t) => keeping(t, site, browser, pasted))
    await t.test(`${browser.name}: the library`, (t) => library(t, site, browser, sent))
  }
})

for (const { version, path } of older) {
  t.test(`Chromium's page, nft ${version}`, { skip }, async (t) => {
    await using site = await openSite(FAMILIES.length, path)
    await using browser = await startChromium({ namespace: site.house.pair.client })
    await pages(t, site, browser, [...site.secrets], [site.fileUrl])
  })
}
