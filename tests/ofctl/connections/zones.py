# SPDX-License-Identifier: Apache-2.0
"""Zones, and what is kept of a connection in them: marks and labels."""
from frames import tcp, udp
from rig import TELL, expect

A, B, C = "10.1.1.1:1000", "10.1.1.2:2000", "10.1.1.1:1001"


def one_tuple_in_two_zones(side):
    """Ports 1 and 2 are in different zones; only that of port 1 knows the connection."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(zone=1,table=1)
table=0,priority=10,udp,in_port=2,actions=ct(zone=2,table=1)
table=0,priority=10,udp,in_port=3,actions=ct(zone=65535,table=1)
table=1,priority=10,ct_state=+new,ct_zone=1,udp,actions={TELL},ct(commit,zone=1),output:3
table=1,priority=10,udp,ct_zone=65535,actions={TELL},ct(commit,zone=65535),output:1
table=1,priority=9,actions={TELL},in_port,output:3
""")
    there, back = udp(A, B), udp(B, A)
    expect("zone 1 begins", side.states(1, there), "new|trk zone=1")
    expect("zone 1 goes on", side.states(1, there), "new|trk zone=1")
    expect("zone 1 answers", side.states(1, back), "est|rpl|trk zone=1; est|rpl|trk zone=1")
    expect("zone 2", side.states(2, there), "new|trk zone=2; new|trk zone=2")
    expect("zone 2, the other way", side.states(2, back), "new|trk zone=2; new|trk zone=2")
    expect("the last zone", side.states(3, there), "new|trk zone=65535")
    expect("zone 1 is answered", side.states(1, there), "est|trk zone=1; est|trk zone=1")
    expect("the last zone answers", side.states(3, back), "est|rpl|trk zone=65535")


def zone_of_a_register(side):
    """And of a metadata field, and of the upper half of a register."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=load:0x70005->NXM_NX_REG0[],ct(commit,zone=NXM_NX_REG0[0..15],table=1)
table=0,priority=10,udp,in_port=2,actions=load:0x70005->NXM_NX_REG0[],ct(zone=NXM_NX_REG0[16..31],table=1)
table=0,priority=10,udp,in_port=3,actions=move:NXM_OF_UDP_DST[]->OXM_OF_METADATA[0..15],ct(zone=OXM_OF_METADATA[0..15],table=1)
table=1,priority=10,actions={TELL},output:1,output:2
""")
    expect("zone 5", side.states(1, udp(A, B)), "new|trk zone=5")
    expect("zone 7", side.states(2, udp(A, B)), "new|trk zone=7")
    expect("the port's number", side.states(3, udp(A, B)), "new|trk zone=2000; new|trk zone=2000")
    expect("zone 5, a port's number", side.states(3, udp("10.1.1.2:2000", "10.1.1.1:5")), "new|trk zone=5; new|trk zone=5")
    expect("zone 5 again", side.states(1, udp(B, A)), "est|rpl|trk zone=5")


def marks(side):
    """By a value, a masked value and a register; of this connection and no other."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,udp_src=1000,actions=ct(commit,exec(set_field:0x11->ct_mark),table=1)
table=0,priority=10,udp,in_port=1,udp_src=1001,actions=ct(commit,exec(load:0x2->NXM_NX_CT_MARK[4..7]),table=1)
table=0,priority=10,udp,in_port=1,udp_src=1002,actions=load:0x77->NXM_NX_REG3[],ct(commit,exec(move:NXM_NX_REG3[0..15]->NXM_NX_CT_MARK[0..15]),table=1)
table=0,priority=10,udp,in_port=1,udp_src=1003,actions=ct(commit,table=1)
table=0,priority=10,udp,in_port=1,udp_src=1004,actions=ct(commit,exec(set_field:0x40/0x40->ct_mark,set_field:0x1/0xf->ct_mark),table=1)
table=0,priority=10,udp,in_port=2,actions=ct(table=1)
table=0,priority=10,udp,in_port=3,actions=ct(commit,exec(set_field:0x8000/0xff00->ct_mark),table=2)
table=1,priority=12,udp,ct_mark=0x11,actions={TELL},output:3
table=1,priority=11,udp,ct_mark=0x20/0xf0,actions={TELL},output:3
table=1,priority=10,udp,actions={TELL},output:2,output:3
table=2,priority=10,udp,actions={TELL},output:1
""")
    tuples = [("10.1.1.1:%d" % port, B) for port in range(1000, 1005)]
    marked = [" mark=17", " mark=32", " mark=119", "", " mark=65"]
    for (a, b), mark in zip(tuples, marked):
        copies = 2 if mark in (" mark=119", "", " mark=65") else 1
        expect(a + " begins", side.states(1, udp(a, b)), "; ".join(["new|trk" + mark] * copies))
    for (a, b), mark in zip(tuples, marked):
        expect(a + " is answered", side.states(2, udp(b, a)), "est|rpl|trk" + mark)
    # a mark is changed by a later commit, in the bits that are named; also from the other side
    for (a, b), mark in zip(tuples, (" mark=32785", " mark=32800", " mark=32887", " mark=32768", " mark=32833")):
        expect(a + " is marked again", side.states(3, udp(b, a)), "est|rpl|trk" + mark)
        expect(a + " keeps it", side.states(2, udp(b, a)).split("; ")[0], "est|rpl|trk" + mark)


