import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given

from kajabi_async.errors import KajabiError, UntrustedLinkError
from kajabi_async.jsonapi.links import LinkRules
from tests.drawing import examples
from tests.jsonapi.outcomes import outcome_of
from tests.jsonapi.rules import OWN, TEMPLATES, rules_for
from tests.jsonapi.strategies import links

LIVE = rules_for("https://api.kajabi.com")
SHAPES = [re.compile(re.sub(r"\\\{\w+\\\}", "[A-Za-z0-9._~%-]+", re.escape(template))) for template in TEMPLATES]

OTHER_HOSTS = [
    "https://evil.example/v1/contacts/1",
    "//evil.example/v1/contacts/1",
    "https://api.kajabi.com.evil.example/v1/contacts/1",
    "https://evil.example/api.kajabi.com/v1/contacts/1",
    "https://evil-api.kajabi.com/v1/contacts/1",
    "https://apikajabi.com/v1/contacts/1",
    "https://kajabi.com/v1/contacts/1",
    "https://www.kajabi.test/api/v1/contacts/1",
    "https://api.kajabi.com./v1/contacts/1",
    "https://.api.kajabi.com/v1/contacts/1",
    "https://api.kajabi.com%2eevil.example/v1/contacts/1",
    "https://api%2ekajabi%2ecom/v1/contacts/1",
    "https://127.0.0.1/v1/contacts/1",
    "http://127.0.0.2:8080/v1/contacts/1",
    "http://localhost:8080/v1/contacts/1",
    "http://2130706433:8080/v1/contacts/1",
    "http://[::1]:8080/v1/contacts/1",
    "http://[::ffff:127.0.0.1]:8080/v1/contacts/1",
    "https:///v1/contacts/1",
    "https://?/v1/contacts/1",
    "https://:443/v1/contacts/1",
]
OTHER_PORTS = [
    "https://api.kajabi.com:444/v1/contacts/1",
    "https://api.kajabi.com:80/v1/contacts/1",
    "https://api.kajabi.com:0/v1/contacts/1",
    "http://127.0.0.1/v1/contacts/1",
    "http://127.0.0.1:8081/v1/contacts/1",
    "http://127.0.0.1:08081/v1/contacts/1",
]
OTHER_SCHEMES = [
    "http://api.kajabi.com/v1/contacts/1",
    "http://api.kajabi.com:443/v1/contacts/1",
    "https://127.0.0.1:8080/v1/contacts/1",
    "ftp://api.kajabi.com/v1/contacts/1",
    "ws://api.kajabi.com/v1/contacts/1",
    "file:///v1/contacts/1",
    "javascript:alert(1)",
    "data:application/json,{}",
    "mailto:someone@api.kajabi.com",
    "https:api.kajabi.com/v1/contacts/1",
    "https:/api.kajabi.com/v1/contacts/1",
    "https:/v1/contacts/1",
    "https:contacts/1",
    "http:/v1/contacts/1",
    "http:contacts/1",
    "://api.kajabi.com/v1/contacts/1",
]
SAME_HOST_TO_A_CARELESS_EYE = [
    "https://\uff41pi.kajabi.com/v1/contacts/1",
    "https://api.\u212aajabi.com/v1/contacts/1",
    "https://api\u3002kajabi\u3002com/v1/contacts/1",
    "https://api.kajab\u0131.com/v1/contacts/1",
    "https://xn--api-kajabi.com/v1/contacts/1",
    "https://api.kajabi.com:\uff14\uff14\uff13/v1/contacts/1",
    "https://api.kajabi.com\uff0fv1/contacts/1",
    "https://api.kajabi.com\u2100/v1/contacts/1",
]
USER_INFORMATION = [
    "https://user@api.kajabi.com/v1/contacts/1",
    "https://user:secret@api.kajabi.com/v1/contacts/1",
    "https://@api.kajabi.com/v1/contacts/1",
    "https://:@api.kajabi.com/v1/contacts/1",
    "https://api.kajabi.com@evil.example/v1/contacts/1",
    "https://api.kajabi.com:443@evil.example/v1/contacts/1",
    "https://evil.example@api.kajabi.com@evil.example/v1/contacts/1",
]
NO_URLS = [
    "https://[::1/v1/contacts/1",
    "https://[evil]/v1/contacts/1",
    "https://api.kajabi.com:port/v1/contacts/1",
    "https://api.kajabi.com:99999/v1/contacts/1",
    "https://api.kajabi.com:-443/v1/contacts/1",
    "https://api.kajabi.com:443:443/v1/contacts/1",
    "//[",
]
FORBIDDEN_CHARACTERS = [
    "https://api.kajabi.com\\@evil.example/v1/contacts/1",
    "https:\\\\evil.example\\v1\\contacts\\1",
    "\\\\evil.example/v1/contacts/1",
    "/\\evil.example/v1/contacts/1",
    "https://api.kajabi.com/v1\\contacts\\1",
    "https://api.kajabi.com/v1/contacts/1\\",
    "https://api.kajabi.com/v1/contacts/1\t",
    "ht\ttps://api.kajabi.com/v1/contacts/1",
    "https://api.kaj\nabi.com/v1/contacts/1",
    "https://api.kajabi.com/v1/contacts/1\r\nAuthorization: x",
    " https://api.kajabi.com/v1/contacts/1",
    "https://api.kajabi.com/v1/contacts/1 ",
    "\x00https://api.kajabi.com/v1/contacts/1",
    "https://api.kajabi.com/v1/contacts/1\x7f",
    "https://api.kajabi.com/v1/contacts?filter[search]=a b",
]
OTHER_PATHS = [
    "https://api.kajabi.com/v1/contacts/..",
    "https://api.kajabi.com/v1/contacts/.",
    "https://api.kajabi.com/v1/../v1/contacts/1",
    "https://api.kajabi.com/v1/contacts/../customers/1",
    "https://api.kajabi.com/v1/contacts/%2e%2e",
    "https://api.kajabi.com/v1/contacts/%2e%2e%2fcustomers",
    "https://api.kajabi.com/v1/contacts/1%2Frelationships",
    "https://api.kajabi.com/v1/contacts/1%00",
    "https://api.kajabi.com/v1/contacts/%31",
    "https://api.kajabi.com/v1/contacts/1;v=2",
    "https://api.kajabi.com/v1/contacts/*",
    "https://api.kajabi.com/v1/contacts/{id}",
    "https://api.kajabi.com/v1/contacts/1/",
    "https://api.kajabi.com/v1/contacts/",
    "https://api.kajabi.com/v1//contacts/1",
    "https://api.kajabi.com//v1/contacts/1",
    "https://api.kajabi.com/v1/contacts//1",
    "https://api.kajabi.com/V1/contacts/1",
    "https://api.kajabi.com/v1/Contacts/1",
    "https://api.kajabi.com/%76%31/contacts/1",
    "https://api.kajabi.com/api/v1/contacts/1",
    "https://app.kajabi.com/v1/contacts/1",
    "https://api.kajabi.com/v2/contacts/1",
    "https://api.kajabi.com/v1",
    "https://api.kajabi.com/v1/",
    "https://api.kajabi.com/",
    "https://api.kajabi.com",
    "https://api.kajabi.com/v1/secrets/1",
    "https://api.kajabi.com/v1/contacts/1/relationships/secrets",
    "https://api.kajabi.com/v1/contacts/\uff0e\uff0e",
    "https://api.kajabi.com/v1/contacts/1\uff0f2",
    "[",
    "/contacts/1",
    "contacts/1",
    "../../../../contacts/1",
    "///evil.example/v1/contacts/1",
    "////evil.example/v1/contacts/1",
    "/////evil.example/v1/contacts/1",
    "/..//evil.example/v1/contacts/1",
    "/.//evil.example/v1/contacts/1",
    "..//..//evil.example/v1/contacts/1",
    "../..//evil.example/v1/contacts/1",
    "/v1/contacts/..%2f..",
]
FRAGMENTS = [
    "https://api.kajabi.com/v1/contacts/1#x",
    "#",
    "?page[number]=2#",
    "https://api.kajabi.com#@evil.example/v1/contacts/1",
]


