// The functions of a script for POSIX sh or bash: what sends, and what derives. Text only.

/** Finds the addresses: one a line, of both families. */
export const ADDRESSES = `if command -v getent >/dev/null; then
  addresses=$(getent ahosts "$host" | cut -d ' ' -f 1 | sort -u)
else
  addresses=$host
fi
[ -n "$addresses" ] || { echo "$0: $host has no address" >&2; exit 1; }

# Programs that still wait for an answer end with the script.
waiting=
finish() {
  for pid in $waiting; do kill "$pid" 2>/dev/null; done
}
trap finish EXIT`

/** How a packet is sent: by netcat, or by bash itself. */
interface Sender {
  readonly tcp: string
  /** A shell's word for the end of a pipe that sends one datagram, to $address and $1. */
  readonly datagram: string
}

export const SENDERS: Readonly<Record<'sh' | 'bash', Sender>> = {
  sh: {
    tcp: 'nc -z -w 1 "$address" "$1" >/dev/null 2>&1 &',
    datagram: '| nc -u -w 1 "$address" "$1" >/dev/null 2>&1 &\n    waiting="$waiting $!"',
  },
  bash: {
    tcp: '(exec 3<>"/dev/tcp/$address/$1") 2>/dev/null &',
    datagram: '>"/dev/udp/$address/$1"',
  },
}

/** tcp PORT: a SYN from a port of its own to each address. */
export const tcp = ({ tcp }: Sender): string => `tcp() {
  for address in $addresses; do
    ${tcp}
    waiting="$waiting $!"
  done
}`

/** udp PORT LENGTH: a datagram of so many zeros. */
export const udp = ({ datagram }: Sender): string => `udp() {
  for address in $addresses; do
    printf "%0$2d" 0 ${datagram}
  done
}`

/** icmp LENGTH: an echo request; icmpv6 the same to IPv6 addresses alone. */
export const echo = (name: 'icmp' | 'icmpv6'): string => {
  const only = name === 'icmpv6' ? '    case $address in *:*) ;; *) continue ;; esac\n' : ''
  return `${name}() {
  for address in $addresses; do
${only}    ping -n -c 1 -s "$1" "$address" >/dev/null 2>&1 &
    waiting="$waiting $!"
  done
}`
}

/**
 * HMAC-SHA-256 (RFC 2104) by the shell's own arithmetic: openssl takes its key as an argument,
 * which every user of the machine can read while it runs.
 */
export const HMAC = `[ -r "$secret" ] || { echo "$0: $secret: cannot be read" >&2; exit 1; }

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else openssl dgst -sha256 -r; fi |
    cut -c 1-64
}

# octal DIGITS N: hex digits, each byte XOR N, as printf takes them. The shell does it itself: the
# arguments of a program can be read in the process list, and a secret is among them.
octal() {
  left=$1 done=
  while [ -n "$left" ]; do
    byte=$((0x\${left%"\${left#??}"} ^ $2))
    left=\${left#??}
    done="$done\\\\0$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
  done
  printf %s "$done"
}

# hmac TEXT: HMAC-SHA-256 with the secret, as 64 hex digits.
hmac() {
  inner=$({ printf %b "$(octal "$key" 54)"; printf %s "$1"; } | sha256)
  { printf %b "$(octal "$key" 92)"; printf %b "$(octal "$inner" 0)"; } | sha256
}

# A newline at its end is not part of the secret; a long one stands in by its hash.
key=$(od -An -v -tx1 <"$secret" | tr -d ' \\n')
key=\${key%0a}
if [ \${#key} -gt 128 ]; then key=$(printf %b "$(octal "$key" 0)" | sha256); fi
while [ \${#key} -lt 128 ]; do key=\${key}00; done`

/** token PORT: the half of $digits that an address's family takes, as its carrier shows it. */
export const token = ({ datagram }: Sender, payload: string): string => `token() {
  for address in $addresses; do
    case $address in
      *:*) half=\${digits#????????????????????????????????} ;;
      *) half=\${digits%????????????????????????????????} ;;
    esac
    ${payload} ${datagram}
  done
}`

/** letters DIGITS GROUP BITS ALPHABET: hex digits in base 64 or 32. */
export const LETTERS = `letters() {
  left=$1 done=
  while [ -n "$left" ]; do
    group=$(printf "%.$2s" "$left")
    number=$((0x$group))
    left=\${left#"$group"}
    shift_by=$((4 * $2))
    while [ "$shift_by" -gt 0 ]; do
      shift_by=$((shift_by - $3))
      index=$((number >> shift_by & (1 << $3) - 1))
      tail=$4
      while [ "$index" -gt 0 ]; do tail=\${tail#?} index=$((index - 1)); done
      done=$done\${tail%"\${tail#?}"}
    done
  done
  printf %s "$done"
}`
