"""Submission of a form, with its effects."""

from typing import Any

from kajabi_async.testing.api.bodies import attributes_of, resource_object
from kajabi_async.testing.api.commerce import grant
from kajabi_async.testing.api.people import checked_email, new_contact, set_tags
from kajabi_async.testing.api.shows import required_row, written_row
from kajabi_async.testing.dataset.forms import SUBMISSION_ATTRIBUTES
from kajabi_async.testing.ownership import contact_with_email
from kajabi_async.testing.replies import Reply, unprocessable
from kajabi_async.testing.rows import Linkage, LinkToOne, Row
from kajabi_async.testing.world import Call, World

__all__ = ["submit_form"]


def submit_form(world: World, call: Call) -> Reply:
    """Store a submission and its contact; the contact gets the form's tags and offer."""
    form = required_row(world, "forms", call.resource_id)
    attributes = attributes_of(resource_object(call, "form_submissions"))
    if not isinstance(attributes.get("name"), str) or not attributes["name"].strip():
        raise unprocessable("name", "can't be blank")
    attributes["email"] = checked_email(attributes.get("email"))
    submission = _submission(world, form, attributes)
    if world.quirks.opt_in == "double":
        world.note("opt_in_email", None, form, attributes["email"])
        world.later(world.quirks.opt_in_lag, lambda: _confirm(world, form, attributes, submission))
    else:
        _confirm(world, form, attributes, submission)
    return written_row(world, submission, 201)


def _confirm(world: World, form: Row, attributes: dict[str, Any], submission: Row) -> None:
    contact = _contact(world, form, attributes)
    submission.hidden["contact_id"] = contact.id
    world.store.mark_written(submission.type, submission.id)
    _follow_up(world, form, contact, submission)


def _contact(world: World, form: Row, attributes: dict[str, Any]) -> Row:
    email, site_id = attributes["email"], form.site_id or "1"
    existing = contact_with_email(world.store, email, site_id)
    contact = existing or new_contact(world, site_id, email, attributes)
    if not contact.attributes.get("subscribed"):
        if world.quirks.opt_in == "single":
            world.note("opt_in_email", contact, form, email)
        changed = world.store.edit("contacts", contact.id)
        changed.attributes["subscribed"] = True
        changed.hidden["never_subscribed"] = False
    return contact


def _submission(world: World, form: Row, attributes: dict[str, Any]) -> Row:
    sent = {name: value for name, value in attributes.items() if name in SUBMISSION_ATTRIBUTES or "custom_" in name}
    relations: dict[str, Linkage] = {"site": LinkToOne("sites", form.site_id), "form": LinkToOne("forms", form.id)}
    hidden: dict[str, Any] = {"created_at": world.time(), "contact_id": None}
    new_id = world.store.new_id("form_submissions")
    row = Row("form_submissions", new_id, {**dict.fromkeys(SUBMISSION_ATTRIBUTES), **sent}, relations, hidden)
    return world.store.put(row)


def _follow_up(world: World, form: Row, contact: Row, submission: Row) -> None:
    offers = [offer for key in form.related("offer") if (offer := world.store.get("offers", key))]
    tag_ids = [key for key in form.related("contact_tags") if world.store.get("contact_tags", key)]
    set_tags(world, contact, (*contact.related("tags"), *tag_ids))
    grant(world, required_row(world, "contacts", contact.id), offers, sends_welcome_email=True)
    world.note("automation", required_row(world, "contacts", contact.id), form)
    world.deliver("form_submission", form, submission, form)
