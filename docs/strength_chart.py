# SPDX-License-Identifier: MIT
"""The chart of residual error against cost, made from docs/results/strength.csv by docs/write_tables.py."""
import math

LEFT, TOP, WIDTH, HEIGHT, GAP = 64, 40, 380, 300, 70
LOWEST = 0.02  # per cent: what is below stands on the axis


def panel(rows, x0, title, slowest):
    def x(time):
        return x0 + WIDTH * math.log(max(time, 1.0)) / math.log(slowest)

    def y(share):
        share = max(100 * share, LOWEST)
        return TOP + HEIGHT * (1 - math.log(share / LOWEST) / math.log(100 / LOWEST))
    out = [f'<text x="{x0}" y="{TOP - 16}" font-weight="bold">{title}</text>',
           f'<rect x="{x0}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>']
    for tick in (0.1, 1, 10, 100):
        out.append(f'<line x1="{x0}" x2="{x0 + WIDTH}" y1="{y(tick / 100):.1f}" y2="{y(tick / 100):.1f}" stroke="#ddd"/>'
                   f'<text x="{x0 - 6}" y="{y(tick / 100) + 4:.1f}" text-anchor="end">{tick:g} %</text>')
    for tick in (1, 1.1, 1.25, 1.5, 2, 3):
        if tick <= slowest:
            out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT + 5}" stroke="#999"/>'
                       f'<text x="{x(tick):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{tick:g}</text>')
    out.append(f'<text x="{x0 - 44}" y="{TOP + HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 {x0 - 44} {TOP + HEIGHT / 2})">answers changed</text>'
               f'<text x="{x0 + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">time, times unprotected</text>')
    taken = []
    for r in sorted(rows, key=lambda r: float(r["sdc1"])):
        at, mid = x(float(r["timing_factor"])), y(float(r["sdc1"]))
        low, high = y(float(r["sdc1_low"])), y(float(r["sdc1_high"]))
        out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="#6b8fb5"/>'
                   f'<circle cx="{at:.1f}" cy="{mid:.1f}" r="3.5" fill="#1f4e82"/>')
        # labels keep out of each other's way: the nearest free line, within the panel
        name = r["protection"]
        right = at + 8 + 6.2 * len(name) > x0 + WIDTH
        from_x = at - 8 - 6.2 * len(name) if right else at + 8

        def is_free(line):
            return TOP + 8 <= line <= TOP + HEIGHT - 3 and not any(
                abs(line - ty) < 11 and from_x < tx + 6.2 * tn and tx < from_x + 6.2 * len(name) for tx, ty, tn in taken)
        offsets = [4 + 11 * step * sign for step in range(20) for sign in (-1, 1)]
        text_y = next((mid + o for o in offsets if is_free(mid + o)), mid + 4)
        taken.append((from_x, text_y, len(name)))
        out.append(f'<text x="{at - 8 if right else at + 8:.1f}" y="{text_y:.1f}" text-anchor="{"end" if right else "start"}">{name}</text>')
    return out


def chart(rows, fault, rates):
    """One panel a number, at that number's rate."""
    parts, x0 = [], LEFT
    chosen = {n: [r for r in rows if r["fault"] == fault and r["number"] == n and float(r["ber"]) == rate] for n, rate in rates.items()}
    slowest = max(3.3, *(1.02 * float(r["timing_factor"]) for some in chosen.values() for r in some))
    for number, some in chosen.items():
        parts += panel(some, x0, f"{number}: faults in {fault}, bit error rate {rates[number]:g}", slowest)
        x0 += WIDTH + GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {x0} {TOP + HEIGHT + 50}" font-family="sans-serif" font-size="11">\n'
            '<title>Share of answers that faults change (SDC-1, 95 % intervals) against time</title>\n'
            f'<rect width="{x0}" height="{TOP + HEIGHT + 50}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")
