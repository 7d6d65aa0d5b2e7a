"""A resume, and a halt by signal, as the process carries them out: questions, then the word."""

from agents.exchange.errors import ExchangeError
from fleet.gateway.api import ApiError, HaltRequest, ResumeRequest
from fleet.gateway.core import control
from fleet.gateway.core.resume_checks import standing
from fleet.gateway.halting import halt_lines
from fleet.gateway.service import Gateway

ASK = "userRole"


async def resume(gateway: Gateway, wanted: ResumeRequest) -> None:
    """Lift the halt and open the fences. ``control.Wrong``, and nothing is lifted, while what a
    halt is for still stands.
    """
    causes = standing(gateway.state, gateway.now_ms(), await _key(gateway))
    if causes:
        text = f"not yet: {'; '.join(causes)}"
        raise control.Wrong(ApiError("cause_stands", 5, text, "mend it, then fleet resume again"))
    gateway.run(control.resume(gateway.state, wanted.reason, wanted.by, gateway.now_ms()))


async def _key(gateway: Gateway) -> str | None:
    """What is wrong with the signing key; None: the venue lets it act for the account."""
    key, account = gateway.key_address, gateway.state.identity.address
    if key == account:
        return None
    try:
        told = await gateway.http.info({"type": ASK, "user": key})
    except ExchangeError as error:
        return f"the venue can't be asked about the signing key: {error}"
    data = told.get("data") if isinstance(told, dict) else None
    owner = data.get("user") if isinstance(data, dict) else None
    if isinstance(owner, str) and owner.lower() == account:
        return None
    return f"the venue no longer takes the signing key {key} for {account}"


async def halt_by_signal(gateway: Gateway) -> None:
    """SIGUSR1: whoever may send a signal to the gateway may halt the fleet."""
    request = HaltRequest(reason="SIGUSR1", by="signal")
    async for _ in halt_lines(gateway, request):
        pass
