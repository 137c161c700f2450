"""Names that a plug-in might choose to break a report."""

from hypothesis import strategies as st

NASTY = st.text(
    st.sampled_from("|\\\n\r\x0b\x0c\x1c\x85\u2028\u2029\t` <a-:=[]()*_~$%&#{}^'\"") | st.characters(codec="utf-8"), max_size=12
)
