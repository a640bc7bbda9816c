#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pickle_make.py - makes pickle/: one value in every protocol, for tests/test_pickle.c (and copied to tests/fuzz/corpus/pickle)

usage: pickle_make.py FOLDER
"""
import os
import pickle
import sys
from collections import OrderedDict

VALUE = {
    "none": None, "true": True, "false": False, "small": 7, "byte": 255, "short": 65535, "int": -70000, "long": 1 << 40,
    "negative": -(1 << 40), "huge": -(1 << 80), "real": -2.5, "text": "caf\u00e9" * 3, "list": [1, [2, []]], "tuple": (1, 2, 3, (4,), ()),
    "pair": (1, 2), "dict": {"k": {5: 6}}, "ordered": OrderedDict([("a", 1), ("b", 2)]),
}
VALUE["again"] = VALUE["list"]

if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for protocol in range(6):
        value = dict(VALUE)
        if protocol < 2:
            del value["huge"]  # a line of more than 64 bits is refused
        if protocol < 1:
            value["text"] = "cafe" * 3  # an escaped text of protocol 0 is refused
        if protocol > 2:
            value["bytes"] = b"\0\xff"  # older ones call a function to make them
        with open(f"{sys.argv[1]}/protocol{protocol}.pkl", "wb") as file:
            pickle.dump(value, file, protocol)