@pytest.mark.parametrize("link", OTHER_HOSTS)
def test_refuses_other_hosts(link: str) -> None:
    """A host that is not one of the API's is refused, however similar it is to one."""
    with pytest.raises(UntrustedLinkError, match=r"host is not the API's|not a URL"):
        OWN.rebuild(link)


@pytest.mark.parametrize("link", OTHER_PORTS)
def test_refuses_other_ports(link: str) -> None:
    """The same host on another port, port 0 among them, is another server."""
    with pytest.raises(UntrustedLinkError, match="host is not the API's"):
        OWN.rebuild(link)


@pytest.mark.parametrize("rules", [OWN, LIVE], ids=["own base", "live base"])
@pytest.mark.parametrize("link", OTHER_SCHEMES)
def test_refuses_other_schemes_and_schemes_without_a_host(rules: LinkRules, link: str) -> None:
    """Another scheme is refused, and so is one without ``//``, which some libraries take for a relative link."""
    with pytest.raises(UntrustedLinkError):
        rules.rebuild(link)


@pytest.mark.parametrize("rules", [OWN, LIVE], ids=["own base", "live base"])
@pytest.mark.parametrize("link", SAME_HOST_TO_A_CARELESS_EYE)
def test_refuses_hosts_that_only_look_like_the_apis(rules: LinkRules, link: str) -> None:
    """Full-width letters, the Kelvin sign, other dots and digits of other scripts make another host, or none."""
    with pytest.raises(UntrustedLinkError):
        rules.rebuild(link)


