# SPDX-License-Identifier: Apache-2.0
"""Translation of addresses and ports: kernels talk through it, and made frames show what becomes of the single packet."""
import socket

from frames import echo, endpoint, icmp_error, tcp, told, udp
from rig import TELL, address, address6, connected, expect, heard, received, to

V6 = socket.AF_INET6
# What host 1 sends is translated, what comes back is translated back.
ROUTER = """
table=0,priority=10,{family},in_port=1,actions=ct(commit,nat({how}),table=1)
table=0,priority=10,{family},in_port=2,actions=ct(nat,table=2)
table=1,priority=10,ct_state=+trk-inv,actions={out}
table=2,priority=10,ct_state=+trk+est-inv,actions={back}
table=2,priority=10,ct_state=+trk+rel-inv,actions={back}
"""


def to_kernels(how, family="ip"):
    return ROUTER.format(how=how, family=family, out=to(2), back=to(1))


def to_ports(how, family="ip"):
    return ROUTER.format(how=how, family=family, out="output:2", back="output:1")


def tcp_exchange(side, where, server_port, family=socket.AF_INET):
    """Host 1 connects to `where`, host 2 listens: the address of the client as the server sees it."""
    server = side.listener(2, server_port, family)
    client = side.connect(1, where, family=family)
    expect("connect", connected(client), 0)
    accepted, peer = side.accept(server)
    expect("the peer of the client", client.getpeername()[:2], where)
    client.send(b"question")
    expect("at the server", received(accepted, 8), b"question")
    accepted.send(b"answer")
    expect("at the client", received(client, 6), b"answer")
    server.close()
    return told(endpoint(peer[0])[0], peer[1])


def in_range(peer, first, last, ports):
    where, port = endpoint(peer)
    expect(peer + " is in the range", (endpoint(first)[0] <= where <= endpoint(last)[0], port in ports), (True, True))


def snat_range(side):
    """Addresses and ports of a range; as many connections as there are ports, all different."""
    side.flows(to_kernels("src=10.1.1.240-10.1.1.243:5000-5010"))
    peers = [tcp_exchange(side, (address(2), 80), 80) for _ in range(6)]
    for peer in peers:
        in_range(peer, "10.1.1.240", "10.1.1.243", range(5000, 5011))
    expect("different", len(set(peers)), len(peers))


def dnat(side):
    """A server on another address and port."""
    side.flows(to_kernels("dst=10.1.1.2:8080"))
    peer = tcp_exchange(side, ("10.1.1.100", 80), 8080)
    expect("the client's address", peer.split(":")[0], address(1))
    one, two = side.open(1, port=1000), side.open(2, port=8080)
    one.sendto(b"question", ("10.1.1.100", 53))
    side.settle()
    expect("at the server", heard(two), [(b"question", (address(1), 1000))])
    two.sendto(b"answer", (address(1), 1000))
    side.settle()
    expect("from the address that was asked", heard(one), [(b"answer", ("10.1.1.100", 53))])


snat_range.uncounted = dnat.uncounted = True


def snat_and_dnat(side):
    """A hairpin: host 1 asks the address of a service that it serves itself. Destination in zone 1, then source in 2."""
    side.flows(f"""
table=0,priority=10,ip,nw_dst=10.1.1.100,tcp,tp_dst=80,actions=ct(commit,zone=1,nat(dst=10.1.1.1:8080),table=1)
table=0,priority=10,ip,nw_dst=10.1.1.101,actions=ct(zone=2,nat,table=2)
table=1,priority=10,ip,actions=ct(commit,zone=2,nat(src=10.1.1.101),table=3)
table=2,priority=10,ip,actions=ct(zone=1,nat,table=3)
table=3,priority=10,ip,ct_state=-inv,actions=mod_dl_dst:02:00:00:00:01:01,in_port
""")
    server = side.listener(1, 8080)
    client = side.connect(1, ("10.1.1.100", 80))
    expect("connect", connected(client), 0)
    accepted, peer = side.accept(server)
    expect("the client's address", peer, ("10.1.1.101", client.getsockname()[1]))
    client.send(b"to myself")
    expect("at the server", received(accepted, 9), b"to myself")
    accepted.send(b"and back")
    expect("at the client", received(client, 8), b"and back")


