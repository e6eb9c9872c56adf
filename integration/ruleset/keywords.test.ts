// Each word that must not name a table, and similar words that may → the same answer by every nft.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { KEYWORDS } from '../../lib/spec/model/keywords.js'
import { createPair, exec } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'

const { versions, skip } = await versionsOrSkip()

/** The other words of nft's scanners, which may name a table. */
const FREE =
  `abort ackseq addr alert amanda any are asconf at audit auto avgpkt broute burst bypass bytes
  cfi cgroupv2 check checksum chunk class classid clear code conntrack cpi crit csum csumcov cwr
  daddr data debug dei direction doff dport dscp echo ecne egress emerg eol err error erspan
  event expectation expiration fanout fastopen filter fin flowlabel gateway gbp group has hash
  hdrlength heartbeat helper helpers hlen hoplimit htype ibrhwaddr ibrpvid ibrvproto icmpx id
  iifkind in inc info ingress init inner input integer invalid json kbytes kind l3proto l4proto
  label last left length level ll loose lsrr maxseg mbytes md5sig memory minute mod mptcp mrt
  mss mtu name nat netlink never nexthdr nexthop nfproto nft_ nh noop nop notice num offset
  oifkind operation option options original out output over packets path pcp performance
  persistent plen port postrouting ppid prefix prerouting proto protocol ptr ptype ra rate reply
  reqid reserved reserved2 right route rr rst sack sack0 sack1 sack2 sack3 saddr sdif sdifname
  second secpath seed seq seqno sequence shutdown sid skip snaplen spi spnum sport ssn ssrr
  state status stp stream subtype syn taddr tag timeouts timestamp to tos trace transparent
  tsecr tsn tsval ttl until urg urgptr used value version vm vtag warn week wildcard window
  wscale xfrm xml year zone`.split(/\s+/)

/** The words that one process checks. */
const CHUNK = 16

t.test('the keywords are those of nft', { skip }, async (t) => {
  await using pair = await createPair()
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'words.nft')
  /** Lets nft check a script. Returns its errors; empty if there are none. */
  const check = async (nft: string, script: string): Promise<string> => {
    await writeFile(file, script)
    return (await exec(pair.server, nft, ['-c', '-f', file])).stderr
  }

  await t.test('nft refuses each keyword as a name', async (t) => {
    for (const word of KEYWORDS) {
      const answers: string[] = []
      for (const { path } of versions) {
        answers.push(await check(path, `table inet ${word} {\n}\n`))
        answers.push(await check(path, `list table inet ${word}\n`))
        if (answers.some((answer) => answer.includes('syntax error'))) break
      }
      t.ok(
        answers.some((answer) => answer.includes('syntax error')),
        word,
      )
    }
  })

  await t.test('nft accepts other words as names', async (t) => {
    const lists = FREE.map((word) => `list table inet ${word}\n`).join('')
    const uses = (word: string) => {
      const table = `table inet ${word}`
      return `add ${table}\ndelete ${table}\n\n${table} {\n}\n`
    }
    for (const { version, path } of versions) {
      const answers: string[] = []
      for (let from = 0; from < FREE.length; from += CHUNK) {
        const words = FREE.slice(from, from + CHUNK)
        if ((await check(path, words.map(uses).join(''))) === '') continue
        // A word can change how nft's scanner reads the next, so each word is checked alone.
        for (const word of words) answers.push(await check(path, uses(word)))
      }
      t.equal(answers.join(''), '', `tables, nft ${version}`)
      t.notMatch(await check(path, lists), /syntax error/, `lists, nft ${version}`)
    }
  })
})