def labels(side):
    side.flows(f"""
table=0,priority=10,tcp,in_port=1,tcp_src=1000,actions=ct(commit,exec(set_field:0x0102030405060708090a0b0c0d0e0f10->ct_label),table=1)
table=0,priority=10,tcp,in_port=1,tcp_src=1001,actions=ct(commit,exec(load:0xabc->NXM_NX_CT_LABEL[64..79],set_field:0x5/0xf->ct_mark),table=1)
table=0,priority=10,tcp,in_port=1,tcp_src=1002,actions=set_field:0xfedcba9876543210->xreg1,ct(commit,exec(move:OXM_OF_PKT_REG1[]->NXM_NX_CT_LABEL[32..95]),table=1)
table=0,priority=10,tcp,in_port=1,tcp_src=1003,actions=ct(commit,table=1)
table=0,priority=10,tcp,in_port=2,actions=ct(table=1)
table=1,priority=10,tcp,ct_label=0x0102030405060708090a0b0c0d0e0f10,actions=mod_dl_src:02:cc:00:00:00:01,output:3
table=1,priority=10,tcp,ct_label=0xabc0000000000000000/0xffff0000000000000000,actions=mod_dl_src:02:cc:00:00:00:02,output:3
table=1,priority=10,tcp,ct_label=0xfedcba987654321000000000,actions=mod_dl_src:02:cc:00:00:00:03,output:3
table=1,priority=10,tcp,ct_label=0,actions=mod_dl_src:02:cc:00:00:00:04,output:3
table=1,priority=9,actions=mod_dl_src:02:cc:00:00:00:05,output:3
""")
    for i in range(4):
        a = "10.1.1.1:%d" % (1000 + i)
        packets = [tcp(a, B, "S", 1), tcp(B, a, "SA", 9, 2), tcp(a, B, "A", 2, 10), tcp(B, a, "A", 10, 2)]
        for port, frame in zip((1, 2, 1, 2), packets):
            got = [packet.frame[11] for _, packet in side.send(port, frame)]
            expect("label of %s from port %d" % (a, port), got, [i + 1])


def original_tuple(side):
    """The fields ct_nw_src and so on of an answer are those of the question, before it was translated."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,nat(src=10.1.1.240),table=1)
table=0,priority=10,udp,in_port=2,actions=ct(nat,table=1)
table=1,priority=10,udp,ct_state=+trk-inv,ct_nw_src=10.1.1.1,ct_nw_dst=10.1.1.0/24,ct_nw_proto=17,ct_tp_src=1000,ct_tp_dst=2000,actions={TELL},output:3
table=1,priority=5,actions={TELL},output:3
""")
    expect("question", side.states(1, udp(A, B)), "new|trk|snat")
    expect("answer", side.states(2, udp(B, "10.1.1.240:1000")), "est|rpl|trk|dnat")
    expect("another question", side.states(1, udp(C, B)), "new|trk|snat")
    expect("by flow", [line.split()[0] for line in side.counters() if "packets: table=1" in line], ["2", "1"])


SCENES = [one_tuple_in_two_zones, zone_of_a_register, marks, labels, original_tuple]
