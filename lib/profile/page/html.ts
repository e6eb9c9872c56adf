// What a page knows of its door, and its script → the page: one HTML file that loads nothing. Pure.
import { createHash } from 'node:crypto'
import type { PageSettings } from '../../client/page/settings.js'
import { TEXTS } from '../../client/page/texts.js'
import { STYLE } from './style.js'

/**
 * Writes the page. Its policy (W3C, Content Security Policy Level 3) lets its own script and style
 * run, and nothing else; nothing is loaded.
 *
 * @param script - an ES module that imports nothing.
 */
export function renderPage(settings: PageSettings, script: string): string {
  const { host, door } = settings
  const code = `\n${script.trim()}\n`
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(code)}'`,
    `style-src '${hashOf(STYLE)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Open ${html(door)}: ${html(host)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Open ${html(door)}</h1>
<p class="host">${html(host)}</p>
<noscript><p>This page knocks by its script. Allow JavaScript for it.</p></noscript>
<form id="form">
<label for="secret">Secret</label>
<input id="secret" type="password" autocomplete="off" autocapitalize="off" spellcheck="false"
 aria-describedby="hint">
<p id="hint" class="hint">${TEXTS.none}</p>
<label id="keeping" class="check" hidden>\
<input id="keep" type="checkbox">Keep it on this device</label>
<div class="buttons">
<button id="knock" type="submit">Knock</button>
<button id="scan" type="button" hidden>${TEXTS.scan}</button>
<button id="forget" type="button" hidden>Forget the secret</button>
</div>
<video id="camera" muted playsinline hidden aria-label="What the camera sees"></video>
</form>
<p id="status" class="status" role="status" aria-live="polite"></p>
<section id="result" class="result" aria-label="The open door" hidden>
<p id="left" class="left" role="timer" aria-live="off"></p>
<p id="service" hidden></p>
<a id="link" class="go" rel="noreferrer" hidden></a>
</section>
<details>
<summary>It does not open</summary>
<ul>
<li>The secret: is it the one of ${html(door)}?</li>
<li>The clock: this device has <b id="clock"></b>. Most doors allow it to be wrong by
 ${settings.period} s. Set it by the network.</li>
<li>A VPN or a proxy: the door opens for the address that the knock comes from. Knock by the same
 way as you connect.</li>
<li>A token works once. After ${settings.period} s there is another one.</li>
<li>Settings, extensions and policies can keep a browser from WebRTC. Try another browser.</li>
</ul>
</details>
</main>
<script id="settings" type="application/json">${dataOf(settings)}</script>
<script type="module">${code}</script>
</body>
</html>
`
}

const hashOf = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`

const html = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/** JSON in which no tag begins. */
const dataOf = (settings: PageSettings): string =>
  JSON.stringify(settings).replaceAll('<', '\\u003c')
