# The inputs of schemas/vectors.json on standard input -> the same document, made anew from
# docs/protocol.md with Python's own library alone.
import base64
import hashlib
import hmac
import json
import struct
import sys


def digest(secret, text):
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).digest()


def stun_text(token):
    return base64.b64encode(token[:12]).decode()


def dns_text(token):
    return base64.b32encode(token[:10]).decode().lower()


def carried(token):
    return {'udp': token.hex(), 'stun': stun_text(token), 'dns': dns_text(token)}


def token(vector):
    number = vector['time'] // vector['period']
    text = f"knocklib/1 {vector['door']} {number}"
    made = digest(vector['secret'], text)
    halves = {'ipv4': carried(made[:16]), 'ipv6': carried(made[16:])}
    return {**vector, 'number': number, 'text': text, **halves}


def rotation(vector):
    number = vector['time'] // vector['every']
    text = f"knocklib/1 rotate {vector['door']} {number}"
    size = vector['to'] - vector['from'] + 1
    words = struct.unpack('>8I', digest(vector['secret'], text))
    ports = [vector['from'] + word % size for word in words[:vector['steps']]]
    sequence = [f"{vector['protocol']}/{port}" for port in ports]
    return {**vector, 'number': number, 'text': text, 'sequence': sequence}


def datagram(vector):
    made, key = bytes.fromhex(vector['token']), bytes.fromhex(vector['id'])
    user = f'{stun_text(made)}:knck'.encode()
    attribute = struct.pack('>HH', 0x0006, len(user)) + user + bytes(-len(user) % 4)
    stun = struct.pack('>HHI', 0x0001, len(attribute), 0x2112A442) + key + attribute
    label = dns_text(made).encode()
    question = bytes([len(label)]) + label + struct.pack('>BHH', 0, 1, 1)
    dns = key[:2] + struct.pack('>HHHHH', 0, 1, 0, 0, 0) + question
    return {**vector, 'udp': made.hex(), 'stun': stun.hex(), 'dns': dns.hex()}


def secret_file(vector):
    content = bytes.fromhex(vector['file'])
    secret = content[:-1] if content.endswith(b'\n') else content
    return {**vector, 'secret': secret.hex() if len(secret) >= 16 else None}


MAKERS = {'secretFiles': secret_file, 'tokens': token, 'rotations': rotation, 'datagrams': datagram}
given = json.load(sys.stdin)
json.dump({key: [make(one) for one in given[key]] for key, make in MAKERS.items()}, sys.stdout)
