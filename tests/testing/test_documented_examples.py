"""The examples in the package's docstring run."""

import textwrap
from random import Random

import kajabi_async.testing
from kajabi_async.testing import FakeKajabi, FaultPlan, FaultProxy, RequestLimit, faults, toxics
from kajabi_async.testing.faults import KINDS
from tests.redis_server import free_port


def _example(title: str) -> str:
    """Return the code below a title of the docstring."""
    section = str(kajabi_async.testing.__doc__).partition(f"\n{title}\n-")[2].partition("\n---")[0]
    code = section.partition("::\n\n")[2]
    lines = [line for line in code.splitlines() if line.startswith("    ") or not line]
    return textwrap.dedent("\n".join(lines))


def test_the_single_faults_are_ordered_as_shown(fake: FakeKajabi) -> None:
    """Every line runs."""
    exec(_example("Single faults"), {"fake": fake, "faults": faults})
    assert (fake.token_uses, fake.clock.offset) == (100, -3600)


def test_the_plan_is_made_as_shown() -> None:
    """The first line runs."""
    plan_line = _example("Reproducible mixes of faults").partition("\n")[0]
    names: dict[str, object] = {"FaultPlan": FaultPlan, "faults": faults}
    exec(plan_line, names)
    plan = names["plan"]
    assert isinstance(plan, FaultPlan)
    assert (plan.rate, plan.kinds[-1]) == (0.05, faults.Delay(0.0, up_to=0.3))


def test_the_limits_are_set_as_shown(fake: FakeKajabi) -> None:
    """The last one stays."""
    exec(_example("An unannounced rate limit"), {"fake": fake, "RequestLimit": RequestLimit})
    assert fake.rate_limit == RequestLimit(100, 60.0, retry_after="seconds")


async def test_the_toxics_are_added_as_shown() -> None:
    """The body of the async with runs."""
    body = textwrap.dedent(_example("Bad networks").partition("as proxy:\n")[2])
    async with FaultProxy(f"redis://127.0.0.1:{free_port()}/0") as proxy:
        connected: list[str] = []
        exec(body, {"proxy": proxy, "toxics": toxics, "connect": connected.append})
        assert connected == [proxy.url]
        assert [active.toxic.kind for active in proxy.toxics] == ["limit_data", "down"]


def test_every_kind_is_in_the_table_of_faults() -> None:
    """A user can look up every name there."""
    table = str(faults.__doc__)
    assert len(KINDS) > 40
    for name in KINDS:
        short = f"``_{name.removeprefix('retry_after_')}``"
        assert f"``{name}``" in table or short in table


def test_the_transient_group_waits_a_second_at_most() -> None:
    """Its documentation promises this, so that tests with it stay fast."""
    group = [KINDS[name] for name in faults.GROUPS["transient"]]
    waits = [fault.wait for fault in group if isinstance(fault, faults.TooManyRequests)]
    delays = [fault.drawn(Random(1)) for fault in group if isinstance(fault, faults.Delay)]
    assert 0 < max(waits) <= 1
    assert 0 < max(delays) <= 1
