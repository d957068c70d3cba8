"""What stays of Foundation's Unicode data in an image."""

import importlib.util
import pathlib
import re
import struct
import subprocess

import pytest

from image import ROOT

specification = importlib.util.spec_from_file_location("unicode_data", ROOT / "dev" / "unicode-data.py")
unicode_data = importlib.util.module_from_spec(specification)
specification.loader.exec_module(unicode_data)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    told = subprocess.run(["swiftc", "-static-stdlib", "-print-target-info"], capture_output=True, text=True, check=True)
    resources = pathlib.Path(re.search(r'"runtimeResourcePath": "(.*)"', told.stdout)[1])
    data, symbol = unicode_data.extract(resources / "linux" / "lib_FoundationICU.a", tmp_path_factory.mktemp("unicode"))
    assert symbol.startswith("icudt")
    return data


def test_what_stays_is_unchanged_aligned_and_in_order(whole):
    before, smaller = dict(unicode_data.items(whole)), unicode_data.smaller(whole)
    after = dict(unicode_data.items(smaller))
    assert list(after) == sorted(after)
    for name, content in after.items():
        assert content.startswith(before[name]) and len(content) < len(before[name]) + 16, name
    begin = unicode_data.header_bytes(smaller)
    assert smaller[:begin] == whole[:begin]
    places = [struct.unpack_from("<I", smaller, begin + 8 + 8 * index)[0] for index in range(len(after))]
    assert all((begin + place) % 16 == 0 for place in places)
    assert len(smaller) < 6e6 < 30e6 < len(whole)


def test_languages_go_and_what_is_of_no_language_stays(whole):
    before = [name.partition("/")[2] for name, _ in unicode_data.items(whole)]
    after = {name.partition("/")[2] for name, _ in unicode_data.items(unicode_data.smaller(whole))}
    for gone in ("de.res", "zone/zh_Hant.res", "curr/ja.res", "brkitr/thaidict.dict", "euc-tw-2014.cnv"):
        assert gone in before and gone not in after, gone
    for kept in ("root.res", "en.res", "en_US_POSIX.res", "res_index.res", "pool.res", "zone/root.res", "zoneinfo64.res", "metaZones.res",
                 "supplementalData.res", "uts46.nrm", "nfkc.nrm", "coll/ucadata.icu", "brkitr/word.brk", "curr/pool.res"):
        assert kept in before and kept in after, kept
    assert all(name.endswith(".res") for name in before if name not in after and not unicode_data.OTHERS.fullmatch(f"/{name}"))


def test_other_bytes_are_refused():
    with pytest.raises(ValueError):
        unicode_data.smaller(bytes(64))
