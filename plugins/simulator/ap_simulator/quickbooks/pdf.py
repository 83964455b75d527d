"""A purchase order as a one-page PDF: enough for a client that stores or forwards the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_PAGE: Final = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
    b"/Resources << /Font << /F1 5 0 R >> >> >>"
)
_LINE_HEIGHT: Final = 16
_TOP: Final = 760
_MOST_LINES: Final = 44


def order_pdf(company: str, order: Mapping[str, Any]) -> bytes:
    """The PDF of a purchase order as answers show it."""
    head = [
        company,
        f"Purchase Order {order.get('DocNumber', order['Id'])}",
        f"Date {order['TxnDate']}",
        f"Vendor {order['VendorRef'].get('name', order['VendorRef']['value'])}",
        "",
    ]
    lines = [f"{line.get('Description', '')}  {line['Amount']}" for line in order["Line"]]
    return _document([*head, *lines, "", f"Total {order['TotalAmt']}"])


def _document(texts: list[str]) -> bytes:
    """A PDF page with these lines in Helvetica."""
    shown = "".join(f"({_escaped(text)}) Tj T*\n" for text in texts[:_MOST_LINES])
    content = f"BT /F1 11 Tf {_LINE_HEIGHT} TL 50 {_TOP} Td\n{shown}ET".encode("cp1252", errors="replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(out)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
