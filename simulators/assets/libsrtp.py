"""Encrypts or decrypts packets with libsrtp, an implementation of RFC 3711 that shares no code with this project.

stdin: one JSON document {"direction": "protect" | "unprotect", "protocol": "srtp" | "srtcp", "key": hex of the 30 octets
of the SDES key, "packets": [hex, ...]}. stdout: one JSON list with the hex of each result, or {"error": text} in its place.
The key comes by stdin because arguments are visible to every user of the machine.
"""
import json
import sys

from pylibsrtp import Error, Policy, Session

job = json.load(sys.stdin)
outbound = job["direction"] == "protect"
policy = Policy(
    key=bytes.fromhex(job["key"]),
    ssrc_type=Policy.SSRC_ANY_OUTBOUND if outbound else Policy.SSRC_ANY_INBOUND,
)
session = Session(policy=policy)
name = job["direction"] + ("_rtcp" if job["protocol"] == "srtcp" else "")
convert = getattr(session, name)

results = []
for packet in job["packets"]:
    try:
        results.append(convert(bytes.fromhex(packet)).hex())
    except Error as error:
        results.append({"error": str(error)})
json.dump(results, sys.stdout)
