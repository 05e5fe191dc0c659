"""Filters of contacts, customers, tags, notes and custom fields."""

from typing import TypedDict

from kajabi_async.resources.filters.encoding import Amount, Days, Flag, Id, Ids, Positive, Text

__all__ = ["ContactNoteFilters", "ContactTagFilters", "CustomFieldFilters", "CustomerIncludedFilters", "PeopleFilters"]


class PeopleFilters(TypedDict, total=False):
    """Filters of contacts and of customers; those of tags, offers and products may take several ids."""

    site_id: Id
    """Needed if the account has several sites."""
    search: Text
    """Fuzzy, in name and email; for an exact email see find_by_email()."""
    created_in_last: Days
    """In days, like every filter that ends in ``_in_last``."""
    not_created_in_last: Days
    is_hidden: Flag
    joined_in_last: Days
    active_in_last: Days
    inactive_in_last: Days
    name_contains: Text
    email_contains: Text
    phone_number_contains: Text
    address_line_1_contains: Text
    address_line_2_contains: Text
    address_city_contains: Text
    address_state_contains: Text
    address_country_contains: Text
    address_zip_contains: Text
    has_tag_id: Ids
    has_all_tag_id: Ids
    """All of these tags."""
    has_no_tag_id: Ids
    subscribed: Flag
    has_offer_id: Ids
    has_no_offer_id: Ids
    has_product_id: Ids
    has_active_product_id: Id
    has_no_product_id: Ids
    previously_owned_product_id: Id
    used_coupon_code: Text
    submitted_form_id: Id
    no_submitted_form_id: Id
    registered_event_id: Id
    not_registered_event_id: Id
    completed_assessment_id: Id
    passed_assessment_id: Id
    failed_assessment_id: Id
    net_revenue_equal_to: Amount
    """In the unit of ``net_revenue``."""
    net_revenue_greater_than: Amount
    net_revenue_less_than: Amount
    subscribed_in_last: Days
    unsubscribed_in_last: Days
    never_subscribed: Flag
    sent_email_broadcast_id: Id
    no_sent_email_broadcast_id: Id
    no_sent_email_broadcast_ids: Ids
    no_delivered_email_broadcast_id: Id
    opened_email_broadcast_id: Id
    no_opened_email_broadcast_id: Id
    clicked_email_broadcast_id: Id
    no_clicked_email_broadcast_id: Id
    bounced_email_broadcast_id: Id
    no_bounced_email_broadcast_id: Id
    dropped_email_broadcast_id: Id
    no_dropped_email_broadcast_id: Id
    opened_email_in_last: Days
    not_opened_email_in_last: Days
    delivered_email_in_last: Days
    not_delivered_email_in_last: Days
    clicked_email_in_last: Days
    not_clicked_email_in_last: Days
    is_hard_bouncing: Flag
    bounced_in_last: Days
    complained_in_last: Days
    manually_unsubscribed_in_last: Days
    opted_out_in_last: Days
    healthy_contacts_with_open_data: Flag
    passive_contacts_with_open_data: Flag
    unengaged_contacts_with_open_data: Flag
    inactive_contacts_with_open_data: Flag
    subscribed_newsletter_id: Id
    unsubscribed_newsletter_id: Id
    mobile_phone_number_contains: Text
    subscribed_email_sequence_id: Id
    not_subscribed_email_sequence_id: Id


class CustomerIncludedFilters(TypedDict, total=False):
    """Filters of the offers and products included with one customer; the server ignores them without the include."""

    offers_search: Text
    offers_page: Positive
    offers_per: Positive
    """Rows per page of included offers."""
    products_search: Text
    products_page: Positive
    products_per: Positive
    """Rows per page of included products."""


class ContactTagFilters(TypedDict, total=False):
    """Filters of contact tags."""

    site_id: Id
    name_cont: Text


class ContactNoteFilters(TypedDict, total=False):
    """Filters of contact notes."""

    site_id: Id
    contact_id: Id


class CustomFieldFilters(TypedDict, total=False):
    """Filters of custom fields."""

    site_id: Id
    title_cont: Text
    type_eq: Text
    required_eq: Flag
