# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: what is sent, which flows are installed, what it is held against."""

# the tunnel of those rows: ours and the fabric's end, the port it is on the bridge
VTEPS = ("172.31.0.1", "172.31.0.2")
VTEP_MACS = ("02:00:00:00:00:fe", "02:00:00:00:00:fd")
VNI, TUNNEL_OFPORT = 42, 6

TWELVE_TABLES = [
    # classify, port security, ACL, L2, L3, ACL, output; flow f of weft-pktgen is 10.0.0.0 + f to 172.16.0.1
    "table=0,priority=10,in_port=1,actions=set_field:1->metadata,goto_table:1",
    "table=0,priority=10,in_port=2,actions=output:1",
    "table=1,priority=10,in_port=1,dl_src=02:00:00:00:00:01,actions=goto_table:2",
    "table=2,priority=10,in_port=1,ip,nw_src=10.0.0.0/8,actions=goto_table:3",
    "table=3,priority=20,tcp,tp_dst=22,actions=drop",
    "table=3,priority=20,udp,tp_dst=161,actions=drop",
    "table=3,priority=10,udp,actions=goto_table:4",
    "table=4,priority=10,metadata=1,actions=goto_table:5",
    "table=5,priority=10,dl_dst=02:00:00:00:00:02,actions=goto_table:6",
    "table=6,priority=20,ip,nw_dst=172.17.0.0/16,actions=drop",
    # hosts and ports that are refused: no two flows look alike to this table
    *("table=6,priority=%d,udp,nw_src=10.%d.%d.%d,tp_src=%d,actions=drop" %
      (30 + i % 2, 128 + i * 7 % 128, i * 31 % 256, i * 57 % 256, 60000 + i) for i in range(200)),
    "table=6,priority=10,ip,nw_dst=172.16.0.0/16,actions=goto_table:7",
    "table=7,priority=10,ip,actions=dec_ttl,goto_table:8",
    "table=8,priority=20,udp,tp_src=53,actions=drop",
    "table=8,priority=10,ip,actions=goto_table:9",
    "table=9,priority=10,udp,tp_dst=2000,actions=goto_table:10",
    "table=10,priority=10,metadata=1,actions=goto_table:11",
    "table=11,priority=10,dl_dst=02:00:00:00:00:02,actions=output:2",
]


def address(f):
    return "10.%d.%d.%d" % (f >> 16 & 255, f >> 8 & 255, f & 255)


def five_tuples(n, rest="drop", come=1, go=2):
    """From port `come` to port `go` one rule for each of the flows 0..n-1; `rest` for what is none of them."""
    yield "priority=1,in_port=%d,actions=%s" % (come, rest)
    yield "priority=1,in_port=%d,actions=output:%d" % (go, come)
    for f in range(n):
        yield ("priority=100,in_port=%d,udp,nw_src=%s,nw_dst=172.16.0.1,tp_src=%d,tp_dst=2000,actions=output:%d" %
               (come, address(f), 1024 + f % 32768, go))


def masks(n):
    """n different masks with ten rules each that no packet matches whole, and one flow that takes all."""
    yield "priority=1,in_port=1,actions=output:2"
    yield "priority=1,in_port=2,actions=output:1"
    for m in range(n):
        prefix, bits = 15 + m % 10, 16 - m // 10 % 10
        for r in range(10):
            a = (r * 2654435761 + m * 40503) % (1 << 24) >> (32 - prefix) << (32 - prefix)
            yield ("priority=%d,in_port=1,udp,nw_src=%s/%d,tp_src=0x%x/0x%x,tp_dst=%d,actions=output:2" %
                   (10 + m, address(a), prefix, (r * 9973 + 1024) % 65536 >> (16 - bits) << (16 - bits),
                    (0xffff << (16 - bits)) & 0xffff, 2001 + r))


def scanned(n):
    """Five-tuple rules for port 1 as well as for port 3, whose guest makes up headers."""
    yield from five_tuples(n)
    yield from five_tuples(n, "output:4", 3, 4)


