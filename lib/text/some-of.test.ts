// Lists of names in errors → all of them, or twenty and a number.
import t from 'tap'
import { someOf } from './some-of.js'

t.test('the names beyond the twentieth are counted', async (t) => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`)
  t.equal(someOf(['ssh']), 'ssh')
  t.match(someOf(names(20)), /^d0, d1, .*, d18, d19$/)
  t.match(someOf(names(25)), /, d18, d19 and 5 more$/)
})