snat_and_dnat.uncounted = True


def source_ports(side):
    """Without a range of ports, the own one is kept as long as nobody else has it; with one, never left."""
    side.flows("""
table=0,priority=10,udp,in_port=1,actions=ct(commit,nat(src=10.1.1.240),table=1)
table=0,priority=10,udp,in_port=3,actions=ct(commit,nat(src=10.1.1.240),table=1)
table=0,priority=10,udp,in_port=2,actions=ct(nat,table=1)
table=1,priority=20,in_port=2,ct_state=+est-inv,actions=output:1
table=1,priority=10,ct_state=-inv,actions=output:2
""")
    expect("own port", side.out(1, udp("10.1.1.1:1500", "10.1.1.2:53")), "2: udp 10.1.1.240:1500 > 10.1.1.2:53")
    (_, other), = side.send(1, udp("10.1.1.3:1500", "10.1.1.2:53"))
    in_range(other.source, "10.1.1.240", "10.1.1.240", range(1024, 65536))
    expect("another port", other.source == "10.1.1.240:1500", False)
    third = udp("10.1.1.3:1500", "10.1.1.9:53")
    expect("own port, for another server", side.out(1, third), "2: udp 10.1.1.240:1500 > 10.1.1.9:53")
    for source, client in (("10.1.1.240:1500", "10.1.1.1:1500"), (other.source, "10.1.1.3:1500")):
        expect("answer to " + client, side.out(2, udp("10.1.1.2:53", source)), "1: udp 10.1.1.2:53 > " + client)


def full_range(side):
    """A range of three ports is full after three: Open vSwitch lets the next one pass as it is."""
    side.flows("""
table=0,priority=10,udp,in_port=3,actions=ct(commit,nat(src=10.1.1.241:7000-7002),table=1)
table=1,priority=10,ct_state=-inv,actions=output:2
""")
    ports = []
    for client in range(3):
        (_, packet), = side.send(3, udp("10.1.1.3:%d" % (100 + client), "10.1.1.2:53"))
        ports.append(packet.source)
    expect("all of the range", sorted(ports), ["10.1.1.241:%d" % p for p in (7000, 7001, 7002)])
    untranslated = side.differs(ovs="2: udp 10.1.1.3:103 > 10.1.1.2:53", weft="")
    expect("one too many", side.out(3, udp("10.1.1.3:103", "10.1.1.2:53")), untranslated)
    expect("for another server", len(side.send(3, udp("10.1.1.3:103", "10.1.1.9:53"))), 1)


