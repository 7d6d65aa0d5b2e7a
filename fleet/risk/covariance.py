"""How the markets move together: returns sampled at one moment for all, weighted by age, shrunk.

    R_ij   sample correlation of the returns both markets have, half-life ``half_life_s``
    T_ij   b_i*b_j, the one factor that fits the off-diagonal of R best
    R      = (1 - shrink)*R + shrink*T,   shrink = sum Var(R_ij) / sum (R_ij - T_ij)^2 within 0..1
    R      eigenvalues lifted to ``EIGENVALUE_MIN``, diagonal made 1 again

Sources: Ledoit & Wolf (2003) for the one-factor target; Schäfer & Strimmer (2005) for the shrinkage
of a correlation matrix, with Var(R_ij) = (1 - R_ij^2)^2 / n_ij. Returns over 10 s and longer, since
markets tick at different moments, which biases the correlation of shorter ones to 0 (Epps).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from agents.market.units import BPS, MS_PER_S

Matrix = NDArray[np.float64]

SAMPLE_MS: Final = 10_000
GAP_MAX_MS: Final = 60_000
"""Over a longer silence no return is taken: it would be one of another length."""
AGE_MAX_MS: Final = 3_000
HALF_LIFE_S: Final = 1_800.0
SAMPLES_MIN: Final = 30.0
MOVE_MAX: Final = 0.2
"""Of one sample, in log price: no single print may own the estimate for hours."""
EIGENVALUE_MIN: Final = 0.01
FACTOR_ROUNDS: Final = 50


class Seen(msgspec.Struct, frozen=True):
    """One market's price and how old it is; an old one is left out of the estimate."""

    px: float
    age_ms: int


