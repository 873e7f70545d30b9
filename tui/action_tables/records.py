"""Actions while an order waits for manual DNS records."""

from __future__ import annotations

from typing import Final

from tui.action import Action, may_write

RECORDS: Final[tuple[Action, ...]] = (
    # -- manual DNS records ----------------------------------------------------------------------------
    Action(
        id="answer", key="enter,ctrl+j", label="Answer", title="Let the CA check the records now", scope="records", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and situation.step > 0,
        help="Completes the order. Where a name server lacks a record it asks first, because a failed challenge ends the order.",
        otherwise="The order has ended.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy this value", scope="records", footer=2,
        help="Copies the whole value to the clipboard of your terminal (OSC 52). Not every terminal supports it; p always works.",
    ),
    Action(
        id="copy-name", key="C", label="Copy name", title="Copy the name of this record", scope="records",
        help="Copies the record's name to the clipboard, as the form of your DNS provider expects it.",
    ),
    Action(
        id="next-record", key="n", label="Next", title="Go to the next record", scope="records", footer=3,
        applies=lambda situation: situation.row_kind == "several", help="Goes to the next record, and from the last to the first.",
        otherwise="There is only one record.",
    ),
    Action(
        id="qr", key="q", label="QR", title="Show the value as a QR code", scope="records", footer=4,
        help="Fills the screen with a code for the camera of a phone. Ctrl+Q leaves certdeck here.",
    ),
    Action(
        id="plain", key="p", label="Plain", title="Print the records on the plain terminal", scope="records", footer=5,
        help="Leaves the console for a moment and prints the records whole, to be selected with the mouse. Esc comes back.",
    ),
    Action(
        id="zone-file", key="z", label="Zone", title="Show the records as lines of a zone file", scope="records", footer=9,
        help="For those who keep their zone in a file: the lines to add, to look at and to copy.",
    ),
    Action(
        id="look-now", key="r,ctrl+r,f5", label="Look", title="Ask the name servers now", scope="records", footer=9,
        help="Does not wait for the next check. The pauses between checks start short again.",
    ),
    Action(
        id="by-itself", key="a", label="Auto", title="Respond automatically, or wait for me", scope="records", footer=9,
        help="Sets whether the order continues automatically once every name server has every record.",
    ),
    Action(
        id="give-up", key="x", label="Give up", title="Give up this order", scope="records", footer=9,
        applies=lambda situation: may_write(situation) and situation.step > 0,
        help="Discards the order. Its values are no longer valid: a new order has new ones.",
        otherwise="The order has ended.",
    ),
    Action(
        id="next-record", key="n,right,space", label="Next", title="Go to the next record", scope="records-qr", footer=1,
        applies=lambda situation: situation.row_kind == "several", help="Shows the code of the next record.",
        otherwise="There is only one record.",
    ),
    Action(
        id="name-or-value", key="v", label="Name", title="Show the code of the name, or of the value", scope="records-qr", footer=2,
        help="The name of a record can be long to type as well.",
    ),
    Action(
        id="invert", key="i", label="Invert", title="Swap dark and light", scope="records-qr", footer=3,
        help="A camera needs dark on light. Without colors, only you can see which one it is.",
    ),
)  # fmt: skip
