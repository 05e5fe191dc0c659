from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.errors import UntrustedLinkError
from kajabi_async.jsonapi.links import LinkRules, TrustedLink
from kajabi_async.jsonapi.query import encoded_pairs
from tests.jsonapi.rules import OFFICIAL, OWN, TEMPLATES, rules_for

CUSTOMERS = "/v1/customers"


@pytest.mark.parametrize(
    "link",
    [
        "https://api.kajabi.com/v1/contacts/321",
        "https://app.kajabi.com/api/v1/contacts/321",
        "http://127.0.0.1:8080/v1/contacts/321",
        "https://api.kajabi.com:443/v1/contacts/321",
        "HTTPS://API.Kajabi.COM/v1/contacts/321",
        "/v1/contacts/321",
        "/api/v1/contacts/321",
    ],
)
def test_rebuilds_a_link_of_the_api_on_our_own_base(link: str) -> None:
    """Both official hosts, the base itself and links without a host all mean the same path of the API."""
    assert OWN.rebuild(link) == TrustedLink("/v1/contacts/{id}", "321", "/v1/contacts/321", "")


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        ("http://127.0.0.1", "http://127.0.0.1:80/v1/contacts/321"),
        ("http://127.0.0.1:80", "http://127.0.0.1/v1/contacts/321"),
        ("https://localhost:443", "https://localhost:/v1/contacts/321"),
        ("https://localhost", "//localhost/v1/contacts/321"),
    ],
)
def test_takes_a_port_that_goes_without_saying_for_said(base_url: str, link: str) -> None:
    """443 for https and 80 for http are the same place with and without being written, as is a link's own scheme."""
    assert rules_for(base_url).rebuild(link).path == "/v1/contacts/321"


@pytest.mark.parametrize("template", sorted(set(TEMPLATES)))
@pytest.mark.parametrize("origin", [f"{origin}{prefix}" for origin, prefix in OFFICIAL])
def test_knows_every_path_of_the_api(template: str, origin: str) -> None:
    """A link to any operation is recognised as that operation's, with the id that stands in it."""
    resource_id = "2150966111" if "{" in template else ""
    path = f"{template.partition('{')[0]}{resource_id}{template.partition('}')[2]}" if resource_id else template
    link = f"{origin}{path.removeprefix('/v1')}"
    assert OWN.rebuild(link) == TrustedLink(template, resource_id, path, "")


@pytest.mark.parametrize("event", ["purchase", "payment_succeeded", "order_created", "form_submission", "tag_added"])
def test_prefers_a_literal_path_to_one_with_an_id(event: str) -> None:
    """``/v1/hooks/purchase_sample`` is the sample, not the hook of that id, in any order of the paths."""
    link = f"https://api.kajabi.com/v1/hooks/{event}_sample"
    for templates in (sorted(TEMPLATES), sorted(TEMPLATES, reverse=True)):
        rules = LinkRules(base_url="http://127.0.0.1:8080", origins=OFFICIAL, templates=templates)
        assert rules.rebuild(link).template == f"/v1/hooks/{event}_sample"
        with pytest.raises(UntrustedLinkError, match="not one that is expected here"):
            rules.rebuild(link, expected={"/v1/hooks/{id}"})


@pytest.mark.parametrize(
    "link",
    [
        "?page[number]=2&page[size]=50",
        "/v1/customers?page[number]=2&page[size]=50",
        "customers?page[number]=2&page[size]=50",
        "./customers?page%5Bnumber%5D=2&page%5Bsize%5D=50",
        "https://app.kajabi.com/api/v1/customers?page[number]=2&page[size]=50",
    ],
)
def test_resolves_links_against_the_request(link: str) -> None:
    """Row 52: a relative link is relative to the requested path."""
    trusted = OWN.rebuild(link, request_path=CUSTOMERS, expected={CUSTOMERS})
    assert (trusted.path, trusted.query) == (CUSTOMERS, "page%5Bnumber%5D=2&page%5Bsize%5D=50")


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:8080/proxy/v1/customers?sort=name",
        "/proxy/v1/customers?sort=name",
        "/v1/customers?sort=name",
        "?sort=name",
    ],
)
def test_knows_a_base_that_has_a_path_of_its_own(link: str) -> None:
    """Behind a proxy the same links mean the same paths, with and without the proxy's prefix."""
    rules = rules_for("http://127.0.0.1:8080/proxy/")
    trusted = rules.rebuild(link, request_path=CUSTOMERS)
    assert (trusted.path, trusted.query) == (CUSTOMERS, "sort=name")


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        ("https://app.kajabi.com/api/v1/X/", "https://app.kajabi.com/api/v1/X/v1/customers"),
        ("http://127.0.0.1:8080/v1/proxy", "/v1/proxy/v1/customers"),
    ],
)
def test_knows_a_base_whose_path_begins_like_the_apis(base_url: str, link: str) -> None:
    """The longer prefix counts, as the shorter one would make another path of the link."""
    assert rules_for(base_url).rebuild(link).path == CUSTOMERS


def test_resolves_a_relative_link_from_the_root_without_a_request_path() -> None:
    """Links of a resource have no page that they could be relative to."""
    assert OWN.rebuild("v1/customers").path == CUSTOMERS


