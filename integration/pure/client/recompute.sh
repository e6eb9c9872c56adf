#!/bin/sh
# Lines of inputs on standard input -> lines of what openssl and coreutils make of them:
#
#   token SECRET TEXT                       the six texts of both families
#   rotation SECRET TEXT PROTOCOL STEPS FROM TO   the sequence
#   datagram TOKEN ID                       the three payloads
#
# Fields are separated by a bar. Secrets, tokens and identifiers are hex digits.
set -eu

# Each sets a variable in place of writing: one process less for each call.
hmac() {
  digits=$(printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1")
  digits=${digits##* }
}
upper() { big=$(printf %s "$1" | tr a-f A-F); }
hex() { basenc --base16 -w0 | tr A-F a-f; }
# Of 32 upper-case digits: the first 12 bytes in base64, and the first 10 in base32.
stun() { printf '%.24s' "$1" | basenc --base16 -d | openssl base64 -A; }
dns() { printf '%.20s' "$1" | basenc --base16 -d | basenc --base32 -w0 | tr A-Z a-z; }

while IFS='|' read -r kind first second protocol steps from to; do
  case $kind in
    token)
      hmac "$first" "$second"
      upper "$digits"
      second=${digits#????????????????????????????????}
      big_second=${big#????????????????????????????????}
      line="${digits%"$second"} $(stun "$big") $(dns "$big")"
      echo "$line $second $(stun "$big_second") $(dns "$big_second")"
      ;;
    rotation)
      hmac "$first" "$second"
      line=
      while [ "$steps" -gt 0 ]; do
        rest=${digits#????????}
        line="$line $protocol/$((from + 0x${digits%"$rest"} % (to - from + 1)))"
        digits=$rest
        steps=$((steps - 1))
      done
      echo "${line# }"
      ;;
    datagram)
      upper "$first"
      user="$(stun "$big" | hex)3a6b6e636b000000"
      label=$(dns "$big" | hex)
      query="$(printf '%.4s' "$second")00000001000000000000"
      echo "$first 0001001c2112a442${second}00060015$user ${query}10${label}0000010001"
      ;;
  esac
done
