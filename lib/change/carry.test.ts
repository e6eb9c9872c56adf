// Elements of a set that is made anew → the elements that the new set takes over.
import t from 'tap'
import { renderCarried } from './carry.js'

const carried = (name: string, elements: Parameters<typeof renderCarried>[2], size?: number) =>
  renderCarried('knock', name, elements, size).flatMap((command) =>
    'add' in command && 'element' in command.add ? command.add.element.elem : [],
  )

const element = (key: string, timeout: number, expires: number) => ({
  key: key.split(' '),
  timeout,
  expires,
})

t.test('the elements that last longest are carried, and none that soon expires', async (t) => {
  const elements = [
    element('192.0.2.1', 30, 5),
    element('192.0.2.2', 30, 0),
    // Renewed by a rule that gives more than it had.
    element('192.0.2.3', 10, 25),
  ]
  const [first, second] = [
    { elem: { val: '192.0.2.3', timeout: 25, expires: 25 } },
    { elem: { val: '192.0.2.1', timeout: 30, expires: 5 } },
  ]
  t.strictSame(carried('grants_ssh_4', elements), [first, second])
  t.strictSame(carried('grants_ssh_4', elements, 1), [first])
  t.strictSame(carried('grants_ssh_4', []), [])
})

t.test('keys of several fields, numbers and elements without a timeout are carried', async (t) => {
  t.strictSame(carried('knocks_4', [element('192.0.2.1 1024 22', 40, 9)]), [
    { elem: { val: { concat: ['192.0.2.1', 1024, 22] }, timeout: 40, expires: 9 } },
  ])
  const stays = { key: ['0'], timeout: undefined, expires: undefined }
  t.strictSame(carried('grants_ssh_0', [stays]), [0])
})

t.test('claims are not carried', async (t) => {
  for (const name of ['lock_ssh_4', 'lock2_ssh_4', 'open2_lock_ssh_0', 'syns_4', 'counted_6']) {
    t.strictSame(carried(name, [element('192.0.2.1', 30, 5)]), [], name)
  }
})
