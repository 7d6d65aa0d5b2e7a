"""How the venue serves us: feeds that fall silent, slow answers, rate limits."""

import math
from typing import Final

from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Mode
from agents.settings import RiskSettings

WARN_SHARE: Final = 0.5
SLOW_PULL_RATIO: Final = 2.0


def data(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Old, missing or crossed data: no quote at all, not even a reducing one.

    Silence over a link that is up is an anomaly and latches; without a link it is no surprise.
    """
    age_s, most_s = facts.data_age_s, settings.data_age_max_s
    if age_s is None:
        return Finding(Mode.BLIND, "no market data yet", "data")
    evidence = (("data_age_s", age_s), ("data_age_max_s", most_s))
    if age_s > settings.data_age_halt_s:
        text = f"market data {age_s:.0f} s old"
        latches = facts.link_up or facts.feed_gap
        return Finding(Mode.KILL, text, "data", evidence, latches=latches)
    text, mode = f"market data {age_s:.1f} s old", Mode.BLIND
    if age_s <= most_s:
        if facts.crossed:
            text = "crossed book"
        elif not facts.two_sided:
            text = "one-sided book"
        elif age_s > WARN_SHARE * most_s:
            mode = Mode.WARN
        else:
            return None
    return Finding(mode, text, "data", evidence)


def streams(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Each stream for itself: marks and the account may be silent while the book is not."""
    most_s = settings.advanced.stream_age_max_s
    for age_s, name in ((facts.ctx_age_s, "mark and oracle"), (facts.account_age_s, "the account")):
        if age_s is None or age_s <= WARN_SHARE * most_s:
            continue
        mode = Mode.REDUCE_ONLY if age_s > most_s else Mode.WARN
        evidence = (("age_s", age_s), ("stream_age_max_s", most_s))
        return Finding(mode, f"{name}: not told for {age_s:.0f} s", "streams", evidence)
    return None


def venue(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Answers come late: stand back by what the price may do meanwhile; too late: only reduce."""
    slow_s, most_s = facts.answer_s, settings.advanced.answer_max_s
    if slow_s <= most_s:
        return None
    evidence = (("answer_s", slow_s), ("answer_max_s", most_s))
    text = f"the venue answers after {slow_s:.1f} s"
    if slow_s > SLOW_PULL_RATIO * most_s:
        return Finding(Mode.PULL, text, "venue", evidence)
    sigma_bps = facts.sigma_bps or 0.0
    more_bps = sigma_bps * (math.sqrt(slow_s) - math.sqrt(min(facts.answer_usual_s, slow_s)))
    return Finding(Mode.WIDEN, text, "venue", evidence, more_bps)


def rate(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The venue turns requests away for their number: told, then less is asked, then nothing."""
    count, most = facts.rate_limited, settings.advanced.rate_limited_max_per_min
    if not count:
        return None
    evidence = (("refused_per_min", float(count)), ("rate_limited_max_per_min", float(most)))
    text = f"{count} requests refused by rate limits within a minute"
    if count > most:
        return Finding(Mode.KILL, text, "rate", evidence, latches=True)
    return Finding(Mode.PULL if count >= most else Mode.WARN, text, "rate", evidence)
