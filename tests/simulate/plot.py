#!/usr/bin/env python3
"""plot.py REPORT SVG: the figures of a report of weft-simulate as text, its distributions as a plot."""
import json
import math
import sys

LINES = {
    "written_ms": ("#2e8b57", "written to etcd"),
    "flows_of_each_agent_ms": ("#7a7a7a", "flows of each agent"),
    "seen_by_last_agent_ms": ("#2a6fbb", "seen by the last agent"),
    "flows_of_last_agent_ms": ("#c0392b", "flows of the last agent"),
}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 60, 40, 20, 50


def main(report_path, svg_path):
    with open(report_path, encoding="utf-8") as f:
        report = json.load(f)
    for key, value in report.items():
        if key in LINES:
            print(f"{key:24} p50 {value['p50']:8.1f}   p99 {value['p99']:8.1f}   max {value['max']:8.1f}")
        else:
            print(f"{key:24} {value}")
    with open(svg_path, "w", encoding="utf-8") as f:
        f.write(plot(report))


def plot(report):
    low, high = 0.1, max(10.0, max(report[k]["max"] for k in LINES) * 1.2)

    def x(ms):
        part = (math.log(max(ms, low)) - math.log(low)) / (math.log(high) - math.log(low))
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(part):
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="22">{report["hosts"]} hosts, {report["ports"]} ports, {report["rate"]} changes/s: '
           'from the time a change was due</text>']
    for part in (0, 0.5, 0.9, 0.99, 1):
        out.append(f'<path d="M{LEFT} {y(part):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{y(part) + 4:.1f}" text-anchor="end">{part * 100:g} %</text>')
    tick = low
    while tick <= high:
        out.append(f'<path d="M{x(tick):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g} ms</text>')
        tick *= 10
    for i, (key, (color, name)) in enumerate(LINES.items()):
        values = report[key]["quantiles"]
        points = " ".join(f"{x(v):.1f},{y(n / (len(values) - 1)):.1f}" for n, v in enumerate(values))
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
                   f'<text x="{LEFT + 10}" y="{TOP + 20 + 16 * i}" fill="{color}">{name}</text>')
    return "\n".join(out) + "\n</svg>\n"


main(*sys.argv[1:])
