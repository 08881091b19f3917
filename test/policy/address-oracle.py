"""The oracle of address-oracle.test.ts: Python's ipaddress. One JSON line in, one JSON line out.

Where its words differ from the design's, the design's are put on top, and only these:
 - a zone (fe80::1%eth0) is an address to Python, not to the design;
 - an IPv4-mapped IPv6 address or a mapped range of at least /96 is IPv4 to the design;
 - Python reads netmasks (/255.0.0.0) and leading zeros (/08) after the slash, the design only prefixes.
Versions before 3.9.5 accept leading zeros in octets (CVE-2021-29921) and are refused.
"""

import ipaddress
import json
import re
import sys

if sys.version_info < (3, 9, 5):
    sys.exit("Python 3.9.5 or newer is needed")

PREFIX = re.compile(r"(0|[1-9][0-9]{0,2})\Z")


def address(text):
    if "%" in text or "/" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network(text):
    base, slash, prefix = text.partition("/")
    if "%" in base or (slash and not PREFIX.match(prefix)):
        return None
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if found.version == 6 and found.prefixlen >= 96:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((mapped, found.prefixlen - 96))
    return found


def shown(found):
    if found.prefixlen == found.max_prefixlen:
        return str(found.network_address)
    return str(found)


def code(client, networks):
    if client is None:
        return "missing_client_ip"
    for one in networks:
        if one is not None and one.version == client.version and client in one:
            return "allowed"
    return "ip_not_authorized"


for line in sys.stdin:
    case = json.loads(line)
    if "text" in case:
        found = address(case["text"])
        answer = None if found is None else str(found)
    else:
        networks = [network(text) for text in case["rules"]]
        clients = [address(text) for text in case["ips"]]
        answer = {
            "rules": [None if one is None else shown(one) for one in networks],
            "codes": [code(client, networks) for client in clients],
        }
    sys.stdout.write(json.dumps(answer) + "\n")
