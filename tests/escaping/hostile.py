from hypothesis import strategies as st

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\x1b\x9b\x07\x08\n\r\t\x7f\u202e\u2066\u200b\ufeff\u00ad\ufe0f\u3164\ud800 \\nrtxuU0123abAB'\""
        ),
        st.sampled_from("=+-@;,|:^~ '\"\t\n\r()x1\uff1d\uff0b\uff0d\uff20\\"),
        st.characters(),
    ),
    max_size=40,
)