class Kept(msgspec.Struct, frozen=True):
    """The estimate as stored. ``powers``: the squares of i's returns, of those that j has too."""

    markets: tuple[str, ...]
    at_ms: int
    log_px: tuple[float | None, ...]
    products: tuple[tuple[float, ...], ...]
    powers: tuple[tuple[float, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    squares: tuple[tuple[float, ...], ...]


class Covariance:
    """Sums of products of returns (bps/sqrt(s)) and of their weights, pair by pair: a pair's
    correlation rests on the returns that both have.
    """

    def __init__(self, half_life_s: float = HALF_LIFE_S) -> None:
        self.half_life_s = half_life_s
        self.markets: tuple[str, ...] = ()
        self.at_ms: int | None = None
        self._log_px: Matrix = np.empty(0)
        self._found: dict[tuple[str, ...], Matrix] = {}
        self._factors: dict[tuple[str, ...], Matrix] = {}
        self._products: Matrix = np.empty((0, 0))
        self._powers: Matrix = np.empty((0, 0))
        self._weights: Matrix = np.empty((0, 0))
        self._squares: Matrix = np.empty((0, 0))

    def sample(self, seen: Mapping[str, Seen], now_ms: int) -> bool:
        """Take one sample if it is due. Markets that are gone are forgotten; a new one begins."""
        if self.at_ms is not None and 0 <= now_ms - self.at_ms < SAMPLE_MS:
            return False
        self._list(tuple(sorted(seen)))
        passed_ms = None if self.at_ms is None else now_ms - self.at_ms
        now = np.array([_log_px(seen[market]) for market in self.markets])
        if passed_ms is not None and 0 < passed_ms <= GAP_MAX_MS:
            dt_s = passed_ms / MS_PER_S
            moved = np.clip(now - self._log_px, -MOVE_MAX, MOVE_MAX) * BPS / math.sqrt(dt_s)
            known = np.isfinite(moved)
            returns = np.where(known, moved, 0.0)
            both = np.outer(known, known).astype(np.float64)
            decay = 0.5 ** (dt_s / self.half_life_s)
            # What two markets did not both show leaves their estimate as it is.
            kept = np.where(both > 0, decay, 1.0)
            self._products = kept * self._products + np.outer(returns, returns)
            self._powers = kept * self._powers + both * (returns**2)[:, None]
            self._weights = kept * self._weights + both
            self._squares = kept * kept * self._squares + both
        self._log_px, self.at_ms = now, now_ms
        self._forget()
        return True

    # ── what it says ─────────────────────────────────────────────────────────────────────────

    def samples(self, markets: Sequence[str]) -> Matrix:
        """Effective number of common samples of each pair; 0 of one not known."""
        at = [self._index(market) for market in markets]
        known = [row for row, i in enumerate(at) if i is not None]
        pick = np.ix_([i for i in at if i is not None], [i for i in at if i is not None])
        squares = self._squares[pick]
        found = np.zeros((len(at), len(at)))
        if known:
            found[np.ix_(known, known)] = self._weights[pick] ** 2 / np.where(squares, squares, 1.0)
        return found

    def sigma_bps(self, market: str) -> float | None:
        """Volatility in bps/sqrt(s); None before enough samples."""
        at = self._index(market)
        if at is None or not self._enough(at):
            return None
        return math.sqrt(float(self._products[at, at] / self._weights[at, at]))

    def _enough(self, at: int) -> bool:
        squares = float(self._squares[at, at])
        return squares > 0 and float(self._weights[at, at]) ** 2 >= SAMPLES_MIN * squares

    def ready(self, market: str) -> bool:
        """Whether there are enough samples of it, and it has moved at all."""
        return bool(self.sigma_bps(market))

    def correlation(self, markets: Sequence[str]) -> Matrix:
        """Of markets that are ready: shrunk, positive definite; not to be written into. Pairs with
        too few common samples count as uncorrelated. It changes with a sample, and is kept for all
        who ask between two.
        """
        known = self._found.get(tuple(markets))
        if known is None:
            known = self._found[tuple(markets)] = self._correlation(markets)
        return known

    def factor(self, markets: Sequence[str]) -> Matrix:
        """Their loadings on the one factor; not to be written into."""
        known = self._factors.get(tuple(markets))
        if known is None:
            known = self._factors[tuple(markets)] = one_factor(self.correlation(markets))
        return known

    def _forget(self) -> None:
        self._found.clear()
        self._factors.clear()

    def _correlation(self, markets: Sequence[str]) -> Matrix:
        at = np.array([self._index(market) for market in markets], dtype=np.intp)
        if len(at) == 0:
            return np.empty((0, 0))
        counts = self.samples(markets)
        pick = np.ix_(at, at)
        powers = self._powers[pick]
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = np.nan_to_num(self._products[pick] / np.sqrt(powers * powers.T))
        raw[counts < SAMPLES_MIN] = 0.0
        raw = np.clip((raw + raw.T) / 2, -1.0, 1.0)
        np.fill_diagonal(raw, 1.0)
        return floored(shrunk(raw, counts))

    # ── over restarts ────────────────────────────────────────────────────────────────────────

    def kept(self) -> Kept:
        return Kept(
            markets=self.markets,
            at_ms=self.at_ms or 0,
            log_px=tuple(None if math.isnan(px) else px for px in self._log_px.tolist()),
            products=_rows(self._products),
            powers=_rows(self._powers),
            weights=_rows(self._weights),
            squares=_rows(self._squares),
        )

    def restore(self, kept: Kept) -> None:
        """Go on from what was stored. ValueError where its parts don't fit together."""
        count = len(kept.markets)
        stored = (kept.products, kept.powers, kept.weights, kept.squares)
        matrices = [np.array(rows, dtype=np.float64) for rows in stored]
        shapes = {m.shape for m in matrices} if count else {(0, 0)}
        if shapes != {(count, count)} or len(kept.log_px) != count:
            raise ValueError(f"{count} markets, matrices of {sorted(shapes)}")
        if not all(np.isfinite(matrix).all() for matrix in matrices):
            raise ValueError("a matrix holds what is no number")
        self.markets, self.at_ms = kept.markets, kept.at_ms or None
        self._forget()
        self._log_px = np.array([math.nan if px is None else px for px in kept.log_px])
        if count:
            self._products, self._powers, self._weights, self._squares = matrices

    # ─────────────────────────────────────────────────────────────────────────────────────────

    def _index(self, market: str) -> int | None:
        return self.markets.index(market) if market in self.markets else None

    def _list(self, markets: tuple[str, ...]) -> None:
        """Make room for exactly these markets, keeping what is known of them."""
        if markets == self.markets:
            return
        at = [self._index(market) for market in markets]
        size = len(markets)
        log_px = np.full(size, math.nan)
        fresh = [np.zeros((size, size)) for _ in range(4)]
        held = (self._products, self._powers, self._weights, self._squares)
        for row, i in enumerate(at):
            if i is None:
                continue
            log_px[row] = self._log_px[i]
            for column, j in enumerate(at):
                if j is not None:
                    for new, old in zip(fresh, held, strict=True):
                        new[row, column] = old[i, j]
        self.markets, self._log_px = markets, log_px
        self._products, self._powers, self._weights, self._squares = fresh


def shrunk(raw: Matrix, counts: Matrix) -> Matrix:
    """Towards the one factor, by as much as the samples leave in doubt."""
    if len(raw) < 3:  # two markets always fit one factor
        return raw
    loadings = one_factor(raw)
    target = np.outer(loadings, loadings)
    off = ~np.eye(len(raw), dtype=bool)
    doubt = np.where(off, (1.0 - raw**2) ** 2 / np.maximum(counts, 1.0), 0.0).sum()
    apart = np.where(off, (raw - target) ** 2, 0.0).sum()
    share = 1.0 if apart <= doubt else float(doubt / apart)
    mixed: Matrix = (1.0 - share) * raw + share * target
    np.fill_diagonal(mixed, 1.0)
    return mixed


def one_factor(raw: Matrix) -> Matrix:
    """Loadings b: b_i*b_j is nearest to ``raw`` off the diagonal (principal factor); of the two
    signs the one that makes their sum positive.
    """
    off = raw - np.diag(np.diag(raw))
    share = np.max(np.abs(off), axis=1)
    loadings: Matrix = np.zeros(len(raw))
    for _ in range(FACTOR_ROUNDS):
        values, vectors = np.linalg.eigh(off + np.diag(share))
        loadings = vectors[:, -1] * math.sqrt(max(float(values[-1]), 0.0))
        loadings = np.clip(loadings, -1.0, 1.0)
        moved = float(np.max(np.abs(loadings**2 - share)))
        share = loadings**2
        if moved < 1e-6:
            break
    return loadings if loadings.sum() >= 0 else -loadings


def floored(matrix: Matrix) -> Matrix:
    """Eigenvalues of at least ``EIGENVALUE_MIN`` and ones on the diagonal; else left as it is."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= EIGENVALUE_MIN:
        return matrix
    lifted = (vectors * np.maximum(values, EIGENVALUE_MIN)) @ vectors.T
    scale = np.sqrt(np.diag(lifted))
    repaired: Matrix = lifted / np.outer(scale, scale)
    repaired = (repaired + repaired.T) / 2
    np.fill_diagonal(repaired, 1.0)
    return repaired


def _log_px(seen: Seen) -> float:
    fresh = seen.age_ms <= AGE_MAX_MS and math.isfinite(seen.px) and seen.px > 0
    return math.log(seen.px) if fresh else math.nan


def _rows(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
