"""Read numbers as people write them: thousands in groups, with a currency, a percent sign or a minus of accountants.

A number is a body of digits and marks, with at most one currency, one sign and one percent sign around it. What is
written in another way is no number.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

# ISO 4217, list one of 2026 without metals, funds and codes of tests; then codes that it withdrew from 2013 on, which
# older exports hold. In capitals only: "12 cup" and "3 top" are no amounts.
CURRENCY_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    ANG BGN BYR CUC HRK LTL LVL MRO SLL STD VEF ZWL
"""
# The symbols of Unicode's CLDR, in short and narrow form and in the currency's own language, that have letters. Not the
# words that mean a measure too: km, kn.
CURRENCY_WORDS = """
    kr kr. Kr Kr. Kč zł Ft Fr Fr. fr. SFr. lei leu лв лв. \u0440\u0443\u0431 \u0440\u0443\u0431. грн Rs Rs. R RM Rp Rp.
    TL din. ден Bs S/ B/. FCFA
    A$ AU$ C$ CA$ CN¥ EC$ HK$ J$ JP¥ MX$ NT$ NZ$ R$ RD$ S$ SG$ U$S US$ 元 円 원
"""


def _pattern(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


NAMES = {*CURRENCY_CODES.split(), *CURRENCY_WORDS.split()}
LETTERS = _pattern(name for name in NAMES if name.isalpha() and name.isascii())  # with a blank: R5 and TOP10 are codes
SYMBOLS = rf"\p{{Sc}}|{_pattern(name for name in NAMES if not (name.isalpha() and name.isascii()))}"
SPACES = "[\u00a0\u202f]"  # the spaces that do not break a line, which programs write between groups
APOSTROPHES = "[\u2019]"  # in Switzerland, besides the plain one (CLDR's de-CH)
MINUS = "\u2212"
BODY = r"(?:[0-9][0-9.,' ]*[0-9.,]|[.,][0-9]+|[0-9])(?:[eE][-+]?[0-9]+)?"
# What stands around a number. The conditions of `parts_of_numbers` leave one of each.
PARTS = (
    rf"^(?P<open>\()?(?P<first>[-+])? ?(?P<before>(?:{LETTERS}) |(?:{SYMBOLS}) ?)?(?P<second>[-+])?(?P<body>{BODY})"
    rf" ?(?P<percent>%)?(?P<after> (?:{LETTERS})| ?(?:{SYMBOLS}))? ?(?P<last>-)?(?P<close>\))?$"
)
NAMES_OF_PARTS = ("open", "first", "before", "second", "body", "percent", "after", "last", "close")
UNITS, SIGNS = ("before", "after", "percent"), ("open", "first", "second", "last")  # an amount or a share; one sign
AT_MOST_ONE = (*combinations(UNITS, 2), *combinations(SIGNS, 2))  # a number has one unit and one sign
# Groups of three with a mark, spaces or apostrophes; none begins with 0, so that 0,123 is no 123.
GROUPS = "[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
INDIAN_GROUPS = "[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"  # 12,34,567: lakhs and crores, with the decimal point only


def parts_of_numbers(text: pa.ChunkedArray) -> pa.Table:
    """Return what texts hold if they are numbers.

    Parameters
    ----------
    text
        Column of strings without padding.

    Returns
    -------
    pa.Table
        ``body`` (digits, marks and exponent; null where the text is no number), ``is_negative`` and ``is_percent``.

    Examples
    --------
    >>> parts_of_numbers(pa.chunked_array([["(1,234.50 €)", "12 apples"]]))["body"].to_pylist()
    ['1,234.50', None]
    """
    plain = pc.replace_substring_regex(pc.replace_substring_regex(text, SPACES, " "), APOSTROPHES, "'")
    found = pc.extract_regex(pc.replace_substring(plain, MINUS, "-"), PARTS)
    part = {name: pc.struct_field(found, name) for name in NAMES_OF_PARTS}
    has = {name: pc.not_equal(value, "") for name, value in part.items()}
    fits = pc.equal(has["open"], has["close"])
    for one, other in AT_MOST_ONE:
        fits = pc.and_(fits, pc.invert(pc.and_(has[one], has[other])))
    is_negative = has["open"]
    for name in ("first", "second", "last"):
        is_negative = pc.or_(is_negative, pc.equal(part[name], "-"))
    body = pc.if_else(pc.fill_null(fits, fill_value=False), part["body"], None)
    return pa.table({"body": body, "is_negative": is_negative, "is_percent": has["percent"]})


def plain_numbers(text: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """Return numbers as people write them in the form that computers read; null where a text is no number.

    Parameters
    ----------
    text
        Column of strings without padding.
    decimal
        The decimal mark; the other of ``.`` and ``,`` is for thousands.

    Examples
    --------
    >>> written = ["1,167", "$1,234.50", "12.5%", "(5)", "1'200 CHF", "1,16", "1,5"]
    >>> plain_numbers(pa.chunked_array([written]), ".").to_pylist()
    ['1167', '1234.50', '12.5e-2', '-5', '1200', None, None]
    """
    parts = parts_of_numbers(text)
    is_good = pc.match_substring_regex(parts["body"], f"^(?:{well_formed(decimal)})$")
    digits = pc.replace_substring_regex(pc.if_else(is_good, parts["body"], None), f"[ '{_other_mark(decimal)}]", "")
    sign = pc.if_else(parts["is_negative"], "-", "")
    exponent = pc.if_else(parts["is_percent"], "e-2", "")  # exact, as a division by 100 is not
    return pc.binary_join_element_wise(sign, pc.replace_substring(digits, decimal, "."), exponent, "")


def well_formed(decimal: str) -> str:
    """Return the pattern, for Arrow and Python, of digits and marks that are a number with a decimal mark."""
    mark, other = re.escape(decimal), re.escape(_other_mark(decimal))
    groups = [GROUPS.format(mark=each) for each in (other, " ", "'")] + ([INDIAN_GROUPS] if decimal == "." else [])
    return rf"(?:[0-9]+|{'|'.join(groups)})(?:{mark}[0-9]*)?|{mark}[0-9]+"


def _other_mark(decimal: str) -> str:
    return "." if decimal == "," else ","
