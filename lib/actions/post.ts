// A URL and a document → the document was sent there, by POST. Uses Node's fetch.
import { ENDED } from './told.js'

/**
 * Sends a JSON document. The answer's body is not read.
 *
 * @returns undefined if the answer is a success, otherwise why not, without the URL: its path may
 * be a secret.
 */
export async function postDocument(
  url: string,
  document: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { status, body } = await fetch(url, {
      method: 'POST',
      // A connection that waits for hours between two events may be closed just as it is used.
      headers: {
        ...{ 'content-type': 'application/json', 'user-agent': 'knocklib' },
        connection: 'close',
      },
      body: document,
      // Following would repeat the event at a place that the spec does not name.
      redirect: 'manual',
      signal,
    })
    await body?.cancel()
    if (status >= 400) return `the server answered ${status}`
    return status >= 300 ? `the server answered ${status}: redirects are not followed` : undefined
  } catch (error) {
    if (signal.aborted) return ENDED
    return `cannot be sent (${codeOf(error)})`
  }
}

/** The code of a failed fetch is its cause's; one for several addresses has an error for each. */
function codeOf(error: unknown): string {
  const cause = (error as Error).cause as
    | (NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] })
    | undefined
  return cause?.code ?? cause?.errors?.[0]?.code ?? cause?.message ?? (error as Error).name
}
