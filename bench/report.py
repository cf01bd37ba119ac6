"""Tables in Markdown: the median of each proxy's rounds, their spread, and the ratio to ours."""

import statistics


def times(title, unit, values, ours="sluice"):
    """Rows of proxies that were measured in rounds; the ratio is the median of the rounds' own ratios."""
    lines = [f"### {title}", "", f"| | median, {unit} | quartiles | {ours} / it, median | quartiles | rounds |", "|---|---|---|---|---|---|"]
    for name, row in values.items():
        ratios = [own / theirs for own, theirs in zip(values[ours], row)]
        lines.append(
            f"| {name} | {statistics.median(row):.2f} | {spread(row)} | {statistics.median(ratios):.3f} | {spread(ratios, 3)} "
            f"| {len(row)} |")
    return lines + [""]


def counts(title, columns, values, digits=2):
    """Rows of proxies with exact counts."""
    lines = [f"### {title}", "", "| | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in values.items():
        lines.append(f"| {name} | " + " | ".join(number(row[column], digits) for column in columns) + " |")
    return lines + [""]


def system_calls(title, values):
    """Rows of proxies with their system calls, most frequent first."""
    lines = [f"### {title}", "", "| | all | of which |", "|---|---|---|"]
    for name, row in values.items():
        calls = sorted(((count, call) for call, count in row.items() if call != "total" and count >= 0.005), reverse=True)
        text = ", ".join(f"{call} {count:.2f}" for count, call in calls)
        lines.append(f"| {name} | {sum(count for count, _ in calls):.2f} | {text} |")
    return lines + [""]


def summary(rows, names):
    """All that was measured in one table: the median of each proxy, its spread, and the ratio of ours to it.

    `rows` are title, unit and for each name a list of rounds or one exact figure.
    """
    lines = ["### All of it", "", "| | " + " | ".join(f"{name}, {unit(name)}" for name in names) + " |",
             "|---" * (len(names) + 1) + "|"]
    for title, values in rows:
        cells = [cell(values["sluice"], values[name], is_ours=name == "sluice") if name in values else "–" for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines + [""]


def unit(name):
    return "median (spread)" if name == "sluice" else "median (spread), sluice / it"


def cell(ours, theirs, is_ours):
    if not isinstance(theirs, list):
        ratio = "" if is_ours else f", **{ours / theirs:.3f}**"
        return f"{number(theirs, 2)}{ratio}"
    ratio = "" if is_ours else f", **{statistics.median(own / other for own, other in zip(ours, theirs)):.3f}**"
    return f"{number(statistics.median(theirs), 1)} ({spread(theirs, 1)}){ratio}"


def spread(row, digits=2):
    if len(row) < 4:
        return f"{min(row):.{digits}f}–{max(row):.{digits}f}"
    low, _, high = statistics.quantiles(row, n=4)
    return f"{low:.{digits}f}–{high:.{digits}f}"


def number(value, digits):
    return f"{value:,.0f}" if value >= 100 else f"{value:.{digits}f}"