def test_refuses_the_host_of_the_base_without_its_path() -> None:
    """What lies beside the proxied path on the same host is not the API."""
    with pytest.raises(UntrustedLinkError):
        rules_for("http://127.0.0.1:8080/proxy").rebuild("http://127.0.0.1:8080/v1/customers/1")


@pytest.mark.parametrize(
    "query",
    [
        "page[number]=2&page[size]=100&sort=-created_at&include=tags,offers&filter[site_id]=9&fields[contacts]=name,email",
        "page%5Bnumber%5D=2&page[size]=100&sort=-created_at&include=tags%2Coffers&filter%5Bsite_id%5D=9&fields[contacts]=name%2cemail",
    ],
)
def test_keeps_all_parameters_of_a_next_link(query: str) -> None:
    """Row 71: a next link keeps every parameter, whether its brackets and commas are encoded or not."""
    trusted = OWN.rebuild(f"https://api.kajabi.com/v1/contacts?{query}", expected={"/v1/contacts"})
    assert parse_qsl(trusted.query) == [
        ("page[number]", "2"),
        ("page[size]", "100"),
        ("sort", "-created_at"),
        ("include", "tags,offers"),
        ("filter[site_id]", "9"),
        ("fields[contacts]", "name,email"),
    ]


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("filter[x][]=1&filter[x][]=2", [("filter[x][]", "1"), ("filter[x][]", "2")]),
        ("filter[search]=&page[number]=2", [("filter[search]", ""), ("page[number]", "2")]),
        ("filter[search]&page[number]=2", [("filter[search]", ""), ("page[number]", "2")]),
        ("filter[search]=a%26b%3Dc%23d", [("filter[search]", "a&b=c#d")]),
        ("filter[search]=J%C3%BCrgen+M", [("filter[search]", "Jürgen M")]),
        ("filter[search]=Jürgen", [("filter[search]", "Jürgen")]),
        ("filter[search]=100%2525", [("filter[search]", "100%25")]),
        ("filter[search]=a%0d%0ab", [("filter[search]", "a\r\nb")]),
        ("filter[search]=a=b", [("filter[search]", "a=b")]),
        ("sort=name&&page[number]=2", [("sort", "name"), ("page[number]", "2")]),
        ("next=https://evil.example/?a", [("next", "https://evil.example/?a")]),
        ("?page[number]=2", [("?page[number]", "2")]),
    ],
)
def test_keeps_odd_parameters(query: str, pairs: list[tuple[str, str]]) -> None:
    """Repeated, empty, doubly encoded and foreign parameters stay what they are; only empty pieces go."""
    assert OWN.rebuild(f"https://api.kajabi.com/v1/contacts?{query}").query == encoded_pairs(pairs)


@given(st.lists(st.sampled_from([*"abZ09_.~-,+=&;*'", "%5B", "%5D", "%5b", "%41", "%2C", "%C3%BC"]), max_size=12))
def test_writes_every_query_in_one_way(pieces: list[str]) -> None:
    """Whether it was written like that already or not."""
    query = "".join(pieces)
    link = f"https://api.kajabi.com/v1/contacts?{query}"
    assert OWN.rebuild(link).query == encoded_pairs(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize("name", ["a", "a[]"])
def test_refuses_a_query_of_too_many_parameters(name: str) -> None:
    """500 are taken, in whatever way they are written."""
    most = "&".join([f"{name}=1"] * 500)
    assert len(parse_qsl(OWN.rebuild(f"{CUSTOMERS}?{most}").query)) == 500
    with pytest.raises(UntrustedLinkError, match="its query cannot be read"):
        OWN.rebuild(f"{CUSTOMERS}?{most}&{name}=1")


def test_returns_the_same_link_when_rebuilt_again() -> None:
    """A rebuilt link is a link of the API itself, and rebuilding it changes nothing."""
    once = OWN.rebuild("https://app.kajabi.com/api/v1/customers?filter[search]=J%C3%BCrgen+%26+co&page[number]=2")
    assert OWN.rebuild(f"{once.path}?{once.query}") == once


def test_encodes_an_id_beyond_ascii() -> None:
    """The rebuilt path is percent-encoded although the link was not."""
    trusted = OWN.rebuild("https://api.kajabi.com/v1/contacts/größe")
    assert (trusted.resource_id, trusted.path) == ("größe", "/v1/contacts/gr%C3%B6%C3%9Fe")


@pytest.mark.parametrize(
    "expected", [{"/v1/contacts"}, {"/v1/customers/{id}", "/v1/contacts/{contact_id}/relationships/offers"}, set[str]()]
)
def test_refuses_a_path_that_makes_no_sense_here(expected: set[str]) -> None:
    """A link to another family of the API is not followed if a contact was expected."""
    with pytest.raises(UntrustedLinkError, match="not one that is expected here"):
        OWN.rebuild("https://api.kajabi.com/v1/contacts/1", expected=expected)


def test_says_which_link_was_refused_and_why() -> None:
    """The error carries the link, shortened, and the reason."""
    with pytest.raises(UntrustedLinkError) as caught:
        OWN.rebuild(f"https://evil.example/v1/contacts/{'1' * 500}")
    assert caught.value.reason == "its host is not the API's"
    assert caught.value.link.startswith("https://evil.example/v1/contacts/1")
    assert len(str(caught.value)) < 300