@pytest.mark.parametrize("link", USER_INFORMATION)
def test_refuses_user_information(link: str) -> None:
    """A name before an @ is refused, even an empty one, and even before the right host."""
    with pytest.raises(UntrustedLinkError, match="user information"):
        OWN.rebuild(link)


@pytest.mark.parametrize("link", NO_URLS)
def test_refuses_what_is_no_url(link: str) -> None:
    """What the URL parser rejects is refused with an error of the tree."""
    with pytest.raises(UntrustedLinkError, match="it is not a URL"):
        OWN.rebuild(link)


@pytest.mark.parametrize("link", FORBIDDEN_CHARACTERS)
def test_refuses_characters_that_parsers_disagree_about(link: str) -> None:
    """Backslashes, tabs, line breaks, spaces and controls are read differently by different parsers."""
    with pytest.raises(UntrustedLinkError, match="characters no link may have"):
        OWN.rebuild(link)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080", "https://api.kajabi.com"])
@pytest.mark.parametrize("link", OTHER_PATHS)
def test_refuses_paths_that_are_none_of_the_apis(base_url: str, link: str) -> None:
    """Only a path that is spelt exactly like one of the API's counts: no climbing, no encoded slash, no other case."""
    reasons = r"its path is not one of the API's|the id in it is more than one path segment|its host is not the API's"
    with pytest.raises(UntrustedLinkError, match=reasons):
        rules_for(base_url).rebuild(link)


@pytest.mark.parametrize("link", FRAGMENTS)
def test_refuses_fragments(link: str) -> None:
    """No link of the API has a fragment."""
    with pytest.raises(UntrustedLinkError, match="fragment"):
        OWN.rebuild(link, request_path="/v1/contacts")


def test_refuses_an_empty_link() -> None:
    """An empty link would mean the request itself, page after page."""
    with pytest.raises(UntrustedLinkError, match="it is empty"):
        OWN.rebuild("", request_path="/v1/contacts")


def test_refuses_very_long_links() -> None:
    """A link longer than any real one is refused before it is parsed, and the error does not repeat all of it."""
    link = "https://api.kajabi.com/v1/contacts?filter[search]="
    longest = link.ljust(8192, "a")
    assert OWN.rebuild(longest).path == "/v1/contacts"
    with pytest.raises(UntrustedLinkError, match="longer than 8192") as caught:
        OWN.rebuild(f"{longest}a")
    assert len(str(caught.value)) < 400


def test_refuses_more_parameters_than_any_link_has() -> None:
    """A link with more than five hundred parameters is refused rather than parsed and sent."""
    most = "https://api.kajabi.com/v1/contacts?" + "&".join("a=1" for _ in range(500))
    assert OWN.rebuild(most).path == "/v1/contacts"
    with pytest.raises(UntrustedLinkError, match="query cannot be read"):
        OWN.rebuild(f"{most}&a=1")


@pytest.mark.parametrize("query", ["filter[search]=%ff", "filter[search]=%C3", "filter[search]=\ud800", "%ff=1"])
def test_refuses_a_query_that_is_no_utf8(query: str) -> None:
    """A value that cannot be kept is not replaced by another: that would ask for other rows."""
    with pytest.raises(UntrustedLinkError, match="query cannot be read"):
        OWN.rebuild(f"https://api.kajabi.com/v1/contacts?{query}")


def test_resolves_dots_before_it_judges() -> None:
    """A relative link that climbs is resolved first and has to be a path of the API afterwards."""
    trusted = OWN.rebuild("../contacts/./1", request_path="/v1/customers/1")
    assert trusted.path == "/v1/contacts/1"
    with pytest.raises(UntrustedLinkError):
        OWN.rebuild("../contacts/1", request_path="/v1/customers/1/relationships/offers")


@examples(300)
@given(links)
def test_rebuilds_or_refuses_any_link(link: str) -> None:
    """A random link is a path of the API in plain ASCII, or UntrustedLinkError; there is no third outcome."""
    for rules in (OWN, LIVE):
        trusted = outcome_of(rules.rebuild, link, request_path="/v1/customers")
        if isinstance(trusted, KajabiError):
            assert isinstance(trusted, UntrustedLinkError)
            continue
        target = urlsplit(f"https://our.base{trusted.path}?{trusted.query}")
        assert target.netloc == "our.base"
        assert (target.path, target.query, target.fragment) == (trusted.path, trusted.query, "")
        assert f"{trusted.path}?{trusted.query}".isascii()
        assert trusted.template in TEMPLATES
        assert any(shape.fullmatch(trusted.path) for shape in SHAPES)
        assert ".." not in trusted.path
