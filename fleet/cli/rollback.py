"""``fleet rollback``: the settings of an old revision as a new one, which raises no limit."""

from fleet.cli.apply import confirm, refuse_halted
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import Control, ControlDown, Rollback
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find, identity
from fleet.cli.plan import step_lines
from fleet.cli.whoami import me
from fleet.folder import Folder


def run(rev: int | None, *, yes: bool, wait_s: float, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    refuse_halted(folder)
    plan = _ask(folder, rev, dry=True)
    if not plan.steps:
        _finish(folder, plan, {}, output)
        return
    tell = put if output == "table" else say
    tell(f"back to revision {plan.to}, under the lesser of both's limits:")
    for line in step_lines(plan):
        tell(line)
    known = identity(folder)
    confirm(known.network if known else folder.root.name, yes=yes)
    done = _ask(folder, plan.to, plan_id=plan.plan_id)
    say(f"revision {done.revision}")
    from fleet.cli.observe import observe
    from fleet.cli.wait import wait_quoting

    names = [name for name, row in observe(folder).store.markets.items() if row.desired]
    _finish(folder, done, wait_quoting(folder, names, wait_s), output)


def _ask(
    folder: Folder, rev: int | None, *, dry: bool = False, plan_id: str | None = None
) -> Rollback:
    try:
        return Control(folder).rollback(rev, me(), dry=dry, plan_id=plan_id)
    except ControlDown as error:
        text = f"the supervisor of fleet {folder.root.name} is away ({error})"
        raise Failure(ExitCode.OUT_OF_REACH, text, "fleet apply MANIFEST starts it") from None


def _finish(folder: Folder, plan: Rollback, phases: dict[str, str], output: Output) -> None:
    if output == "json":
        put_json(
            {
                "fleet": folder.root.name,
                "revision": plan.revision,
                "to": plan.to,
                "changes": plan.steps,
                "markets": [{"market": name, "phase": phase} for name, phase in phases.items()],
            }
        )
    elif not plan.steps:
        put(f"no changes: revision {plan.to} is what runs, or its limits are above today's")
    else:
        put(f"back to revision {plan.to}, as revision {plan.revision}; {len(phases)} markets quote")
