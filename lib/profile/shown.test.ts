// Formats that are shown to people and browsers: a URI, a QR code, a page.
import { createHash } from 'node:crypto'
import t from 'tap'
import { profileFromUri } from '../client/uri.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { type FormatContext, formatOf } from './formats.js'
import { drawCode, matrixOf, svgOf } from './qr.js'

const SECRET = 'sixteen bytes, "more" & </script>'
const secret = new TextEncoder().encode(SECRET)
const token = { port: 'udp/41234', carrier: 'stun', secretFile: 'ana.key' } as const
const profile: KnockProfile = { host: 'server.example', door: 'ssh', port: 22, for: '10m', token }

const write = (format: string, parts: Partial<FormatContext> = {}, document = profile) =>
  formatOf(format).write(document, { name: 'server', ...parts })

t.test('a URI has the secret in place of its file', async (t) => {
  const text = (await write('uri', { secret })).trim()
  const { secretFile: _, ...others } = token
  t.same(await profileFromUri(text), { ...profile, token: { ...others, secret: SECRET } })
  const page = 'https://a.example/door.html'
  const link = `${page}#secret=${encodeURIComponent(SECRET)}`
  t.equal(await write('uri', { secret, page }), `${link}\n`)
  t.equal(
    await write('uri', { page }, await profileFromUri(text)),
    `${link}\n`,
    'the page link can be made from a URI',
  )
  t.equal(await write('uri', {}, await profileFromUri(text)), `${text}\n`)
  const steps = { host: 'h', steps: ['tcp/1'] }
  t.equal(await write('uri', {}, steps), 'knocklib://h/#steps=tcp/1\n')
  await t.rejects(async () => write('uri', { page }, steps), {
    message: /a knock that has a secret/,
  })
  const wrong = 'javascript:alert(1)'
  await t.rejects(async () => write('uri', { secret, page: wrong }), { message: /URL of a page/ })
  const bytes = { secret: Uint8Array.from({ length: 16 }, () => 255) }
  await t.rejects(async () => write('uri', bytes), { message: /text in UTF-8.*got other bytes/ })
})

t.test('a QR code is drawn on a terminal, or into a file', async (t) => {
  const shown = await write('qr', { secret, columns: 80 })
  const rows = await matrixOf((await write('uri', { secret })).trim())
  t.equal(shown, drawCode(rows))
  for (const line of shown.trimEnd().split('\n')) {
    t.match(line, new RegExp(`^\u001b\\[30;107m[ █▀▄]{${rows.length}}\u001b\\[0m$`))
  }
  t.equal(await write('qr', { secret, columns: 80, isFile: true }), svgOf(rows))
  const wanted: [Partial<FormatContext>, RegExp][] = [
    [{}, /expected a terminal .* or --output FILE/],
    [{ columns: 40 }, /a terminal of at least \d+ columns, .* got 40 columns/],
    [{ isFile: true, page: `https://a.example/${'x'.repeat(600)}` }, /at most 600 bytes/],
  ]
  for (const [parts, message] of wanted) {
    await t.rejects(async () => write('qr', { secret, ...parts }), { message })
  }
})

const addressed = { ...profile, addresses: ['203.0.113.9', '2001:db8::9'] }
const script = 'window.knocks = "here"'

t.test('the page is complete, without a secret, and runs no other script', async (t) => {
  const link = "https://in.example/?a='b"
  const html = await write('page', { secret, script, link }, addressed)
  t.notMatch(html, /sixteen|ana\.key|secret=/)
  const settings = /<script id="settings" type="application\/json">(.*)<\/script>/.exec(html)?.[1]
  t.same(JSON.parse(settings ?? ''), {
    host: 'server.example',
    door: 'ssh',
    addresses: ['203.0.113.9', '2001:db8::9'],
    knockPort: 41234,
    period: 30,
    port: 22,
    lasts: 600,
    link,
  })
  const hash = (tag: RegExp) => {
    const content = tag.exec(html)?.[1] ?? ''
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
  }
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.split('; ')
  t.same(policy, [
    "default-src 'none'",
    `script-src ${hash(/<script type="module">([\s\S]*)<\/script>/)}`,
    `style-src ${hash(/<style>([\s\S]*)<\/style>/)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ])
  t.notMatch(html.replace(link, ''), /https?:|src=|@import|url\(/, 'the page loads nothing')
})

t.test('a profile that no browser can send is refused', async (t) => {
  const refused: [KnockProfile, Partial<FormatContext>, RegExp][] = [
    [{ host: 'h', steps: [1] }, {}, /expected a token with carrier stun, got steps/],
    [{ ...profile, token: { ...token, carrier: 'udp' } }, {}, /carrier stun, got carrier udp/],
    [
      { ...profile, token: { ...token, port: 'udp/6000' } },
      {},
      /Chromium and Firefox never send to udp\/6000: take another port/,
    ],
    [addressed, { link: 'javascript:alert(1)' }, /--link: expected an http or https URL/],
  ]
  for (const [document, parts, message] of refused) {
    await t.rejects(async () => write('page', { script, ...parts }, document), { message })
  }
})
