"""Checks that send requests: the API answers, the clock is right, the credentials are accepted, what they may read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

from kajabi_async.cli.credentials.chain import SITE_VARIABLE, FoundCredentials
from kajabi_async.cli.doctor.findings import Finding, cure_for, failed, fine, skipped, warned
from kajabi_async.cli.error_lines import code_for, message_of
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.running import is_about_the_token
from kajabi_async.cli.signatures import resource_classes
from kajabi_async.client import Kajabi
from kajabi_async.errors import KajabiError, PermissionDeniedError
from kajabi_async.exchange import Answer, Request
from kajabi_async.models.account import Site
from kajabi_async.resources.account import read_version
from kajabi_async.session import Clock

__all__ = ["check_account", "check_api"]

_WARN_SECONDS: Final = 30
_FAIL_SECONDS: Final = 300
_MAX_SITES_SHOWN: Final = 5


async def check_api(api: Kajabi, clock: Clock) -> AsyncIterator[Finding]:
    """Read the version of the API, which needs no token, and compare the date of the answer with *clock*."""
    answers: list[tuple[Answer, float]] = []

    async def send_and_time(request: Request, **options: Any) -> Answer:
        before = clock.time()
        answer = await api.session.send(request, **options)
        answers.append((answer, (before + clock.time()) / 2))
        return answer

    try:
        version = await read_version(send_and_time)
    except KajabiError as error:
        yield failed("API", message_of(error), cure=cure_for(error), exit_code=code_for(error))
    else:
        name = f"{version.title or 'the API'} {version.version or 'without a version'}"
        yield fine("API", f"{name}, JSON:API {version.jsonapi or '?'}", **attrs.asdict(version))
    yield _clock(*answers[0]) if answers else skipped("clock", "there was no answer to compare the time with")


async def check_account(api: Kajabi, found: FoundCredentials) -> AsyncIterator[Finding]:
    """Request a token, the user, the sites, of which the one *found* must be one, and one row of every list."""
    try:
        user = await api.me()
    except KajabiError as error:
        refusal = failed("token", message_of(error), cure=cure_for(error, found), exit_code=code_for(error))
        if is_about_the_token(error):
            yield refusal
            for check in ("user", "site", "scopes"):
                yield skipped(check, "not tried, as there is no token")
            return
        yield fine("token", "the credentials are accepted")
        yield attrs.evolve(refusal, check="user")
    else:
        yield fine("token", "the credentials are accepted")
        known = {name: getattr(user, name, None) for name in ("name", "email", "role_level")}
        who = f"{known['name'] or 'without a name'} <{known['email'] or 'without an email'}>"
        yield fine("user", f"{who}, {known['role_level'] or 'no role'}", **known)
    finding, sites = await _site(api, found)
    yield finding
    ids = [site.id for site in sites]
    yield await _scopes(api, found.site_id if found.site_id in ids else next(iter(ids), None))


def _clock(answer: Answer, local: float) -> Finding:
    date = answer.headers.get("date") or answer.headers.get("Date") or ""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return skipped("clock", "the answer has no readable date")
    server = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + _age(answer)
    ahead = round(local - server)
    seconds = abs(ahead)
    if seconds <= _WARN_SECONDS:
        return fine("clock", f"within {_WARN_SECONDS} s of the API's", seconds_ahead=ahead)
    message = f"this machine's clock is {seconds} s {'ahead of' if ahead > 0 else 'behind'} the API's"
    cure = "set the clock, such as by switching time synchronisation on: timedatectl set-ntp true"
    if seconds <= _FAIL_SECONDS:
        return warned("clock", message, cure=cure, seconds_ahead=ahead)
    finding = warned("clock", message, cure=f"{cure}; certificates and signatures fail until then", seconds_ahead=ahead)
    return attrs.evolve(finding, status="fail", exit_code=ExitCode.MISUSED)


def _age(answer: Answer) -> int:
    """Return the seconds for which a cache kept the answer (RFC 9111, section 5.1)."""
    age = answer.headers.get("age", "")
    return int(age) if age.isascii() and age.isdigit() else 0


async def _site(api: Kajabi, found: FoundCredentials) -> tuple[Finding, tuple[Site, ...]]:
    try:
        sites = await api.sites.list().collect()
    except PermissionDeniedError as error:
        return warned("site", "the key may not see sites", cure=cure_for(error)), ()
    except KajabiError as error:
        return failed("site", message_of(error), cure=cure_for(error), exit_code=code_for(error)), ()
    ids = [site.id for site in sites]
    names = ", ".join(f"{site.id} {getattr(site, 'title', None) or ''}".rstrip() for site in sites[:_MAX_SITES_SHOWN])
    if found.site_id is not None:
        return _chosen_site(found.site_id, found.site_place, ids, names), sites
    if len(sites) > 1:
        cure = "set KAJABI_SITE_ID to one of them; without it, creating contacts and some lists are rejected"
        return warned("site", f"the key sees {len(sites)} sites: {names}", cure=cure, sites=ids), sites
    return fine("site", names or "the key sees no site", sites=ids), sites


def _chosen_site(site_id: str, place: str, ids: list[str], names: str) -> Finding:
    if site_id in ids:
        return fine("site", f"{place} is {site_id}", site_id=site_id, sites=ids)
    seen = f"one of those the key sees: {names or 'there are none'}"
    cure = f"set {place} to {seen}" if place == SITE_VARIABLE else f"`kajabi login --site-id ID` stores {seen}"
    return failed("site", f"{place} is {site_id}, which the key does not see", cure=cure, exit_code=ExitCode.MISUSED)


async def _scopes(api: Kajabi, site_id: str | None) -> Finding:
    """Read one row of each list, since the token answer names no scopes (API document)."""
    classes = resource_classes()
    outcomes = dict(
        zip(
            (str(cls.name) for cls in classes),
            await asyncio.gather(*(_read_one(api, cls, site_id) for cls in classes)),
            strict=True,
        )
    )
    seen = sorted(name for name, error in outcomes.items() if error is None)
    denied = sorted(name for name, error in outcomes.items() if isinstance(error, PermissionDeniedError))
    other = {name: message_of(error) for name, error in outcomes.items() if error is not None and name not in denied}
    facts: dict[str, Any] = {"seen": seen, "denied": denied, "failed": other}
    if not denied and not other:
        return fine("scopes", f"all {len(seen)} lists may be read", **facts)
    parts = [f"{len(seen)} of {len(outcomes)} lists may be read"]
    cures: list[str] = []
    if denied:
        parts.append(f"denied: {', '.join(denied)}")
        cures.append("grant the key the missing permissions under Settings, Security, User API Keys, if you need them")
    if other:
        parts.append(f"failed: {'; '.join(f'{name} ({text})' for name, text in sorted(other.items()))}")
        cures.append("run `kajabi doctor` again to see whether it lasts")
    return warned("scopes", ". ".join(parts), cure="; ".join(cures), **facts)


async def _read_one(api: Kajabi, cls: Any, site_id: str | None) -> KajabiError | None:
    options: dict[str, Any] = {"page_size": 1} if "page_size" in cls.list_options.__annotations__ else {}
    if site_id is not None and "site_id" in cls.filters.__annotations__:
        options["site_id"] = site_id
    try:
        await getattr(api, cls.name).list(**options).collect(limit=1)
    except KajabiError as error:
        return error
    return None
