"""The CA's validation of one order's names, as its challenges report it while the order is still pending (RFC 8555 §7.5.1, §8.2).

Not every CA shows a failed name in the order: some only mark the challenge invalid, some leave everything pending and put the
error into the challenge, some refuse the response to the challenge. So each reply is evaluated, and after a second the
authorizations are fetched as well. A pending challenge with an error may still succeed: CAs retry, some only on request.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from core.acme import authorization as authorizations
from core.acme import failure
from core.acme.authorization import Authorization, Challenge
from core.acme.near_or_far import request_each
from core.acme.problem import Problem, parse
from core.acme.problem_type import ProblemType
from core.acme.session import AcmeSession
from core.acme.wire import Json, object_of, plain, text_of
from core.errors import AcmeProblem, RateLimited
from core.events import Narrator

FIRST_LOOK_SECONDS = 1.0
"""Most CAs are done by then; until then only the order is polled."""
LOOK_EVERY_SECONDS = 5.0
SECONDS_A_NAME = 0.2
"""Many names are checked less often: at most five requests a second."""
GRACE_SECONDS = 45.0
"""How long a challenge may be pending with an error."""
ANSWER_AGAIN_SECONDS = 15.0
"""RFC 8555 §8.2: a client requests a retry by sending its response again."""
_SEEN_THERE = (
    ProblemType.CAA,
    ProblemType.CONNECTION,
    ProblemType.DNS,
    ProblemType.INCORRECT_RESPONSE,
    ProblemType.TLS,
    ProblemType.UNAUTHORIZED,
)
"""Results of a validation: as the refusal of a challenge response, they are its result."""


class Validation:
    """The open challenges of one order."""

    def __init__(self, session: AcmeSession, challenges: Sequence[Challenge], narrator: Narrator) -> None:
        self._session = session
        self._narrator = narrator
        self._open: dict[str, Challenge] = {}
        self._failing_since: dict[str, float] = {}
        self._answered_at: dict[str, float] = {}
        for challenge in challenges:
            self._keep(challenge)
        self._began = self._now
        self._next_look = self._began + FIRST_LOOK_SECONDS

    @property
    def _now(self) -> float:
        return self._session.clock.monotonic()

    def answer(self) -> None:
        """Ask the CA to validate every pending name.

        Raises AuthorizationFailed (`authorization-failed`) if a reply says that a name failed; AcmeProblem.
        """
        self._answer([one for one in self._open.values() if one.status == "pending"])
        self._began = self._now
        self._next_look = self._began + FIRST_LOOK_SECONDS

    def words(self) -> str:
        """Check the names again if that is due; return what the CA reports about names that may still succeed, or an empty text.

        Raises AuthorizationFailed (`authorization-failed`) when a name has failed, or has had an error for too long.
        """
        if self._open and self._now >= self._next_look:
            self._look()
        failing = [one for one in self._open.values() if one.problem is not None]
        self._give_up([one for one in failing if self._now - self._failing_since[one.url] >= GRACE_SECONDS])
        due = [one for one in failing if self._now - self._answered_at.get(one.url, 0.0) >= ANSWER_AGAIN_SECONDS]
        self._answer([one for one in due if one.status == "pending"])
        reported = [f"{one.name}: {one.problem.detail or one.problem.word}" for one in failing if one.problem]
        return "; ".join(reported[: failure.NAMED])

    def _answer(self, challenges: Sequence[Challenge]) -> None:
        now = self._now
        self._answered_at.update((one.url, now) for one in challenges)
        answers = request_each(self._session.clock, self._answered, challenges)
        for challenge, said in zip(challenges, answers, strict=True):
            self._note(challenge, said)
        self._give_up([one for one in self._open.values() if one.status == "invalid"])

    def _answered(self, challenge: Challenge) -> Json:
        """Answer the challenge and return its state in the CA's reply."""
        try:
            return self._session.post(challenge.url, {}).json
        except RateLimited:
            raise
        except AcmeProblem as exc:
            if ProblemType.of_error(exc) in _SEEN_THERE:
                return {"status": "invalid", "error": {**exc.details, "subproblems": None}}
            # A refusal counts only if the challenge is still pending: an earlier request may have arrived.
            found = self._session.post(challenge.url, None).json
            if found.get("status") == "pending":
                raise
            return found

    def _look(self) -> None:
        session = self._session
        self._next_look = self._now + max(LOOK_EVERY_SECONDS, SECONDS_A_NAME * len(self._open))
        urls = dict.fromkeys(one.authorization for one in self._open.values())
        try:
            found = request_each(session.clock, lambda url: authorizations.fetch(session, url), list(urls))
        except AcmeProblem as exc:
            if isinstance(exc, RateLimited):
                raise
            return  # the order still shows the progress
        dead = [each for each in found if each.is_dead]
        if dead:
            raise failure.of_authorizations(session, dead, self._narrator)
        by_url = {challenge.url: challenge for each in found for challenge in each.challenges}
        done = {each.url for each in found if each.status == "valid"}
        for url, challenge in list(self._open.items()):
            if challenge.authorization in done:
                del self._open[url]
            elif url in by_url:
                self._keep(by_url[url])
        self._give_up([one for one in self._open.values() if one.status == "invalid"])

    def _note(self, challenge: Challenge, said: Json) -> None:
        error = object_of(said, "error")
        status = plain(text_of(said, "status") or challenge.status, 40)
        self._keep(replace(challenge, status=status, problem=parse(error) if error else None))

    def _keep(self, challenge: Challenge) -> None:
        self._open[challenge.url] = challenge
        if challenge.problem is None or challenge.status == "valid":
            self._failing_since.pop(challenge.url, None)
            if challenge.problem is not None:
                self._open[challenge.url] = replace(challenge, problem=None)
        else:
            self._failing_since.setdefault(challenge.url, self._now)

    def _give_up(self, challenges: Sequence[Challenge]) -> None:
        if challenges:
            raise failure.of_authorizations(self._session, [_failed(one) for one in challenges], self._narrator)


def _failed(challenge: Challenge) -> Authorization:
    """Return the authorization of a failed challenge, as far as the challenge shows it."""
    problem: Problem | None = challenge.problem
    return Authorization(
        url=challenge.authorization,
        identifier=challenge.identifier,
        wildcard=challenge.wildcard,
        status="invalid",
        challenges=(),
        offered=(),
        problem=problem,
        failed_type=challenge.type,
    )
