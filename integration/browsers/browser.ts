// What the tests do with a browser, whichever it is: open a page, run code in it, look at it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Browser extends AsyncDisposable {
  readonly name: string
  /** Opens a page anew; resolves when it is loaded. */
  open(url: string): Promise<void>
  /**
   * Runs the body of an async function in the page.
   *
   * @returns what it returns, as JSON.
   * @throws Error with what it threw.
   */
  run<Result>(body: string): Promise<Result>
  /** Takes a picture: a PNG file's bytes. */
  picture(): Promise<Buffer>
}

export interface BrowserOptions {
  /** The namespace that it runs in. */
  readonly namespace: string
  readonly width?: number
  readonly height?: number
  /** What the device asks pages to look like. */
  readonly scheme?: 'light' | 'dark'
}

/** A folder for a browser's profile and home. */
export const makeHome = (): Promise<string> => mkdtemp(join(tmpdir(), 'knocklib-browser-'))

/** Removes it; the browser may still be writing. */
export const removeHome = (home: string): Promise<void> =>
  rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })

/** Waits until the body of a function in the page returns what is true. */
export async function until(browser: Browser, body: string): Promise<void> {
  const code = `
    const end = Date.now() + 20000
    const holds = async () => { ${body} }
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(document.body.innerText)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return true`
  await browser.run(code)
}
