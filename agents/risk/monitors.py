"""The monitors of one market: facts of one moment in, findings out. A timer asks, not messages.

loss         UTC day's loss            warn 80 %      kill 100 %, latched
drawdown     fall from the peak        warn 70 %      kill 100 %, latched
position     size against its limit    warn 95 %      reduce > 102 %    kill > ratio, latched
runaway      with all that is open                                      kill > ratio, latched
growth       of |position|, a minute                  pull, and hold
stuck        nothing reduces           warn half      kill, latched     reduce: under water
drift        venue's position          reduce 3 s     kill 30 s, latched
liquidated   told, or a leap                          kill, latched
liquidation  sigmas of an hour away    warn < 8       reduce < 5        kill and flatten < 3
maker        a quote has taken         reduce, latched
price        range over 5 s            pull           kill, latched
cascade      forced flow               widen          pull              kill, latched
oracle       stands still, or is far   reduce
data         age of the touch          warn half      pull              kill, latched
streams      mark, account             warn half      reduce
venue        slow answers              widen          pull
rate         refusals a minute         warn           pull              kill, latched
"""

from agents.risk import gates, holding, market, money, service
from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Verdict, aggregate
from agents.settings import RiskSettings

MONITORS = (
    gates.latched, money.loss, money.drawdown, holding.drift, holding.liquidated,
    holding.liquidation, holding.position, holding.runaway, holding.stuck, holding.growth,
    gates.fence, gates.link, service.data, service.streams, service.rate, service.venue,
    market.price, market.cascade, market.oracle,
    gates.directive, gates.directive_age, gates.readiness, gates.operator,
)  # fmt: skip


def findings(facts: Facts, settings: RiskSettings) -> list[Finding]:
    """All that the monitors find."""
    found = []
    for monitor in MONITORS:
        finding = monitor(facts, settings)
        if finding is not None:
            found.append(finding)
    return found


def judge(facts: Facts, settings: RiskSettings) -> Verdict:
    """All monitors, one verdict."""
    return aggregate(findings(facts, settings))
