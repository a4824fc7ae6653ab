# SPDX-License-Identifier: Apache-2.0
"""ovs-ofctl forgets connections while they are in use: what comes next is new."""
from frames import tcp, udp
from rig import TELL, connected, expect, received, to

ZONES = f"""
table=0,priority=10,in_port=1,udp,actions=ct(commit,zone=1,exec(set_field:0x5->ct_mark),table=1),ct(commit,zone=2,table=1)
table=0,priority=10,in_port=2,udp,actions=ct(zone=1,table=1),ct(zone=2,table=1)
table=1,priority=10,udp,actions={TELL},output:3
"""


def begin(side, *clients):
    """Connections to 10.1.1.2:53, in both zones."""
    for client in clients:
        expect(client + " begins", side.states(1, udp(client, "10.1.1.2:53")), "new|trk zone=1 mark=5; new|trk zone=2")
        expect(client + " is answered", answered(side, client), "est|rpl|trk zone=1 mark=5; est|rpl|trk zone=2")


def answered(side, client):
    return side.states(2, udp("10.1.1.2:53", client))


def zone(side):
    side.flows(ZONES)
    begin(side, "10.1.1.1:1000", "10.1.1.1:1001")
    side.ofctl("ct-flush-zone", "br0", "1")
    for client in ("10.1.1.1:1000", "10.1.1.1:1001"):
        expect(client, answered(side, client), "est|rpl|trk zone=2; new|trk zone=1")
    side.ofctl("ct-flush-zone", "br0", "77")
    expect("another zone", answered(side, "10.1.1.1:1000"), "est|rpl|trk zone=2; new|trk zone=1")
    expect("begins again", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:53")), "est|trk zone=2; new|trk zone=1 mark=5")


def tuples(side):
    """Connections of a zone, of an original tuple, of a reply tuple; then all."""
    one, two, other = "10.1.1.1:1000", "10.1.1.1:1001", "10.1.1.3:1000"
    both = "est|rpl|trk zone=1 mark=5; est|rpl|trk zone=2"
    side.flows(ZONES)
    begin(side, one, two, other)
    side.ofctl("ct-flush", "br0", "zone=1", "ct_nw_src=10.1.1.1,ct_nw_proto=17,ct_tp_src=1000")
    expect("the one", answered(side, one), "est|rpl|trk zone=2; new|trk zone=1")
    expect("another port", answered(side, two), both)
    expect("another address", answered(side, other), both)
    side.ofctl("ct-flush", "br0", "ct_nw_src=10.1.1.1", "ct_nw_src=10.1.1.2,ct_tp_src=53,ct_nw_proto=17")
    expect("of one address", answered(side, two), "new|trk zone=1; new|trk zone=2")
    expect("another address", answered(side, other), both)
    side.ofctl("ct-flush", "br0", "zone=3")
    expect("another zone", answered(side, other), both)
    side.ofctl("ct-flush", "br0")
    expect("all", answered(side, other), "new|trk zone=1; new|trk zone=2")


def tcp_data(side):
    """Data of a connection that was forgotten is new: it is picked up. Its numbers are not known any more."""
    side.flows(f"""
table=0,priority=10,in_port=1,tcp,actions=ct(commit,table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(table=1)
table=1,priority=10,tcp,actions={TELL},output:3
""")
    a, b = "10.1.1.1:1000", "10.1.1.2:80"
    side.states(1, tcp(a, b, "S", 1000))
    side.states(2, tcp(b, a, "SA", 5000, 1001))
    expect("established", side.states(1, tcp(a, b, "A", 1001, 5001)), "est|trk")
    expect("far outside of the window", side.states(1, tcp(a, b, "PA", 900000000, 5001, b"x")), "inv|trk")
    side.ofctl("ct-flush", "br0")
    expect("an answer", side.states(2, tcp(b, a, "PA", 5001, 1001, b"x")), "new|trk")
    expect("with other numbers", side.states(1, tcp(a, b, "PA", 900000000, 5001, b"x")), "new|trk")
    expect("goes on", side.states(1, tcp(a, b, "PA", 900000001, 5001, b"x")), "est|trk")


def kernels_go_on(side):
    """A TCP connection without translation does not notice."""
    side.flows(f"""
table=0,priority=10,tcp,actions=ct(table=1)
table=1,priority=10,in_port=1,tcp,ct_state=+new,actions=ct(commit),{to(2)}
table=1,priority=10,in_port=1,tcp,ct_state=+est,actions={to(2)}
table=1,priority=10,in_port=2,tcp,ct_state=+est,actions={to(1)}
""")
    server = side.listener(2, 80)
    client = side.connect(1, ("10.1.1.2", 80))
    expect("connect", connected(client), 0)
    accepted, _ = side.accept(server)
    for what in (b"before", b"behind"):
        client.send(what)
        expect("at the server", received(accepted, 6), what)
        accepted.send(what)
        expect("at the client", received(client, 6), what)
        side.ofctl("ct-flush-zone", "br0", "0")


kernels_go_on.uncounted = True
SCENES = [zone, tuples, tcp_data, kernels_go_on]
