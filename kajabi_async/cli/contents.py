"""The commands of ``kajabi``, in their sections: one row for each, with the place of its code.

Imports nothing, so that ``kajabi --help`` and a misspelt command need none of that code. A new command is one row here;
`building` says what its target may be, and `python -m tests.cli.pages` writes its description.
"""

from typing import Final, NamedTuple

__all__ = ["COMMANDS", "Command", "command_called"]


class Command(NamedTuple):
    """One command of the first level."""

    name: str
    section: str
    """The heading that ``kajabi --help`` lists it under."""
    summary: str
    """One line for that list, without a full stop; also the first line of a group's own page."""
    target: str
    """Module and attribute, below this package: a function, or for a group the function that returns its App."""
    is_group: bool = False
    family: str = ""
    """The module of ``resources`` that declares the resource of a group, "" if it is none of a resource."""


def _resource(name: str, section: str, summary: str, family: str) -> Command:
    return Command(name, section, summary, "resource_groups:resource_group", is_group=True, family=family)


_ACCOUNT: Final = "Account"
_PEOPLE: Final = "People"
_CATALOG: Final = "Catalog"
_COMMERCE: Final = "Commerce"
_CONTENT: Final = "Content"
_FORMS: Final = "Forms"
_TOOLS: Final = "Tools"

COMMANDS: Final = (
    Command("login", _ACCOUNT, "Store an API key, for one account or several profiles", "credentials.login:login"),
    Command("logout", _ACCOUNT, "Remove a stored API key", "credentials.login:logout"),
    Command("whoami", _ACCOUNT, "Show the user and the sites of the API key", "account_commands:whoami"),
    Command("me", _ACCOUNT, "Show every attribute of that user", "account_commands:me"),
    Command("doctor", _ACCOUNT, "Check settings, key, network, clock and permissions", "doctor.command:doctor"),
    _resource("sites", _ACCOUNT, "The sites that the key sees", "account"),
    _resource("hooks", _ACCOUNT, "The URLs that Kajabi posts events to", "account"),
    Command("version", _ACCOUNT, "Show the version of the API", "account_commands:version"),
    _resource("customers", _PEOPLE, "People who hold an offer", "people"),
    _resource("contacts", _PEOPLE, "Everyone whose email a site knows", "people"),
    Command("access", _PEOPLE, "Check whether a person has access", "access:access_group", is_group=True),
    _resource("contact-notes", _PEOPLE, "Notes on contacts", "people"),
    _resource("contact-tags", _PEOPLE, "Tags of contacts", "people"),
    _resource("custom-fields", _PEOPLE, "What `custom_1` and the others mean on a site", "people"),
    _resource("offers", _CATALOG, "Offers, which sell products", "catalog"),
    _resource("products", _CATALOG, "Products", "catalog"),
    _resource("courses", _CATALOG, "Courses, with their modules, lessons and media", "catalog"),
    _resource("orders", _COMMERCE, "Orders", "commerce"),
    _resource("order-items", _COMMERCE, "The items of orders", "commerce"),
    _resource("purchases", _COMMERCE, "Offers bought or granted", "commerce"),
    _resource("transactions", _COMMERCE, "Payments and refunds", "commerce"),
    _resource("payouts", _COMMERCE, "Payouts of Kajabi Payments", "commerce"),
    _resource("blog-posts", _CONTENT, "Blog posts", "content"),
    _resource("landing-pages", _CONTENT, "Landing pages", "content"),
    _resource("podcasts", _CONTENT, "Podcasts", "content"),
    _resource("website-pages", _CONTENT, "Website pages", "content"),
    _resource("forms", _FORMS, "Forms", "forms"),
    _resource("form-submissions", _FORMS, "What people sent with forms", "forms"),
    Command("changes", _TOOLS, "Print what changes in the account", "changes:changes"),
    Command("export", _TOOLS, "Write a whole list to a file", "export_commands:export_group", is_group=True),
    Command("api", _TOOLS, "Send any request to the API and print its answer", "api_command:api"),
    Command("demo", _TOOLS, "Show the main job against a fake of the API", "demo:demo"),
    Command("fake", _TOOLS, "Serve a fake of the API on this machine", "fake_command:fake"),
    Command("completion", _TOOLS, "Complete commands in bash, zsh and fish", "completion:completion", is_group=True),
)


def command_called(name: str) -> Command | None:
    """Return the command called *name*, None if there is none."""
    return next((command for command in COMMANDS if command.name == name), None)
