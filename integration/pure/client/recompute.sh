#!/bin/sh
# Lines of inputs on standard input -> lines of what openssl and coreutils make of them:
#
#   token SECRET TEXT                       the six texts of both families
#   rotation SECRET TEXT PROTOCOL STEPS FROM TO   the sequence
#   datagram TOKEN ID                       the three payloads
#
# Fields are separated by a bar. Secrets, tokens and identifiers are hex digits.
set -eu

hmac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" | sed 's/.* //'; }
bytes() { printf %s "$1" | tr a-f A-F | basenc --base16 -d; }
hex() { basenc --base16 -w0 | tr A-F a-f; }
stun() { bytes "$1" | head -c12 | openssl base64 -A; }
dns() { bytes "$1" | head -c10 | basenc --base32 -w0 | tr A-Z a-z; }

while IFS='|' read -r kind first second protocol steps from to; do
  case $kind in
    token)
      digits=$(hmac "$first" "$second")
      line=
      for half in $(printf '%.32s' "$digits") "${digits#????????????????????????????????}"; do
        line="$line $half $(stun "$half") $(dns "$half")"
      done
      echo "${line# }"
      ;;
    rotation)
      digits=$(hmac "$first" "$second")
      line=
      for step in $(seq "$steps"); do
        word=$(echo "$digits" | cut -c"$((8 * step - 7))-$((8 * step))")
        line="$line $protocol/$((from + 0x$word % (to - from + 1)))"
      done
      echo "${line# }"
      ;;
    datagram)
      user="$(stun "$first" | hex)3a6b6e636b000000"
      label=$(dns "$first" | hex)
      query="$(printf '%.4s' "$second")00000001000000000000"
      echo "$first 0001001c2112a442${second}00060015$user ${query}10${label}0000010001"
      ;;
  esac
done
