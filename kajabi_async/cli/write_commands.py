"""The writes that are safe to type: nothing here deletes, cancels or revokes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from kajabi_async.cli.confirming import confirm
from kajabi_async.cli.options import Json, Metavar, Yes, refuse_email
from kajabi_async.cli.rendering import print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import error_screen
from kajabi_async.cli.usage import misuse
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json, print_line
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["WRITES"]

_Settings = Annotated[
    list[str],
    Parameter(
        name="--set",
        help="An attribute as NAME=VALUE, such as name='Ada Lovelace' or custom_1=blue; NAME= alone clears it. "
        "May be repeated.",
        negative=(),
    ),
    Metavar("NAME=VALUE"),
]
_Tag = Annotated[str, Metavar("TAG-ID...")]
_CONTACTS: Final = "contacts"


def create_contact(
    email: str,
    /,
    *,
    site_id: Annotated[str | None, Parameter(help="The site; KAJABI_SITE_ID by default."), Metavar("ID")] = None,
    settings: _Settings | None = None,
    json: Json = False,
) -> int:
    """Create a contact on a site, by default KAJABI_SITE_ID. This sends no mail.

    Examples:
      kajabi contacts create ada@example.com --site-id 1 --set name='Ada Lovelace'
    """

    async def create(api: "Kajabi") -> None:
        attributes: Any = {**_attributes(settings), "email": email}
        print_resource(await api.contacts.create(site_id=site_id, **attributes), json=json)

    return on_client(create)


def update_contact(id: str, /, *, settings: _Settings, json: Json = False) -> int:
    """Change attributes of a contact; the customer's name and email follow.

    Examples:
      kajabi contacts update 2150000001 --set name='Ada King' --set phone_number=
    """
    refuse_email(id, _CONTACTS)

    async def update(api: "Kajabi") -> None:
        attributes: Any = _attributes(settings)
        print_resource(await api.contacts.update(id, **attributes), json=json)

    return on_client(update)


def add_tags(id: str, /, *tag_ids: _Tag, json: Json = False) -> int:
    """Add tags to a contact and print all of its tags; fires tag_added hooks and automations.

    Examples:
      kajabi contacts add-tags 2150000001 5 6
    """
    refuse_email(id, _CONTACTS)
    _check_some(tag_ids, "TAG-ID", "add-tags")

    async def add(api: "Kajabi") -> None:
        _print_ids("tags", await api.contacts.add_tags(id, tag_ids), none="no tags", json=json)

    return on_client(add)


def remove_tags(id: str, /, *tag_ids: _Tag, json: Json = False) -> int:
    """Remove tags from a contact and print the remaining ones; fires tag_removed hooks and automations.

    Examples:
      kajabi contacts remove-tags 2150000001 5
    """
    refuse_email(id, _CONTACTS)
    _check_some(tag_ids, "TAG-ID", "remove-tags")

    async def remove(api: "Kajabi") -> None:
        _print_ids("tags", await api.contacts.remove_tags(id, tag_ids), none="no tags left", json=json)

    return on_client(remove)


def grant_offers(
    id: str,
    /,
    *offer_ids: Annotated[str, Metavar("OFFER-ID...")],
    welcome_email: Annotated[bool, Parameter(help="Do not let Kajabi send the customer its welcome email.")] = True,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Grant a contact the offers it does not have yet, and print those granted now.

    Turns the contact into a customer. THE CUSTOMER IS MAILED: the welcome email unless --no-welcome-email is set, and
    always the gift email of the offer and the mails of automations. No mail can be called back, so this asks on a
    terminal, unless --yes is set.

    Examples:
      kajabi contacts grant-offers 2150000001 1
      kajabi contacts grant-offers 2150000001 1 2 --no-welcome-email --yes
    """
    refuse_email(id, _CONTACTS)
    _check_some(offer_ids, "OFFER-ID", "grant-offers")

    async def grant(api: "Kajabi") -> None:
        # A script has decided already; a person may have mistyped.
        what = f"grant {counted(len(offer_ids), 'offer')} to contact {id}, and mail may be sent"
        confirm(what, yes=yes, needs_terminal=False)
        granted = await api.contacts.ensure_offers(id, offer_ids, send_customer_welcome_email=welcome_email)
        _print_ids("granted_offers", granted, none="nothing to grant: the contact has the offers", json=json)

    return on_client(grant)


def create_note(contact_id: str, body: str, /, *, json: Json = False) -> int:
    """Write a note on a contact.

    Examples:
      kajabi contact-notes create 2150000001 'Called, wants the annual plan'
    """
    refuse_email(contact_id, _CONTACTS)

    async def create(api: "Kajabi") -> None:
        print_resource(await api.contact_notes.create(contact_id=contact_id, body=body), json=json)

    return on_client(create)


def update_note(id: str, body: str, /, *, json: Json = False) -> int:
    """Change the text of a note.

    Examples:
      kajabi contact-notes update 1 'Called twice'
    """

    async def update(api: "Kajabi") -> None:
        print_resource(await api.contact_notes.update(id, body=body), json=json)

    return on_client(update)


def _attributes(settings: list[str] | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise InvalidArgumentError(f"--set takes NAME=VALUE, got {setting!r}")
        attributes[name] = {"true": True, "false": False, "": None}.get(value, value)
    return attributes


def _check_some(ids: tuple[str, ...], argument: str, command: str) -> None:
    if not ids:
        raise misuse(f"Missing argument: {argument}.", [_CONTACTS, command])


def _print_ids(name: str, ids: tuple[str, ...], *, none: str, json: bool) -> None:
    if json:
        print_json({name: list(ids)})
        return
    if not ids:
        error_screen().line(none)
    for each in ids:
        print_line(escape_value(each))


WRITES: Final[dict[str, dict[str, Callable[..., int]]]] = {
    "contacts": {
        "create": create_contact,
        "update": update_contact,
        "add-tags": add_tags,
        "remove-tags": remove_tags,
        "grant-offers": grant_offers,
    },
    "contact_notes": {"create": create_note, "update": update_note},
}
"""The writes by resource and name of the command."""
