# SPDX-License-Identifier: Apache-2.0
"""A stateful firewall: what host 1 begins is allowed, with its answers and errors; what host 2 begins is not."""
import re
import select

from frames import icmp_error, tcp, udp
from rig import TELL, address, connected, expect, heard, received, to

FIREWALL = f"""
table=0,priority=10,ip,actions=ct(table=1)
table=1,priority=10,in_port=1,ip,ct_state=+trk+new,actions=ct(commit),{to(2)}
table=1,priority=10,in_port=1,ip,ct_state=+trk+est,actions={to(2)}
table=1,priority=10,in_port=2,ip,ct_state=+trk+est+rpl,actions={to(1)}
table=1,priority=10,in_port=2,ip,ct_state=+trk+rel+rpl,actions={to(1)}
table=1,priority=10,ip,ct_state=+trk+inv,actions=drop
table=1,priority=9,in_port=2,ip,ct_state=+trk+new,actions=drop
"""


def tcp_of_host_1(side):
    side.flows(FIREWALL)
    server = side.listener(2, 80)
    client = side.connect(1, (address(2), 80))
    expect("host 1 connects", connected(client), 0)
    accepted, peer = side.accept(server)
    expect("the peer", peer, client.getsockname())
    client.send(b"to the server")
    expect("at the server", received(accepted, 13), b"to the server")
    accepted.send(b"to the client")
    expect("at the client", received(client, 13), b"to the client")


def tcp_of_host_2(side):
    side.flows(FIREWALL)
    server = side.listener(1, 80)
    client = side.connect(2, (address(1), 80))
    side.settle()
    expect("host 2 connects", select.select([client, server], [client], [], 0)[:2], ([], []))
    flow = [line for line in side.counters() if "+new" in line and "drop" in line]
    expect("refused", flow[0].split()[0], re.compile("[1-9]"))


tcp_of_host_1.uncounted = tcp_of_host_2.uncounted = True


def udp_both_ways(side):
    side.flows(FIREWALL)
    one, two = side.open(1, port=1000), side.open(2, port=2000)
    two.sendto(b"unasked", one.getsockname())
    side.settle()
    expect("host 2 begins", heard(one), [])
    one.sendto(b"question", two.getsockname())
    side.settle()
    expect("host 1 begins", heard(two), [(b"question", one.getsockname())])
    two.sendto(b"answer", one.getsockname())
    side.settle()
    expect("host 2 answers", heard(one), [(b"answer", two.getsockname())])
    one.sendto(b"another question", two.getsockname())
    side.settle()
    expect("host 1 goes on", heard(two), [(b"another question", one.getsockname())])
    other = side.open(2, port=2001)
    other.sendto(b"from elsewhere", one.getsockname())
    side.settle()
    expect("another port of host 2", heard(one), [])


def ping(side):
    side.flows(FIREWALL)
    for host, other, answered in ((2, 1, []), (1, 2, [7]), (2, 1, []), (1, 2, [7])):
        expect("host %d pings" % host, side.ping(host, address(other), 7), answered)


def port_unreachable(side):
    """The error of the other kernel is related to the connection, and gets to whom it is about."""
    side.flows(FIREWALL)
    one = side.open(1, port=1000)
    one.connect((address(2), 9))
    one.send(b"nobody is there")
    side.settle()
    expect("the error", heard(one), ["ECONNREFUSED"])
    related = [line for line in side.counters() if "+rel" in line]
    expect("related", related[0].split()[0], "1")
    # of a packet that nobody has sent, and of one that was
    about = udp("10.1.1.1:1001", "10.1.1.2:9")
    expect("an error about nothing", side.out(2, icmp_error("10.1.1.2", "10.1.1.1", 3, 3, about)), "")


TELL_ALL = f"""
table=0,priority=10,ip,in_port=1,actions=ct(table=1)
table=0,priority=10,ip,in_port=2,actions=ct(commit,table=1)
table=1,priority=10,ip,actions={TELL},output:3
"""


def middle_of_tcp(side):
    """Connections that began before we looked are picked up; what can begin nothing is invalid."""
    side.flows(TELL_ALL)
    a, b = "10.1.1.1:1000", "10.1.1.2:80"
    expect("an acknowledgement", side.states(1, tcp(a, b, "A", 500, 900)), "new|trk")
    expect("data", side.states(1, tcp(a, b, "PA", 500, 900, b"data")), "new|trk")
    expect("SYN and ACK", side.states(1, tcp(a, b, "SA", 500, 900)), "inv|trk")
    expect("SYN and FIN", side.states(1, tcp(a, b, "SF", 500)), "inv|trk")
    expect("no flags", side.states(1, tcp(a, b, "", 500)), "inv|trk")
    expect("FIN", side.states(1, tcp(a, b, "FA", 500, 900)), "new|trk")
    expect("RST", side.states(1, tcp(a, b, "R", 500)), "new|trk")
    expect("a wrong checksum", side.states(1, tcp(a, b, "S", 500, wrong=1)), side.differs(ovs="inv|trk", weft="new|trk"))
    expect("SYN", side.states(1, tcp(a, b, "S", 500)), "new|trk")
    expect("data, committed", side.states(2, tcp(a, b, "PA", 500, 900, b"data")), "new|trk")
    expect("data goes on", side.states(1, tcp(a, b, "PA", 504, 900, b"more")), "est|trk")
    expect("the other way", side.states(1, tcp(b, a, "A", 900, 508)), "est|rpl|trk")


SCENES = [tcp_of_host_1, tcp_of_host_2, udp_both_ways, ping, port_unreachable, middle_of_tcp]
