"""The writes that are safe to type: nothing here deletes, cancels or revokes."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from kajabi_async import InvalidArgumentError, Kajabi, Resource
from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import output_screen
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json, print_line

__all__ = ["add_writes"]

_Settings = Annotated[
    list[str],
    Parameter(
        name="--set",
        help="An attribute as NAME=VALUE, such as name='Ada Lovelace' or custom_1=blue; NAME= alone clears it. "
        "May be repeated.",
        negative=(),
    ),
]


def add_writes(groups: dict[str, App]) -> None:
    """Add the writes to the command groups of their resources."""
    contacts, notes = groups["contacts"], groups["contact_notes"]
    contacts.command(create_contact, name="create")
    contacts.command(update_contact, name="update")
    contacts.command(add_tags, name="add-tags")
    contacts.command(remove_tags, name="remove-tags")
    contacts.command(grant_offers, name="grant-offers")
    notes.command(create_note, name="create")
    notes.command(update_note, name="update")


def create_contact(
    email: str, /, *, site_id: str | None = None, settings: _Settings | None = None, json: Json = False
) -> int:
    """Create a contact on a site, by default KAJABI_SITE_ID. This sends no mail."""

    async def create(api: Kajabi) -> None:
        attributes: Any = {**_attributes(settings), "email": email}
        _print(await api.contacts.create(site_id=site_id, **attributes), json=json)

    return on_client(create)


def update_contact(id: str, /, *, settings: _Settings, json: Json = False) -> int:
    """Change attributes of a contact; the customer's name and email follow."""

    async def update(api: Kajabi) -> None:
        attributes: Any = _attributes(settings)
        _print(await api.contacts.update(id, **attributes), json=json)

    return on_client(update)


def add_tags(id: str, /, *tag_ids: str, json: Json = False) -> int:
    """Add tags to a contact and print all of its tags; fires tag_added hooks and automations."""

    async def add(api: Kajabi) -> None:
        _print_ids("tags", await api.contacts.add_tags(id, tag_ids), json=json)

    return on_client(add)


def remove_tags(id: str, /, *tag_ids: str, json: Json = False) -> int:
    """Remove tags from a contact and print the remaining ones; fires tag_removed hooks and automations."""

    async def remove(api: Kajabi) -> None:
        _print_ids("tags", await api.contacts.remove_tags(id, tag_ids), json=json)

    return on_client(remove)


def grant_offers(
    id: str,
    /,
    *offer_ids: str,
    welcome_email: Annotated[
        bool, Parameter(help="Whether Kajabi sends the customer its welcome email; it does by default.")
    ] = True,
    json: Json = False,
) -> int:
    """Grant a contact the offers it does not have yet, and print those granted now.

    Turns the contact into a customer. THE CUSTOMER IS MAILED: the welcome email unless --no-welcome-email is set, and
    always the gift email of the offer and the mails of automations.
    """

    async def grant(api: Kajabi) -> None:
        granted = await api.contacts.ensure_offers(id, offer_ids, send_customer_welcome_email=welcome_email)
        _print_ids("granted_offers", granted, json=json)

    return on_client(grant)


def create_note(contact_id: str, body: str, /, *, json: Json = False) -> int:
    """Write a note on a contact."""

    async def create(api: Kajabi) -> None:
        _print(await api.contact_notes.create(contact_id=contact_id, body=body), json=json)

    return on_client(create)


def update_note(id: str, body: str, /, *, json: Json = False) -> int:
    """Change the text of a note."""

    async def update(api: Kajabi) -> None:
        _print(await api.contact_notes.update(id, body=body), json=json)

    return on_client(update)


def _attributes(settings: list[str] | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise InvalidArgumentError(f"--set takes NAME=VALUE, got {setting!r}")
        attributes[name] = {"true": True, "false": False, "": None}.get(value, value)
    return attributes


def _print(resource: Resource, *, json: bool) -> None:
    if json:
        print_json(as_members(resource))
    else:
        print_resource(output_screen(), resource)


def _print_ids(name: str, ids: tuple[str, ...], *, json: bool) -> None:
    if json:
        print_json({name: list(ids)})
        return
    for each in ids:
        print_line(escape_value(each))
