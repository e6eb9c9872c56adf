// The constants of netlink and nf_tables (include/uapi/linux/netlink.h, nfnetlink.h, nf_tables.h in
// the kernel).

/** NLMSG_ERROR, which is also an acknowledgement; NLMSG_DONE, the end of a dump; NLMSG_OVERRUN. */
export const MESSAGE = { error: 2, done: 3, overrun: 4 } as const

/** NLM_F_REQUEST, ACK, CREATE and DUMP; in answers NLM_F_DUMP_INTR, CAPPED and ACK_TLVS. */
export const FLAG = {
  request: 0x1,
  ack: 0x4,
  dump: 0x300,
  create: 0x400,
  interrupted: 0x10,
  capped: 0x100,
  hasAttributes: 0x200,
} as const

/** struct nfgenmsg: family, version, and a resource in network byte order. */
export const NFGEN_HEADER = 4

/** NFNL_SUBSYS_NFTABLES and NFNL_SUBSYS_ULOG: the upper half of a message's type. */
export const SUBSYSTEM = { nftables: 10 << 8, ulog: 4 << 8 } as const

/** NFT_MSG_*: the lower half of a message's type. */
export const NFT = {
  newTable: 0,
  deleteTable: 2,
  getSet: 10,
  newElements: 12,
  getElements: 13,
  deleteElements: 14,
  newGeneration: 15,
} as const

/**
 * NFPROTO_INET and NFPROTO_NETDEV. Tables of both families can have the same name; one at ingress
 * is of netdev.
 */
export const NFPROTO = { inet: 1, netdev: 5 } as const

/**
 * NFTA_SET_ELEM_LIST_TABLE, SET and ELEMENTS. In every message the table's name is the first
 * attribute.
 */
export const LIST = { table: 1, set: 2, elements: 3 } as const
/** NFTA_LIST_ELEM. */
export const LIST_ITEM = 1
/** NFTA_SET_ELEM_KEY, DATA, FLAGS, TIMEOUT, EXPIRATION and USERDATA. */
export const ELEMENT = {
  key: 1,
  data: 2,
  flags: 3,
  timeout: 4,
  expiration: 5,
  userdata: 6,
} as const
/** NFTA_DATA_VALUE and NFTA_DATA_VERDICT. */
export const DATA_VALUE = 1
export const DATA_VERDICT = 2
/** NFTA_VERDICT_CODE and CHAIN. */
export const VERDICT = { code: 1, chain: 2 } as const
/** NF_DROP, NF_ACCEPT, NFT_CONTINUE, JUMP, GOTO and RETURN, by nft's names for them. */
export const VERDICT_NAMES: Readonly<Record<number, string>> = {
  0: 'drop',
  1: 'accept',
  [-1]: 'continue',
  [-3]: 'jump',
  [-4]: 'goto',
  [-5]: 'return',
}
/** NFTNL_UDATA_SET_ELEM_COMMENT (libnftnl): what nft keeps in an element's user data. */
export const COMMENT = 0
