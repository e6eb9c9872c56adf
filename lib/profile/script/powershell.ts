// A script's plan → a script for PowerShell, on Windows, macOS and Linux. Pure.
import type { Carrier } from '../../spec/derive/carrier.js'
import { BASE32, BASE64 } from '../../spec/derive/carrier.js'
import type { ScriptPacket, ScriptPlan } from './plan.js'

/**
 * Writes a script that knocks at all addresses of the host, and ends when a connection is in time.
 * It needs nothing but .NET: Windows PowerShell 5.1 or PowerShell 7.
 */
export function writePowerShell(plan: ScriptPlan): string {
  const parts = [
    headerOf(plan),
    addressesOf(plan),
    ...functionsOf(plan),
    bodyOf(plan),
    `Start-Sleep -Milliseconds ${plan.rest}\n$sockets | ForEach-Object { $_.Dispose() }`,
  ]
  return `${parts.join('\n\n')}\n`
}

/** A text of PowerShell that means itself. */
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

function headerOf({ host, door, token, rotation }: ScriptPlan): string {
  const what = door === undefined ? '' : `, the door ${door}`
  const derived = token ?? rotation
  const path = derived && fileOf(derived.secretFile)
  return [
    `# Knocks at ${host}${what}. Made by knocklib profile.`,
    '# It ends when a connection is in time. For Windows PowerShell 5.1 and PowerShell 7.',
    ...(path === undefined
      ? ['# Whoever can read this file can knock.']
      : ['# The secret stands in a file of its own, beside this one or as named.']),
    'param(',
    `  [string] $HostName = ${quote(host)}${path === undefined ? '' : ','}`,
    ...(path === undefined ? [] : [`  [string] $SecretFile = ${path}`]),
    ')',
    "$ErrorActionPreference = 'Stop'",
  ].join('\n')
}

const isAbsolute = (path: string): boolean => /^(\/|[A-Za-z]:[\\/])/.test(path)

/** A path that is not absolute starts at the script's folder. */
const fileOf = (path: string): string =>
  isAbsolute(path) ? quote(path) : `(Join-Path $PSScriptRoot ${quote(path)})`

function addressesOf({ packets = [] }: ScriptPlan): string {
  const only = packets.some(({ protocol }) => protocol === 'icmpv6')
    ? " |\n  Where-Object { $_.AddressFamily -eq 'InterNetworkV6' }"
    : ''
  return `$addresses = @([System.Net.Dns]::GetHostAddresses($HostName)${only})
$sockets = New-Object System.Collections.ArrayList`
}

function functionsOf({ packets = [], token, rotation }: ScriptPlan): string[] {
  const protocols = new Set(packets.map(({ protocol }) => protocol))
  if (rotation) protocols.add(rotation.knock.protocol)
  const [isUdp, isEcho] = [protocols.has('udp'), protocols.has('icmp') || protocols.has('icmpv6')]
  const carrier = token?.knock.carrier
  return [
    ...(protocols.has('tcp') ? [TCP] : []),
    ...(isUdp || token ? [DATAGRAM] : []),
    ...(isEcho ? [ECHO] : []),
    ...(token || rotation ? [DIGEST] : []),
    ...(carrier && carrier !== 'udp' ? [LETTERS] : []),
  ]
}

const TCP = `# A SYN from a port of its own to each address; nobody waits for an answer.
function Send-Syn([int] $Port) {
  foreach ($address in $addresses) {
    $socket = New-Object System.Net.Sockets.Socket($address.AddressFamily, 'Stream', 'Tcp')
    [void] $sockets.Add($socket)
    try { [void] $socket.BeginConnect($address, $Port, $null, $null) } catch { Write-Verbose "$_" }
  }
}`

const DATAGRAM = `function Send-Datagram($Address, [int] $Port, [byte[]] $Payload) {
  $socket = New-Object System.Net.Sockets.Socket($Address.AddressFamily, 'Dgram', 'Udp')
  [void] $sockets.Add($socket)
  $end = New-Object System.Net.IPEndPoint($Address, $Port)
  try { [void] $socket.SendTo($Payload, $end) } catch { Write-Verbose "$_" }
}`

const ECHO = `# An echo request to each address; nobody waits for an answer.
function Send-Echo([int] $Length) {
  foreach ($address in $addresses) {
    $ping = New-Object System.Net.NetworkInformation.Ping
    [void] $sockets.Add($ping)
    [void] $ping.SendPingAsync($address, 1000, [byte[]]::new($Length))
  }
}`

