"""A parser for the XML that provider APIs return, without any feature of XML beyond elements and attributes.

Anything that contains `<!` is refused before it is parsed: document types declare entities, and entities can read files of this
machine and expand without limit.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, fromstring


class NotPlainXml(Exception):
    """The data is not XML, is truncated, or is more than plain XML. Never leaves `core.dns`."""


def plain_xml(body: bytes) -> Element:
    """Return the root element; element names are without namespace. Raises NotPlainXml."""
    try:
        text = body.decode("utf-8-sig")
        if "<!" in text:
            raise NotPlainXml("declarations")
        root = fromstring(text.strip())  # noqa: S314 - what is dangerous in XML begins with `<!`
    except (UnicodeDecodeError, ParseError, ValueError, RecursionError) as exc:
        raise NotPlainXml("not well-formed") from exc
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def text_of(element: Element | None, path: str) -> str:
    """Return the text of the element at `path`, stripped; empty if there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()
