#!/usr/bin/env python3
"""document.py TENANTS PORTS [FOREIGN]: a YAML document of TENANTS tenants with five networks of PORTS ports each on
standard output. Every tenant has a router between its networks, so host h1, with one port of each tenant, has to know
them all. FOREIGN networks of one port each, and a tenant of their own for every hundred, are on other hosts alone."""
import sys

tenants, ports = int(sys.argv[1]), int(sys.argv[2])
foreign = int(sys.argv[3]) if len(sys.argv) > 3 else 0
HOSTS = 21

print("apiVersion: weft/v1\nhosts:")
for h in range(1, HOSTS + 1):
    print(f"  h{h}: {{vtep: 192.0.2.{h}}}")
print("tenants:")
for t in range(tenants):
    print(f"  t{t}:\n    networks:")
    for n in range(5):
        print(f"      n{n}: {{vni: {10000 + 5 * t + n}, subnets: [{{cidr: 10.{n}.0.0/16}}]}}")
    print("    routers: {r: {interfaces: [n0, n1, n2, n3, n4]}}")
    print("    securityGroups: {web: {ingress: [{proto: tcp, ports: 443}, {proto: tcp, from: {group: web}}]}}")
    print("    ports:")
    for n in range(5):
        for p in range(ports):
            host = 1 if (n, p) == (0, 0) else 2 + (t + p) % (HOSTS - 1)
            groups = ", groups: [web]" if p < 5 else ""
            print(f"      p{n}-{p}: {{network: n{n}, host: h{host}{groups}}}")
for t in range((foreign + 99) // 100):
    print(f"  f{t}:\n    networks:")
    mine = range(100 * t, min(foreign, 100 * t + 100))
    for n in mine:
        print(f"      n{n}: {{vni: {100000 + n}, subnets: [{{cidr: 10.0.0.0/24}}]}}")
    print("    ports:")
    for n in mine:
        print(f"      p{n}: {{network: n{n}, host: h{2 + n % (HOSTS - 1)}}}")