const DIGEST = `\
# HMAC-SHA-256 of a text; a newline at the end of the file is not part of the secret.
function Get-Digest([string] $Text) {
  $key = [System.IO.File]::ReadAllBytes((Resolve-Path -LiteralPath $SecretFile).ProviderPath)
  $length = $key.Length
  if ($length -gt 0 -and $key[$length - 1] -eq 10) { $length = $length - 1 }
  $secret = [byte[]]::new($length)
  [System.Array]::Copy($key, $secret, $length)
  $hmac = New-Object System.Security.Cryptography.HMACSHA256
  $hmac.Key = $secret
  return ,$hmac.ComputeHash([System.Text.Encoding]::ASCII.GetBytes($Text))
}

$now = [System.DateTimeOffset]::UtcNow.ToUnixTimeSeconds()`

const LETTERS = `# Bytes in base 64 or 32, $Bits bits a character.
function Get-Letters([byte[]] $Bytes, [int] $Bits, [string] $Alphabet) {
  $digits = -join ($Bytes | ForEach-Object { [System.Convert]::ToString($_, 2).PadLeft(8, '0') })
  $text = ''
  for ($at = 0; $at -lt $digits.Length; $at += $Bits) {
    $text += $Alphabet[[System.Convert]::ToInt32($digits.Substring($at, $Bits), 2)]
  }
  return $text
}`

/** What makes $payload of $half, the 16 bytes of a token. */
const PAYLOADS: Readonly<Record<Carrier, string>> = {
  udp: '$payload = $half',
  stun: `$text = (Get-Letters $half[0..11] 6 '${BASE64}') + ':knck'
  $id = [System.Guid]::NewGuid().ToByteArray()[0..11]
  $payload = [byte[]] (@(0, 1, 0, 28, 33, 18, 164, 66) + $id + @(0, 6, 0, 21) +
    [System.Text.Encoding]::ASCII.GetBytes($text) + @(0, 0, 0))`,
  dns: `$text = Get-Letters $half[0..9] 5 '${BASE32}'
  $id = [System.Guid]::NewGuid().ToByteArray()[0..1]
  $payload = [byte[]] ($id + @(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 16) +
    [System.Text.Encoding]::ASCII.GetBytes($text) + @(0, 0, 1, 0, 1))`,
}

function bodyOf({ packets = [], token, rotation, gap }: ScriptPlan): string {
  if (token) {
    const { seed, period, knock } = token
    return `$number = [long] [System.Math]::Floor($now / ${period})
$digest = Get-Digest "${seed}$number"
foreach ($address in $addresses) {
  $from = if ($address.AddressFamily -eq 'InterNetworkV6') { 16 } else { 0 }
  [byte[]] $half = $digest[$from..($from + 15)]
  ${PAYLOADS[knock.carrier]}
  Send-Datagram $address ${knock.port} $payload
}`
  }
  if (!rotation) return packets.map(linesOf).join('\n')
  const { seed, period, knock } = rotation
  const { length, protocol, ports } = knock
  const takes = Math.ceil((length * gap) / 1000) + 1
  const send =
    protocol === 'tcp'
      ? 'Send-Syn $port'
      : 'foreach ($address in $addresses) { Send-Datagram $address $port ([byte[]] @(48)) }'
  return `$number = [long] [System.Math]::Floor($now / ${period})
$left = ($number + 1) * ${period} - $now
# A sequence must end in its period.
if ($left -lt ${takes}) {
  Start-Sleep -Seconds ($left + 1)
  $number = $number + 1
}
$digest = Get-Digest "${seed}$number"
for ($step = 0; $step -lt ${length}; $step++) {
  $part = [long] 0
  foreach ($byte in $digest[(4 * $step)..(4 * $step + 3)]) { $part = $part * 256 + $byte }
  $port = ${ports.from} + $part % ${ports.to - ports.from + 1}
  ${send}
  Start-Sleep -Milliseconds ${gap}
}`
}

function linesOf({ protocol, port, length, pause }: ScriptPacket): string {
  const before = pause > 0 ? `Start-Sleep -Milliseconds ${pause}\n` : ''
  if (protocol === 'tcp') return `${before}Send-Syn ${port}`
  if (protocol !== 'udp') return `${before}Send-Echo ${length}`
  const payload = `([byte[]]::new(${length}))`
  return `${before}foreach ($address in $addresses) { Send-Datagram $address ${port} ${payload} }`
}
