"""XML as interfaces of providers answer it, read without anything that XML could do besides holding data.

Whatever begins with `<!` is refused before it is parsed: document types bring entities, and entities bring files of this
machine and texts that grow without end.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, fromstring


class NotPlainXml(Exception):
    """This is no XML, only a piece of it, or more than plain XML. Leaves `core.dns` never."""


def plain_xml(body: bytes) -> Element:
    """Return the outermost element; names of elements and attributes without their namespace. Raises NotPlainXml."""
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
    """Return the text of what is below; empty where there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()
