# SPDX-License-Identifier: Apache-2.0
"""From results to a table in Markdown and a plot in SVG."""
import json
import os
from statistics import median

from rows import ROWS

COLOURS = {"weft": "#2a7", "testpmd": "#999", "testpmd-tso": "#999", "ovs": "#c63"}


def spread(values, digits):
    form = "%%.%df" % digits
    text = form % median(values)
    if len(values) > 1:
        text += " (%s-%s)" % (form % min(values), form % max(values))
    return text


def value(row, run):
    """What the row is about: a rate in Mpps, or a latency in us."""
    return run["latency"]["p50"] / 1e3 if "latency" in row else run["mpps"]


def summarise(results):
    """One entry for each row, placement and switch; ratios are to the base of the same round."""
    out = []
    for name, row in ROWS.items():
        for far in (False, True):
            runs = [r for r in results if r["row"] == name and r["far"] == far and not r["disturbed"]]
            for switch in dict.fromkeys(r["switch"] for r in runs):
                own = [r for r in runs if r["switch"] == switch]
                base = switch + " alone" if row["base"] == "alone" else row["base"]
                base = {r["round"]: value(row, r) for r in runs if r["switch"] == base}
                ratios = [value(row, r) / base[r["round"]] for r in own if base.get(r["round"])]
                out.append({"row": name, "far": far, "switch": switch, "values": [value(row, r) for r in own],
                            "cycles": [r["cycles"] for r in own if "cycles" in r], "ratios": ratios})
    return out


def target_of(row):
    if "latency" in row:
        return "<= %g us" % row["latency"]
    if "absolute" in row:
        return ">= %g Mpps" % row["absolute"]
    return ">= %g" % row["target"] if row["target"] else ""


def table(summary, discarded):
    lines = ["| row | cores | switch | Mpps or us | cycles/packet | ratio | target |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for s in summary:
        row = ROWS[s["row"]]
        lines.append("| %s | %s | %s | %s | %s | %s | %s |" %
                     (row["title"], "far" if s["far"] else "near", s["switch"], spread(s["values"], 2),
                      spread(s["cycles"], 0) if s["cycles"] and "latency" not in row else "",
                      spread(s["ratios"], 2) if s["ratios"] else "", target_of(row) if s["switch"] == "weft" else ""))
    lines.append("")
    lines.append("Medians (smallest-largest) of undisturbed runs; %d runs were disturbed and discarded." % discarded)
    return "\n".join(lines) + "\n"


def plot(summary):
    """Bars of the ratios, one group for each row, a tick where the target is."""
    bars = [s for s in summary if s["ratios"] and "latency" not in ROWS[s["row"]]]
    left, width, step = 290, 420, 18
    top = max([median(s["ratios"]) for s in bars] + [ROWS[s["row"]]["target"] or 0 for s in bars] + [1])
    out, y, last = [], 30, None
    for s in bars:
        row = ROWS[s["row"]]
        if (s["row"], s["far"]) != last:
            y += 8
            out.append('<text x="%d" y="%d" text-anchor="end">%s%s</text>' %
                       (left - 70, y + 12, row["title"], " (far)" if s["far"] else ""))
        last = (s["row"], s["far"])
        length = median(s["ratios"]) / top * width
        out.append('<text x="%d" y="%d" text-anchor="end" fill="#666">%s</text>' % (left - 6, y + 12, s["switch"]))
        out.append('<rect x="%d" y="%d" width="%.1f" height="13" fill="%s"/>' %
                   (left, y + 2, length, COLOURS.get(s["switch"], "#999")))
        out.append('<text x="%.1f" y="%d">%.2f</text>' % (left + length + 4, y + 12, median(s["ratios"])))
        if s["switch"] == "weft" and row["target"]:
            x = left + row["target"] / top * width
            out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#000"/>' % (x, x, y, y + 17))
        y += step
    head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">'
            '<rect width="100%%" height="100%%" fill="#fff"/>'
            '<text x="10" y="18" font-size="13">Rate, ratio to testpmd in the same round; a tick is the target</text>')
    return head % (left + width + 60, y + 20) + "\n".join(out) + "</svg>\n"


def facts_table(facts):
    """What is measured once, of each switch."""
    lines = ["", "| once | " + " | ".join(facts) + " |", "| --- |" + " --- |" * len(facts)]
    for title in dict.fromkeys(t for f in facts.values() for t in f):
        lines.append("| %s | %s |" % (title, " | ".join(f.get(title, "") for f in facts.values())))
    return "\n".join(lines) + "\n"


def write(directory, results, discarded, facts):
    os.makedirs(directory, exist_ok=True)
    summary = summarise(results)
    with open(os.path.join(directory, "results.json"), "w") as f:
        json.dump(results, f, indent=1)
    with open(os.path.join(directory, "table.md"), "w") as f:
        f.write(table(summary, discarded) + (facts_table(facts) if facts else ""))
    with open(os.path.join(directory, "plot.svg"), "w") as f:
        f.write(plot(summary))
    print(table(summary, discarded) + (facts_table(facts) if facts else ""), end="")
