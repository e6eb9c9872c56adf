// A URI's fragment, `key=value&flag` → its items in order, and back. Pure.

/** A key and its value; a key alone has the value undefined. */
export type Item = readonly [key: string, value: string | undefined]

/**
 * Splits a fragment; keys and values are decoded (RFC 3986, section 2.1).
 *
 * @param fail - is told what is wrong, and throws.
 */
export function splitFragment(fragment: string, fail: (reason: string) => never): Item[] {
  const items = fragment.split('&').map((part): Item => {
    const [key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(part)?.slice(1) ?? []
    if (key === '') fail(`expected KEY=VALUE, got ${part === '' ? 'nothing' : 'no key'}`)
    if (value === '') fail(`${key}: expected a value, got nothing`)
    return [decode(key, fail), value === undefined ? undefined : decode(value, fail)]
  })
  const keys = items.map(([key]) => key)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) fail(`${twice}: expected one value, got two`)
  return items
}

/** Decodes a part of a URI. An error does not echo it: it may be the secret. */
export function decode(text: string, fail: (reason: string) => never): string {
  if (/[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]/.test(text)) {
    fail('expected ASCII characters of a URI, the others as %XX')
  }
  try {
    return decodeURIComponent(text)
  } catch {
    return fail('expected % to begin the bytes of UTF-8 text')
  }
}

/** Joins items as `splitFragment` reads them. */
export const joinFragment = (items: readonly Item[]): string =>
  items.map(([key, value]) => (value === undefined ? key : `${key}=${encode(value)}`)).join('&')

/** Encodes all but what is common in values and means nothing in a fragment. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(2C|2F|3A|3D)/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
