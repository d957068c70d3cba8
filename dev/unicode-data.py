#!/usr/bin/env python3
"""Makes an object of Foundation's Unicode data that leaves out other people's languages, and prints the symbol that the
linker is to wrap with it:

    dev/unicode-data.py SWIFT_STATIC/linux/lib_FoundationICU.a unicode.o
    ... -Xlinker --wrap=SYMBOL -Xlinker unicode.o

Of the 34 MB that Foundation brings, 5 stay: root and English, time zones, regular expressions, normalization, and all
properties of characters. Names of languages and currencies, spellings of numbers, dictionaries of words, transliteration
and tables of old character sets go; who asks for another language gets English.

ICU's "common data" (ucmndata.h) is a header; the number of items; for each, the places of its name and of its bytes, from
behind the header; names; items. They are looked up by halves, so they stay in order.
"""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ALIGNMENT = 16
MAGIC = b"\xda\x27"
FORMAT = b"CmnD"
# `de.res`, `zh_Hant_TW.res`; not `en.res`, `en_US_POSIX.res`, `root.res`, `zoneinfo64.res`, nor the list of all of them.
LANGUAGE = re.compile(r"(?!en[._]|res_index)[a-z]{2,3}(_\w+)?\.res")
OTHERS = re.compile(r".*\.(cnv|dict)|.*/(translit|rbnf)/.*")


def header_bytes(data):
    if data[2:4] != MAGIC or data[12:16] != FORMAT or data[8] != 0:
        raise ValueError("this is no common data of ICU, or of another byte order")
    return struct.unpack_from("<H", data)[0]


def items(data):
    """Name and bytes of each."""
    begin = header_bytes(data)
    count, = struct.unpack_from("<I", data, begin)
    places = [struct.unpack_from("<II", data, begin + 4 + 8 * index) for index in range(count)]
    ends = [place for _, place in places[1:]] + [len(data) - begin]
    for (name, place), end in zip(places, ends):
        yield data[begin + name:data.index(b"\0", begin + name)].decode(), data[begin + place:begin + end]


def is_kept(name):
    return not (LANGUAGE.fullmatch(name.rpartition("/")[2]) or OTHERS.fullmatch(name))


def packed(header, kept):
    """The same format again."""
    def padding(length):
        return bytes(-length % ALIGNMENT)
    names = b"".join(name.encode() + b"\0" for name, _ in kept)
    name_place = 4 + 8 * len(kept)
    names += padding(len(header) + name_place + len(names))
    place = name_place + len(names)
    table = struct.pack("<I", len(kept))
    parts = []
    for name, content in kept:
        table += struct.pack("<II", name_place, place)
        content += padding(len(content))
        parts.append(content)
        name_place += len(name) + 1
        place += len(content)
    return header + table + names + b"".join(parts)


def smaller(data):
    return packed(data[:header_bytes(data)], [(name, content) for name, content in items(data) if is_kept(name)])


def extract(library, folder):
    """The library's data, and the name of its symbol."""
    member = folder / "whole.o"
    member.write_bytes(subprocess.run(["ar", "p", library, "icu_packaged_data.cpp.o"], capture_output=True, check=True).stdout)
    symbols = subprocess.run(["nm", "--defined-only", member], capture_output=True, text=True, check=True).stdout
    symbol, = re.findall(r"\b(icudt\d+_dat)$", symbols, re.MULTILINE)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".rodata", member, folder / "whole"], check=True)
    return (folder / "whole").read_bytes(), symbol


def main():
    library, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        data, symbol = extract(library, folder)
        (folder / "smaller").write_bytes(smaller(data))
        subprocess.run(["as", "-o", out, "-"], text=True, check=True, input=f"""
            .section .rodata
            .balign {ALIGNMENT}
            .globl __wrap_{symbol}
            .type __wrap_{symbol}, %object
        __wrap_{symbol}:
            .incbin "{folder / "smaller"}"
            .size __wrap_{symbol}, . - __wrap_{symbol}
            .section .note.GNU-stack, "", %progbits
        """)
    print(symbol)


if __name__ == "__main__":
    main()