def without_range(side):
    """A commit with nat alone begins a connection that is not translated. Open vSwitch finds no free tuple."""
    side.flows(to_ports("src=10.1.1.240").replace("nat(src=10.1.1.240)", "nat"))
    expect("question", side.out(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "2: udp 10.1.1.1:1000 > 10.1.1.2:53")
    answer = side.differs(ovs="", weft="1: udp 10.1.1.2:53 > 10.1.1.1:1000")
    expect("answer", side.out(2, udp("10.1.1.2:53", "10.1.1.1:1000")), answer)


def twice_in_a_zone(side):
    """First to know what it is, then to translate: the packet is the same one."""
    side.flows(f"""
table=0,priority=10,ip,actions=ct(table=1)
table=1,priority=10,ip,in_port=1,ct_state=+new,actions=ct(commit,nat(src=10.1.1.240),exec(set_field:0x3->ct_mark),table=2)
table=1,priority=10,ip,ct_state=+est,actions=ct(nat,table=2)
table=1,priority=10,ip,ct_state=+rel,actions=ct(nat,table=2)
table=2,priority=10,ip,in_port=1,actions={TELL},output:2
table=2,priority=10,ip,in_port=2,actions={TELL},output:1
""")
    a, b, c = "10.1.1.1:1000", "10.1.1.2:80", "10.1.1.240:1000"

    def sent(port, frame):
        (_, packet), = side.send(port, frame)
        return packet.state() + " " + packet.text

    expect("SYN", sent(1, tcp(a, b, "S", 1)), "new|trk|snat mark=3 tcp %s > %s S" % (c, b))
    expect("SYN and ACK", sent(2, tcp(b, c, "SA", 5, 2)), "est|rpl|trk|dnat mark=3 tcp %s > %s SA" % (b, a))
    expect("data", sent(1, tcp(a, b, "PA", 2, 6, b"x")), "est|trk|snat mark=3 tcp %s > %s PA b'x'" % (c, b))
    expect("an error", sent(2, icmp_error("10.1.1.77", "10.1.1.240", 3, 1, tcp(c, b, "S", 1))),
           "rel|rpl|trk|dnat mark=3 icmp 10.1.1.77 > 10.1.1.1 type=3 code=1 [tcp %s > %s]" % (a, b))


def udp_checksums(side):
    """A datagram without a checksum stays so; one that was wrong is not made right."""
    side.flows(to_ports("src=10.1.1.240"))
    plain = bytearray(udp("10.1.1.1:1000", "10.1.1.2:53", b"x"))
    plain[40:42] = b"\0\0"
    packets = side.send(1, bytes(plain))
    expect("no checksum", packets[0][1].frame[40:42], b"\0\0")
    expect("empty", side.out(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "2: udp 10.1.1.240:1000 > 10.1.1.2:53")


def ping(side):
    """There and back, translated; whose id is taken gets another one."""
    side.flows(to_kernels("src=10.1.1.240"))
    expect("ping", side.ping(1, address(2), 77), [77])
    expect("ping", side.ping(1, address(2), 78), [78])
    side.flows(to_ports("src=10.1.1.240"))
    expect("echo", side.out(1, echo("10.1.1.1", "10.1.1.2", 5)), "2: icmp 10.1.1.240 > 10.1.1.2 echo request id=5")
    expect("reply", side.out(2, echo("10.1.1.2", "10.1.1.240", 5, reply=True)), "1: icmp 10.1.1.2 > 10.1.1.1 echo reply id=5")
    expect("another id", side.out(2, echo("10.1.1.2", "10.1.1.240", 6, reply=True)), "")


def errors(side):
    """Errors of the server's kernel and of a router on the way get to the client, and are about what it has sent."""
    side.flows(to_kernels("src=10.1.1.240:6000-6000"))
    one = side.open(1, port=1000)
    one.connect((address(2), 9))
    one.send(b"closed")
    side.settle()
    expect("port unreachable, SNAT", heard(one), ["ECONNREFUSED"])

    side.flows(to_kernels("dst=10.1.1.2:9"))
    one = side.open(1, port=1001)
    one.connect(("10.1.1.100", 53))
    one.send(b"closed")
    side.settle()
    expect("port unreachable, DNAT", heard(one), ["ECONNREFUSED"])

    side.flows(to_ports("src=10.1.1.240:6000-6000"))
    (_, sent), = side.send(1, udp("10.1.1.1:1000", "10.1.1.2:33434", b"traceroute", ttl=1))
    expect("the router", side.out(2, icmp_error("10.1.1.77", "10.1.1.240", 11, 0, sent.frame)),
           "1: icmp 10.1.1.77 > 10.1.1.1 type=11 code=0 [udp 10.1.1.1:1000 > 10.1.1.2:33434]")
    expect("the host", side.out(2, icmp_error("10.1.1.2", "10.1.1.240", 3, 3, sent.frame)),
           "1: icmp 10.1.1.2 > 10.1.1.1 type=3 code=3 [udp 10.1.1.1:1000 > 10.1.1.2:33434]")
    (_, sent), = side.send(1, echo("10.1.1.1", "10.1.1.2", 5))
    expect("about an echo request", side.out(2, icmp_error("10.1.1.77", "10.1.1.240", 11, 0, sent.frame)),
           "1: icmp 10.1.1.77 > 10.1.1.1 type=11 code=0 [icmp 10.1.1.1 > 10.1.1.2 echo request id=5]")


def errors_the_other_way(side):
    """The client says that it does not want the answer; the server is told by the address that it knows."""
    side.flows("""
table=0,priority=10,ip,in_port=1,icmp,actions=ct(nat,table=1)
table=0,priority=9,ip,in_port=1,actions=ct(commit,nat(dst=10.1.1.2:8080),table=1)
table=0,priority=10,ip,in_port=2,actions=ct(nat,table=2)
table=1,priority=10,ct_state=+trk-inv,actions=output:2
table=2,priority=10,ct_state=+trk-inv,actions=output:1
""")
    expect("question", side.out(1, udp("10.1.1.1:1000", "10.1.1.100:53")), "2: udp 10.1.1.1:1000 > 10.1.1.2:8080")
    (_, answer), = side.send(2, udp("10.1.1.2:8080", "10.1.1.1:1000"))
    expect("answer", answer.text, "udp 10.1.1.100:53 > 10.1.1.1:1000")
    expect("refused", side.out(1, icmp_error("10.1.1.1", "10.1.1.100", 3, 3, answer.frame)),
           "2: icmp 10.1.1.1 > 10.1.1.2 type=3 code=3 [udp 10.1.1.2:8080 > 10.1.1.1:1000]")


def ipv6(side):
    side.flows(to_kernels("src=[fd01::240]-[fd01::243]:5000-5010", "ipv6"))
    in_range(tcp_exchange(side, (address6(2), 80), 80, V6), "fd01::240", "fd01::243", range(5000, 5011))
    expect("ping", side.ping(1, address6(2), 9), [9])
    one = side.open(1, port=1000, family=V6)
    one.connect((address6(2), 9))
    one.send(b"closed")
    side.settle()
    expect("port unreachable, SNAT", heard(one), ["ECONNREFUSED"])

    side.flows(to_kernels("dst=[fd01::2]:8080", "ipv6"))
    peer = tcp_exchange(side, ("fd01::100", 80), 8080, V6)
    expect("the client's address", peer[: peer.index("]")], "[" + address6(1))
    one = side.open(1, port=1001, family=V6)
    one.connect(("fd01::100", 53))
    one.send(b"closed")
    side.settle()
    expect("port unreachable, DNAT", heard(one), ["ECONNREFUSED"])

    side.flows(to_ports("src=[fd01::240]:6000-6000", "ipv6"))
    (_, sent), = side.send(1, udp("[fd01::1]:1000", "[fd01::2]:33434", b"traceroute"))
    expect("translated", sent.text, "udp [fd01::240]:6000 > [fd01::2]:33434 b'traceroute'")
    expect("the router", side.out(2, icmp_error("fd01::77", "fd01::240", 3, 0, sent.frame)),
           "1: icmp fd01::77 > fd01::1 type=3 code=0 [udp [fd01::1]:1000 > [fd01::2]:33434]")


ipv6.uncounted = True


def translated_states(side):
    """The bits snat and dnat tell what was translated of the packet: in answers it is the other end."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,zone=1,nat(src=10.1.1.240),table=1)
table=0,priority=10,udp,in_port=2,actions=ct(zone=1,nat,table=1)
table=0,priority=10,udp,in_port=3,actions=ct(commit,zone=2,nat(dst=10.1.1.2),table=1)
table=1,priority=10,actions={TELL},output:1,output:3
""")
    expect("SNAT", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "new|trk|snat zone=1")
    expect("SNAT goes on", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "new|trk|snat zone=1")
    both = "; ".join(["est|rpl|trk|dnat zone=1"] * 2)
    expect("SNAT is answered", side.states(2, udp("10.1.1.2:53", "10.1.1.240:1000")), both)
    expect("SNAT, after that", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "est|trk|snat zone=1")
    expect("DNAT", side.states(3, udp("10.1.1.1:1000", "10.1.1.100:53")), "new|trk|dnat zone=2")
    expect("DNAT is answered", side.states(3, udp("10.1.1.2:53", "10.1.1.1:1000")), "est|rpl|trk|snat zone=2")
    expect("DNAT goes on", side.states(3, udp("10.1.1.1:1000", "10.1.1.100:53")), "est|trk|dnat zone=2")


full_range.uncounted = without_range.uncounted = True

SCENES = [snat_range, dnat, snat_and_dnat, source_ports, full_range, without_range, twice_in_a_zone, udp_checksums, ping]
SCENES += [errors, errors_the_other_way, ipv6, translated_states]
