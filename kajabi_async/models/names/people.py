"""Names of customers, contacts and what belongs to them: relations to include, paths to prefetch, fields."""

from typing import Literal

__all__ = [
    "ContactField",
    "ContactInclude",
    "ContactNoteField",
    "ContactNoteInclude",
    "ContactNotePath",
    "ContactPath",
    "ContactTagField",
    "ContactTagPath",
    "CustomFieldField",
    "CustomFieldPath",
    "CustomerField",
    "CustomerInclude",
    "CustomerPath",
    "NumberedField",
]

CustomerInclude = Literal[
    "contact",
    "contact.customer",
    "contact.tags",
    "contact.offers",
    "offers",
    "offers.products",
    "products",
]

CustomerPath = Literal[
    CustomerInclude,
    "contact.site",
    "site",
    "offers.site",
    "offers.forms",
    "products.site",
]

CustomerField = Literal[
    "name",
    "email",
    "avatar",
    "external_user_id",
    "public_bio",
    "public_location",
    "public_website",
    "socials",
    "net_revenue",
    "sign_in_count",
    "last_request_at",
    "bounced_at",
    "created_at",
    "updated_at",
    "contact",
    "site",
    "offers",
    "products",
]

ContactInclude = Literal[
    "customer",
    "customer.contact",
    "customer.offers",
    "customer.products",
    "tags",
    "offers",
    "offers.products",
]

ContactPath = Literal[
    ContactInclude,
    "site",
    "customer.site",
    "tags.site",
    "offers.site",
    "offers.forms",
]

# fmt: off
NumberedField = Literal[
    "custom_1", "custom_2", "custom_3", "custom_4", "custom_5", "custom_6", "custom_7",
    "custom_8", "custom_9", "custom_10", "custom_11", "custom_12", "custom_13", "custom_14",
    "custom_15", "custom_16", "custom_17", "custom_18", "custom_19", "custom_20", "custom_21",
    "custom_22", "custom_23", "custom_24", "custom_25", "custom_26", "custom_27", "custom_28",
    "custom_29", "custom_30", "custom_31", "custom_32", "custom_33", "custom_34", "custom_35",
    "custom_36", "custom_37", "custom_38", "custom_39", "custom_40", "custom_41", "custom_42",
    "custom_43", "custom_44", "custom_45", "custom_46", "custom_47", "custom_48", "custom_49",
    "custom_50", "custom_51", "custom_52", "custom_53", "custom_54", "custom_55", "custom_56",
    "custom_57", "custom_58", "custom_59", "custom_60", "custom_61", "custom_62", "custom_63",
    "custom_64", "custom_65", "custom_66", "custom_67", "custom_68", "custom_69", "custom_70",
    "custom_71", "custom_72", "custom_73", "custom_74", "custom_75", "custom_76", "custom_77",
    "custom_78", "custom_79", "custom_80", "custom_81", "custom_82", "custom_83", "custom_84",
    "custom_85", "custom_86", "custom_87", "custom_88", "custom_89", "custom_90", "custom_91",
    "custom_92", "custom_93", "custom_94", "custom_95", "custom_96", "custom_97", "custom_98",
    "custom_99", "custom_100", "custom_101", "custom_102", "custom_103", "custom_104", "custom_105",
    "custom_106", "custom_107", "custom_108", "custom_109", "custom_110", "custom_111", "custom_112",
    "custom_113", "custom_114", "custom_115", "custom_116", "custom_117", "custom_118", "custom_119",
    "custom_120", "custom_121", "custom_122", "custom_123", "custom_124", "custom_125", "custom_126",
    "custom_127", "custom_128", "custom_129", "custom_130", "custom_131", "custom_132", "custom_133",
    "custom_134", "custom_135", "custom_136", "custom_137", "custom_138", "custom_139", "custom_140",
    "custom_141", "custom_142", "custom_143", "custom_144", "custom_145", "custom_146", "custom_147",
    "custom_148", "custom_149", "custom_150",
]
# fmt: on
"""Custom fields: ``custom_1`` to ``custom_150`` (API document)."""

ContactField = Literal[
    "name",
    "email",
    "phone_number",
    "business_number",
    "subscribed",
    "address_line_1",
    "address_line_2",
    "address_city",
    "address_state",
    "address_country",
    "address_zip",
    "external_user_id",
    "created_at",
    "updated_at",
    "site",
    "customer",
    "tags",
    "offers",
    NumberedField,
]

ContactTagPath = Literal["site",]

ContactTagField = Literal[
    "name",
    "handle",
    "site",
]

ContactNoteInclude = Literal[
    "contact",
    "contact.customer",
    "contact.tags",
    "contact.offers",
]

ContactNotePath = Literal[
    ContactNoteInclude,
    "contact.site",
]

ContactNoteField = Literal[
    "body",
    "created_at",
    "updated_at",
    "contact",
]

CustomFieldPath = Literal["site",]

CustomFieldField = Literal[
    "title",
    "handle",
    "type",
    "required",
    "archived",
    "site",
]