def tunnel_row(title, target, flows, into, **more):
    """Between a guest (the first port of the load) and the fabric (the second). testpmd has no tunnels: it moves
    plain frames of 64 bytes, as in the first row."""
    kind = "arrives=vxlan" if into else "from=1,to=0,kind=vxlan"
    guest, tunnel = 1, TUNNEL_OFPORT
    come, go = (guest, tunnel) if into else (tunnel, guest)
    stream = "flows=%d,%s,vni=%d,remote=%s,local=%s,outer-dst=%s,outer-src=%s" % (
        flows, kind, VNI, *VTEPS, *VTEP_MACS)
    return row(title, target, stream, lambda: five_tuples(1000, "output:%d" % go, come, go),
               tunnel=True, base_stream="flows=1", **more)


# A connection that is known has a mark; what has none begins one.
TRACKED = [
    "priority=1,in_port=2,actions=output:1",
    "priority=1,in_port=1,ip,actions=ct(zone=1,table=1)",
    "table=1,priority=2,ip,ct_mark=1,actions=output:2",
    "table=1,priority=1,ip,actions=ct(commit,zone=1,exec(load:1->NXM_NX_CT_MARK[])),output:2",
]


def row(title, target, stream, flows, base="testpmd", peers=("testpmd", "ovs"), **more):
    return dict(title=title, target=target, stream=stream, flows=flows, base=base, peers=peers, options=[], **more)


ROWS = {
    "one-flow": row("VM to VM, 1 flow of 1k five-tuple rules", 1.5, "flows=1", lambda: five_tuples(1000)),
    "rules-1k": row("1k five-tuple rules, 1k flows", 1.2, "flows=1000", lambda: five_tuples(1000)),
    "rules-10k": row("10k five-tuple rules, 10k flows", 1.0, "flows=10000", lambda: five_tuples(10000)),
    "flows-100k": row("100k flows by five-tuple", 1.0, "flows=100000", lambda: five_tuples(1000, "output:2")),
    "flows-1m": row("1M flows by five-tuple", 0.6, "flows=1000000", lambda: five_tuples(1000, "output:2"), warm=3),
    "masks-100": row("100 masks, 100k flows", 0.9, "flows=100000", lambda: masks(100)),
    "bytes-1500": row("1500 bytes, payload in cache", 2.0, "size=1500", lambda: five_tuples(1000)),
    "bytes-1500-fresh": row("1500 bytes, payload freshly written", 1.5, "size=1500,fresh=1",
                            lambda: five_tuples(1000)),
    "imix": row("IMIX, 1k flows", None, "size=imix,flows=1000", lambda: five_tuples(1000)),
    "tso-64k": row("64 KB TSO chains", 5.0, "kind=tso,size=64000", lambda: ["in_port=1,actions=output:2"],
                   base="testpmd-tso", peers=("testpmd-tso",)),
    "both-ways": row("both ways, 1k flows", None, "flows=1000", lambda: five_tuples(1000)),
    "new-flows": row("new flows through 12 tables, Mpps", None, "pattern=once", lambda: TWELVE_TABLES, absolute=1.0, warm=4,
                     peers=("ovs",)),
    "victim": row("1k flows beside a port that scans headers, ratio to alone", 0.9, "flows=1000", lambda: scanned(1000),
                  base="alone", peers=("ovs",), beside="from=2,to=3,pattern=scan", warm=0.6),
    "changes": row("100k flows under 1k unrelated flow changes a second, ratio to alone", 0.9, "flows=100000",
                   lambda: five_tuples(1000, "output:2"), base="alone", peers=("ovs",), changes=1000),
    "latency": row("latency p50 at 0.1 Mpps, us", None, "rate=100000", lambda: five_tuples(1000), latency=0.6),
    "wake-up": row("wake-up p50 of an idle worker, us", None, "rate=50", lambda: five_tuples(1000), latency=50,
                   peers=()),
}
for flows, name, text in ((1, "1", "1 flow"), (100000, "100k", "100k flows")):
    ROWS["encap-" + name] = tunnel_row("into VXLAN, " + text, 1.2 if flows == 1 else 0.9, flows, True)
    ROWS["decap-" + name] = tunnel_row("out of VXLAN, " + text, 1.1 if flows == 1 else 0.9, flows, False)
for flows, name, text in ((1, "1", "1 connection"), (100000, "100k", "100k connections")):
    ROWS["ct-" + name] = row("tracked, " + text, None, "flows=%d" % flows, lambda: TRACKED, warm=2)
ROWS["bytes-1500"]["options"] = ["--ring", "256"]  # else it does not fit a cache near the core
ROWS["tso-64k"]["options"] = ["--offload"]
ROWS["both-ways"]["options"] = ["--both"]
