"""Faults of requests, to inject singly or in a seeded mix.

===============  ======================================  ==============================================================
Effect applied   Kind                                    What happens
===============  ======================================  ==============================================================
yes              ``latency``, ``random_latency``         the answer is late: ``Delay(seconds, up_to=...)``
yes              ``dribble``                             the body arrives in small pieces: ``Dribble(pause, bytes)``
no               ``retry_after_seconds``, ``_float``,    429 with Retry-After in that form:
                 ``_date``, ``_past_date``,              ``TooManyRequests(form, wait)``
                 ``_negative``, ``_huge``,
                 ``_garbage``, ``_absent``
no               ``failure``                             an error document: ``Failure(status, headers, body)``
no               ``html_error``, ``html_success``        a web page with 502 or 200: ``HtmlAnswer(status)``
yes              ``cut_length``, ``cut_chunked``         the body ends too early: ``CutBody(framing)``
no               ``reset_before_answer``                 RST before the request is processed: ``Reset(when)``
yes              ``reset_mid_body``                      RST in the middle of the body
no               ``reset_reused``                        RST, on kept-alive connections only
yes              ``lost_answer``                         closed in order, without a byte: ``LostAnswer()``
if not "before"  ``drop``                                the connection is aborted: ``Cut(when)``
no               ``hang``                                no answer until the fake is closed: ``Hang()``
yes              ``hang_after_headers``                  headers, then nothing: ``Hang(after_headers=True)``
no               ``gzip_bomb``, ``deflate_bomb``         a small body, 300 MiB decompressed: ``Bomb(coding, size)``
yes              ``broken_gzip``, ``broken_deflate``     a body that cannot be decompressed: ``BrokenCompression(...)``
yes              ``malformed_json``, ``not_utf8``,       an unreadable or dangerous document:
                 ``nan``, ``infinity``,                  ``OddJson(oddity)``
                 ``negative_infinity``,
                 ``deep_nesting``, ``big_int``,
                 ``big_float``
yes              ``repeated_rows``                       a page begins with rows of the preceding page
yes              ``row_inserted``, ``row_removed``       the data changes after a page: ``RowsMove(change)``
yes              ``repeated_next``, ``cyclic_next``,     the next link leads in circles or to a foreign host, or the
                 ``empty_page``, ``hostile_next``        page is empty: ``OddNext(turn, link)``
yes              ``data_change``                         any change of the data: ``DataChange(callable)``
yes              ``clock_forward``, ``clock_back``       the server's clock jumps: ``ClockJump(seconds)``
no               ``token_expired``, ``token_refused``    the token expires, or is rejected once
===============  ======================================  ==============================================================
"""

from kajabi_async.testing.faults.catalogue import GROUPS, KINDS, faults_named
from kajabi_async.testing.faults.compression import Bomb, BrokenCompression, Coding, Damage
from kajabi_async.testing.faults.connections import Cut, CutBody, DropTime, Framing, LostAnswer, Reset, ResetTime
from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.faults.json_bodies import Oddity, OddJson
from kajabi_async.testing.faults.mix import FaultPlan, Injection, PlanOrder
from kajabi_async.testing.faults.paging import (
    HOSTILE_LINKS,
    DataChange,
    OddNext,
    RepeatedRows,
    RowChange,
    RowsMove,
    Turn,
)
from kajabi_async.testing.faults.server_state import ClockJump, ExpiredToken, RefusedToken
from kajabi_async.testing.faults.statuses import Canned, Failure, HtmlAnswer, TooManyRequests
from kajabi_async.testing.faults.timing import Delay, Dribble, Hang, Latency

__all__ = [
    "GROUPS",
    "HOSTILE_LINKS",
    "KINDS",
    "Bomb",
    "BrokenCompression",
    "Canned",
    "ClockJump",
    "Coding",
    "Cut",
    "CutBody",
    "Damage",
    "DataChange",
    "Delay",
    "Dribble",
    "DropTime",
    "ExpiredToken",
    "Failure",
    "Fault",
    "FaultPlan",
    "Framing",
    "Hang",
    "HtmlAnswer",
    "Incident",
    "Injection",
    "Latency",
    "LostAnswer",
    "OddJson",
    "OddNext",
    "Oddity",
    "PlanOrder",
    "RefusedToken",
    "RepeatedRows",
    "Reset",
    "ResetTime",
    "RowChange",
    "RowsMove",
    "TooManyRequests",
    "Turn",
    "faults_named",
]
